"""The parts of mandates and complaints."""

import datetime as dt
from dataclasses import dataclass

from apps.common.money import Money
from apps.upi.contracts.parts import Resp


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """How often a mandate is executed, and on, before or after which day."""

    pattern: str
    rule_value: int | None = None
    rule_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """A standing permission to debit; it is valid from `start` to `end`, both included."""

    name: str
    txn_id: str
    umn: str
    ts: dt.datetime
    revokeable: bool
    share_to_payee: bool
    type: str
    block_fund: bool
    start: dt.date
    end: dt.date
    amount: Money
    amount_rule: str
    recurrence: Recurrence


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What a complaint says of a payment, and what it asks for."""

    req_adj_flag: str
    req_adj_code: str
    req_adj_amount: Money
    org_sett_resp_code: str | None = None
    curr_cycle: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintRef:
    """What was done about a complaint on one side."""

    type: str
    seq_num: str
    addr: str
    reg_name: str | None = None
    ifsc: str | None = None
    ac_num: str | None = None
    code: str | None = None
    approval_num: str | None = None
    sett_currency: str | None = None
    adj_amt: Money | None = None
    adj_ts: dt.datetime | None = None
    adj_ref_id: str | None = None
    adj_flag: str | None = None
    adj_code: str | None = None
    adj_remarks: str | None = None
    proc_status: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintResp(Resp):
    """The answer to a complaint; `crn` is the number under which it is kept."""

    crn: str | None = None
    complaint_refs: tuple[ComplaintRef, ...] = ()
