"""The messages of the UPI wire, one class each, named as their root element."""

import datetime as dt
from dataclasses import dataclass

from apps.upi.contracts.parts import (
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
