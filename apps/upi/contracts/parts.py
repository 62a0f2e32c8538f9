"""
The parts that UPI messages are made of.

Fields carry the wire's names in our spelling. None means that the attribute is not there; "" that
it is there and empty, which the wire uses for codes. Instants are aware, amounts are Money.
"""

import base64
import binascii
import datetime as dt
from dataclasses import dataclass
from typing import Self

from apps.common.money import Money
from apps.common.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Who sent the message, when, and under which id."""

    ts: dt.datetime
    org_id: str
    msg_id: str
    ver: str = "2.0"
    prod_type: str | None = "UPI"
    psp_org_id: str | None = None
    page_size: int | None = None
    page_seq_num: int | None = None
    page_rec_start: int | None = None
    page_rec_end: int | None = None
    page_total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """When the payer's app began and ended taking the request."""

    pay_req_start: dt.datetime | None = None
    pay_req_end: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskScore:
    """One score that the switch gives a transaction."""

    provider: str
    type: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule of a collect request: EXPIREAFTER (minutes) or MINAMOUNT."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Txn:
    """The transaction a message belongs to; `cust_ref` is the RRN."""

    id: str
    ts: dt.datetime
    type: str
    sub_type: str | None = None
    note: str | None = None
    ref_id: str | None = None
    ref_url: str | None = None
    cust_ref: str | None = None
    org_txn_id: str | None = None
    org_msg_id: str | None = None
    org_rrn: str | None = None
    org_txn_date: dt.datetime | None = None
    org_resp_code: str | None = None
    umn: str | None = None
    initiation_mode: str | None = None
    purpose: str | None = None
    ref_category: str | None = None
    initiated_by: str | None = None
    psp_org_id: str | None = None
    risk_scores: tuple[RiskScore, ...] = ()
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """The name that a bank vouches for, and whether it checked the address."""

    identity_type: str
    verified_name: str
    identity_id: str | None = None
    verified_address: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """The payer's device, as its tags."""

    mobile: str | None = None
    geocode: str | None = None
    location: str | None = None
    ip: str | None = None
    type: str | None = None
    id: str | None = None
    os: str | None = None
    app: str | None = None
    capability: str | None = None
    telecom: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountAddress:
    """A bank account: addrType ACCOUNT, the only way of addressing that this bank takes."""

    ifsc: str
    account_type: str
    account_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """
    An encrypted PIN, OTP or approval; its data is never stored where it lasts.

    Only a mandate's signature, type UPI-Mandate, may lack `code` and `ki`; they are "" then.
    """

    type: str
    sub_type: str
    code: str
    ki: str
    data: Secret[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A named part of an amount: PURCHASE, CASHBACK or PARAMOUNT."""

    name: str
    value: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class MerchantBlock:
    """The merchant behind an ENTITY."""

    sub_code: str
    mid: str
    sid: str | None = None
    tid: str | None = None
    merchant_type: str | None = None
    merchant_genre: str | None = None
    on_boarding_type: str | None = None
    brand: str
    legal: str
    franchise: str
    ownership: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Originator:
    """Who sends money from abroad."""

    name: str
    type: str
    ref_no: str
    location: str
    city: str
    country: str
    geocode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Institution:
    """The institution behind a foreign inward remittance (initiation mode 12)."""

    type: str
    route: str
    name: str
    ac_num: str
    purpose_code: str
    purpose_note: str
    originator: Originator
    beneficiary_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """A balance as RespBalEnq carries it: base64 of rupees. Never stored, never logged."""

    code: str
    ki: str
    data: Secret[str]

    @classmethod
    def of(cls, amount: Money, *, code: str = "NPCI", ki: str) -> Self:
        """Wrap an amount for the wire."""
        text = base64.b64encode(amount.as_rupees().encode()).decode()
        return cls(code=code, ki=ki, data=Secret(text))

    def amount(self) -> Money:
        """Return the amount. Raises ValueError when the data is not one."""
        try:
            text = base64.b64decode(self.data.reveal(), validate=True).decode("ascii")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise ValueError("a balance is base64 of rupees") from error
        return -Money.from_rupees(text[1:]) if text.startswith("-") else Money.from_rupees(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A payer or payee: its address and what this message knows of it."""

    addr: str
    seq_num: str = "1"
    type: str
    code: str
    name: str | None = None
    aadhaar_consent: str | None = None
    info: Info | None = None
    device: Device | None = None
    ac: AccountAddress | None = None
    creds: tuple[Credential, ...] = ()
    amount: Money | None = None
    splits: tuple[Split, ...] = ()
    new_cred: tuple[Credential, ...] = ()
    merchant: MerchantBlock | None = None
    institution: Institution | None = None
    bal: Balance | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegDetails:
    """What proves that the person who sets a PIN holds the account's card."""

    type: str = "FORMAT1"
    mobile: str
    card_digits: str
    exp_date: str
    creds: tuple[Credential, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """What became of one party's side."""

    type: str
    addr: str
    sett_amount: Money
    approval_num: str
    resp_code: str
    seq_num: str = "1"
    sett_currency: str = "INR"
    reg_name: str | None = None
    org_amount: Money | None = None
    reversal_resp_code: str | None = None
    ac_num: str | None = None
    ifsc: str | None = None
    code: str | None = None
    acc_type: str | None = None
    actn: str | None = None
    dispute_resp_code: str | None = None
    adjustment_date: str | None = None
    adjustment_flag: str | None = None
    adjustment_raised_bank: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resp:
    """The answer to the request whose msgId is `req_msg_id`."""

    req_msg_id: str
    result: str
    err_code: str | None = ""
    actn: str | None = None
    approval_num: str | None = None
    txn_resp_code: str | None = None
    refs: tuple[Ref, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TxnConfirmation:
    """The outcome that the switch tells the party that did not begin the payment."""

    org_status: str
    type: str
    org_err_code: str | None = ""
    note: str | None = None
    org_txn_id: str | None = None
    actn: str | None = None
    refs: tuple[Ref, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HbtMsg:
    """ALIVE, or EOD at the end of the day."""

    type: str = "ALIVE"
    value: str = "NA"
