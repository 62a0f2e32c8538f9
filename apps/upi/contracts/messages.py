"""The messages of the UPI wire, one class each, named as their root element."""

import datetime as dt
from dataclasses import dataclass

from apps.common.secret import Secret
from apps.upi.contracts.listings import (
    AccPvd,
    Key,
    Link,
    ListedAccount,
    ManageVaeResp,
    Psp,
    ReqMsg,
    Vae,
    ValAddResp,
)
from apps.upi.contracts.mandates import Complaint, ComplaintResp, Mandate
from apps.upi.contracts.parts import (
    Credential,
    HbtMsg,
    Head,
    Meta,
    Party,
    RegDetails,
    Resp,
    Txn,
    TxnConfirmation,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What every signed message has."""

    head: Head
    txn: Txn

    @property
    def api(self) -> str:
        """The name of the root element, which is also the name in the URL."""
        return type(self).__name__


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseMessage(Message):
    """An answer to an earlier request."""

    resp: Resp


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqPay(Message):
    """Pay, collect or refund (PSP to switch); debit, credit or reverse (switch to bank)."""

    payer: Party
    payee: Party
    meta: Meta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RespPay(ResponseMessage):
    """The outcome of a ReqPay, with a Ref for each party it concerns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqAuthDetails(Message):
    """The switch asks a PSP who its customer is, or whether the payer agrees to a collect."""

    payer: Party
    payee: Party


@dataclass(frozen=True, slots=True, kw_only=True)
class RespAuthDetails(ResponseMessage):
    """The customer's account and verified name, or why not."""

    payer: Party
    payee: Party


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqTxnConfirmation(Message):
    """The switch tells the outcome to the PSP that did not begin the payment."""

    txn_confirmation: TxnConfirmation


@dataclass(frozen=True, slots=True, kw_only=True)
class RespTxnConfirmation(ResponseMessage):
    """The outcome was taken note of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqChkTxn(Message):
    """Ask what became of the transaction `txn.org_txn_id`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RespChkTxn(ResponseMessage):
    """What is known of the transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqOtp(Message):
    """Ask the issuer to send its customer an OTP."""

    payer: Party
    reg_details: RegDetails


@dataclass(frozen=True, slots=True, kw_only=True)
class RespOtp(ResponseMessage):
    """The OTP was sent, or why not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqRegMob(Message):
    """Set the first PIN of an account, proved by card digits and OTP."""

    payer: Party
    reg_details: RegDetails


@dataclass(frozen=True, slots=True, kw_only=True)
class RespRegMob(ResponseMessage):
    """The PIN is set, or why not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqSetCre(Message):
    """Change the PIN: the payer carries the old one in `creds`, the new one in `new_cred`."""

    payer: Party


@dataclass(frozen=True, slots=True, kw_only=True)
class RespSetCre(ResponseMessage):
    """The PIN is changed, or why not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqBalEnq(Message):
    """Ask for the balance of the payer's account, proved by the PIN."""

    payer: Party


@dataclass(frozen=True, slots=True, kw_only=True)
class RespBalEnq(ResponseMessage):
    """The balance in `payer.bal`, or why not."""

    payer: Party | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqHbt(Message):
    """Ask the peer whether it is there."""

    hbt_msg: HbtMsg


@dataclass(frozen=True, slots=True, kw_only=True)
class RespHbt(ResponseMessage):
    """Say that we are there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqValAdd(Message):
    """Ask an address's PSP whether it exists, and whose it is."""

    payer: Party
    payee: Party


@dataclass(frozen=True, slots=True, kw_only=True)
class RespValAdd(ResponseMessage):
    """Whose address it is, or why that is not told."""

    resp: ValAddResp


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqListAccount(Message):
    """Ask an issuer for the accounts of a mobile number; `payer.ac` names the issuer."""

    payer: Party
    link: Link


@dataclass(frozen=True, slots=True, kw_only=True)
class RespListAccount(ResponseMessage):
    """The accounts of the mobile number, or why there are none."""

    account_list: tuple[ListedAccount, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqListKeys(Message):
    """Ask the switch for keys; with type GetToken, for a device's common-library token."""

    creds: tuple[Credential, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RespListKeys(ResponseMessage):
    """The keys, or the token."""

    key_list: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqListPsp(Message):
    """Ask the switch for the directory of PSPs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RespListPsp(ResponseMessage):
    """The PSPs and their handles."""

    psp_list: tuple[Psp, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqListAccPvd(Message):
    """Ask the switch for the directory of account providers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RespListAccPvd(ResponseMessage):
    """The account providers."""

    acc_pvd_list: tuple[AccPvd, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqListVae(Message):
    """Ask the switch for the directory of verified merchants."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RespListVae(ResponseMessage):
    """The verified merchants and their keys."""

    vae_list: tuple[Vae, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqManageVae(Message):
    """Add, update or remove merchants of ours in the switch's directory."""

    vae_list: tuple[Vae, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RespManageVae(ResponseMessage):
    """What became of each merchant."""

    resp: ManageVaeResp


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqPendingMsg(Message):
    """Ask the switch for the collects that wait for a mobile number or an address."""

    req_msg: ReqMsg


@dataclass(frozen=True, slots=True, kw_only=True)
class RespPendingMsg(ResponseMessage):
    """The transactions that wait."""

    pen_txns: tuple[Txn, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqMandate(Message):
    """Create, change, revoke or pause a mandate."""

    mandate: Mandate
    payer: Party
    payee: Party
    meta: Meta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RespMandate(ResponseMessage):
    """What became of it, with the issuer's signature."""

    mandate: Mandate
    signature: Secret[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqAuthMandate(Message):
    """The switch asks the other PSP to resolve or authorise a mandate."""

    mandate: Mandate
    payer: Party
    payee: Party


@dataclass(frozen=True, slots=True, kw_only=True)
class RespAuthMandate(ResponseMessage):
    """The customer's account and consent, or why not."""

    mandate: Mandate
    payer: Party
    payee: Party


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqMandateConfirmation(Message):
    """The switch tells how a mandate request ended, with the issuer's signature."""

    txn_confirmation: TxnConfirmation
    mandate: Mandate
    signature: Secret[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RespMandateConfirmation(ResponseMessage):
    """The outcome was taken note of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqComplaint(Message):
    """Raise a complaint about the transaction `txn.org_txn_id`, or ask how it stands."""

    complaint: Complaint


@dataclass(frozen=True, slots=True, kw_only=True)
class RespComplaint(ResponseMessage):
    """What was done about the complaint."""

    complaint: Complaint
    resp: ComplaintResp


@dataclass(frozen=True, slots=True, kw_only=True)
class AckError:
    """One reason of a negative Ack."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """The technical answer to a POST: positive while `err` is empty. Never signed."""

    api: str
    req_msg_id: str
    ts: dt.datetime
    err: str = ""
    errors: tuple[AckError, ...] = ()

    @property
    def is_positive(self) -> bool:
        """Tell whether the message was accepted."""
        return not self.err and not self.errors
