"""The table of messages: children in order, transaction types (upi-protocol 2.2, 3.1)."""

import re
from dataclasses import dataclass

from apps.upi.codec import listings, mandates, parts
from apps.upi.codec.credentials import CHALLENGE
from apps.upi.codec.parties import PAYEE, PAYER, Payees
from apps.upi.codec.shapes import OTHER, Child, Many, One, Shape, Wrapped
from apps.upi.contracts import (
    Message,
    ReqAuthDetails,
    ReqAuthMandate,
    ReqBalEnq,
    ReqChkTxn,
    ReqComplaint,
    ReqHbt,
    ReqListAccount,
    ReqListAccPvd,
    ReqListKeys,
    ReqListPsp,
    ReqListVae,
    ReqManageVae,
    ReqMandate,
    ReqMandateConfirmation,
    ReqOtp,
    ReqPay,
    ReqPendingMsg,
    ReqRegMob,
    ReqSetCre,
    ReqTxnConfirmation,
    ReqValAdd,
    RespAuthDetails,
    RespAuthMandate,
    RespBalEnq,
    RespChkTxn,
    RespComplaint,
    RespHbt,
    RespListAccount,
    RespListAccPvd,
    RespListKeys,
    RespListPsp,
    RespListVae,
    RespManageVae,
    RespMandate,
    RespMandateConfirmation,
    RespOtp,
    RespPay,
    RespPendingMsg,
    RespRegMob,
    RespSetCre,
    RespTxnConfirmation,
    RespValAdd,
)

_HEAD = One("Head", "head", parts.HEAD, missing_code="U52")
_TXN = One("Txn", "txn", parts.TXN, missing_code="T01")
_ANSWER_TXN = One("Txn", "txn", parts.ANSWER_TXN, missing_code="T01")
_COMPLAINT_TXN = One("Txn", "txn", parts.COMPLAINT_TXN, missing_code="T01")
_META = One("Meta", "meta", parts.META)
_PAYER = One("Payer", "payer", PAYER, missing_code="R01")
_PAYEES = Payees()
# Only address validation names its payee without the list around it.
_PAYEE = One("Payee", "payee", PAYEE, missing_code="B02")
_RESP = One("Resp", "resp", parts.RESP, missing_code="E01")
_VAL_ADD_RESP = One("Resp", "resp", listings.VAL_ADD_RESP, missing_code="E01")
_MANAGE_VAE_RESP = One("Resp", "resp", listings.MANAGE_VAE_RESP, missing_code="E01")
_COMPLAINT_RESP = One("Resp", "resp", mandates.COMPLAINT_RESP, missing_code="E01")
_REG_DETAILS = One("RegDetails", "reg_details", parts.REG_DETAILS, missing_code="F01")
_CONFIRMATION = One(
    "TxnConfirmation", "txn_confirmation", parts.TXN_CONFIRMATION, missing_code="E01"
)
_HBT_MSG = One("HbtMsg", "hbt_msg", parts.HBT_MSG, missing_code="G01")
_LINK = One("Link", "link", listings.LINK, missing_code="Y01")
_REQ_MSG = One("ReqMsg", "req_msg", listings.REQ_MSG, missing_code=OTHER)
# Nothing may be pending.
_RESP_MSG = Wrapped("RespMsg", Many("PenTxn", "pen_txns", parts.TXN), empty_code="")
_MANDATE = One("Mandate", "mandate", mandates.MANDATE, missing_code=OTHER)
_SIGNATURE = mandates.MandateSignature()
_COMPLAINT = One("Complaint", "complaint", mandates.COMPLAINT, missing_code=OTHER)

_PAY_TYPES = frozenset({"PAY", "COLLECT", "DEBIT", "CREDIT", "REVERSAL", "REFUND"})
_AUTH_TYPES = frozenset({"PAY", "COLLECT"})
_MANDATE_TYPES = frozenset(mandates.MANDATE_TYPES)
_KEY_TYPES = frozenset({"ListKeys", "GetToken", "ListPSPKeys"})
_COMPLAINT_TYPES = frozenset(
    {"COMPLAINT", "DISPUTE", "REFUND", "REVERSAL", "STATUSUPDATE", "CHKSTATUS"}
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A message: its shape, the types its Txn may have, and whether its codes are meta ones."""

    shape: Shape
    types: frozenset[str]
    is_meta: bool


def _entry(
    cls: type[Message],
    types: str | frozenset[str],
    *children: Child,
    is_any_order: bool = False,
    is_meta: bool = False,
) -> Entry:
    shape = Shape(cls, children=children, is_any_order=is_any_order)
    known = frozenset({types}) if isinstance(types, str) else types
    return Entry(shape, known, is_meta=is_meta)


def _meta(cls: type[Message], types: str | frozenset[str], *children: Child) -> Entry:
    return _entry(cls, types, *children, is_meta=True)


_REQUEST = (_HEAD, _TXN)
_LATE_ANSWER = (_HEAD, _ANSWER_TXN, _RESP)
_ANSWER = (_HEAD, _RESP, _ANSWER_TXN)
_FINANCIAL = (
    _entry(ReqPay, _PAY_TYPES, _HEAD, _META, _TXN, _PAYER, _PAYEES),
    _entry(RespPay, _PAY_TYPES, *_LATE_ANSWER),
    _entry(ReqAuthDetails, _AUTH_TYPES, *_REQUEST, _PAYEES, _PAYER, is_any_order=True),
    _entry(RespAuthDetails, _AUTH_TYPES, *_ANSWER, _PAYER, _PAYEES, is_any_order=True),
    _entry(ReqTxnConfirmation, "TxnConfirmation", *_REQUEST, _CONFIRMATION),
    _entry(RespTxnConfirmation, "TxnConfirmation", *_LATE_ANSWER),
    _entry(ReqChkTxn, "ChkTxn", *_REQUEST),
    _entry(RespChkTxn, "ChkTxn", *_LATE_ANSWER),
)
_MANDATES = (
    _entry(ReqMandate, _MANDATE_TYPES, _HEAD, _META, _TXN, _MANDATE, _PAYER, _PAYEES),
    _entry(RespMandate, _MANDATE_TYPES, *_ANSWER, _MANDATE, _SIGNATURE),
    _entry(ReqAuthMandate, _MANDATE_TYPES, *_REQUEST, _MANDATE, _PAYER, _PAYEES, is_any_order=True),
    _entry(
        RespAuthMandate,
        _MANDATE_TYPES,
        *_LATE_ANSWER,
        _MANDATE,
        _PAYER,
        _PAYEES,
        is_any_order=True,
    ),
    _entry(
        ReqMandateConfirmation, "TxnConfirmation", *_REQUEST, _CONFIRMATION, _MANDATE, _SIGNATURE
    ),
    _entry(RespMandateConfirmation, "TxnConfirmation", *_ANSWER),
)
_COMPLAINTS = (
    _entry(ReqComplaint, _COMPLAINT_TYPES, _HEAD, _COMPLAINT_TXN, _COMPLAINT),
    _entry(RespComplaint, _COMPLAINT_TYPES, _HEAD, _COMPLAINT_TXN, _COMPLAINT, _COMPLAINT_RESP),
)
_META_MESSAGES = (
    _meta(ReqOtp, "Otp", *_REQUEST, _PAYER, _REG_DETAILS),
    _meta(RespOtp, "Otp", *_ANSWER),
    _meta(ReqRegMob, "ReqRegMob", *_REQUEST, _PAYER, _REG_DETAILS),
    _meta(RespRegMob, "ReqRegMob", *_ANSWER),
    _meta(ReqSetCre, "SetCre", *_REQUEST, _PAYER),
    _meta(RespSetCre, "SetCre", *_ANSWER),
    _meta(ReqBalEnq, "BalEnq", *_REQUEST, _PAYER),
    _meta(RespBalEnq, "BalEnq", *_ANSWER, One("Payer", "payer", PAYER)),
    _meta(ReqHbt, "Hbt", *_REQUEST, _HBT_MSG),
    _meta(RespHbt, "Hbt", *_ANSWER),
    _meta(ReqValAdd, "ValAdd", *_REQUEST, _PAYER, _PAYEE),
    _meta(RespValAdd, "ValAdd", _HEAD, _VAL_ADD_RESP, _ANSWER_TXN),
    _meta(ReqListAccount, "ListAccount", *_REQUEST, _PAYER, _LINK),
    _meta(RespListAccount, "ListAccount", *_ANSWER, listings.ACCOUNT_LIST),
    _meta(ReqListKeys, _KEY_TYPES, *_REQUEST, CHALLENGE),
    _meta(RespListKeys, _KEY_TYPES, *_ANSWER, listings.KEY_LIST),
    _meta(ReqListPsp, "ListPsp", *_REQUEST),
    _meta(RespListPsp, "ListPsp", *_ANSWER, listings.PSP_LIST),
    _meta(ReqListAccPvd, "ListAccPvd", *_REQUEST),
    _meta(RespListAccPvd, "ListAccPvd", *_ANSWER, listings.ACC_PVD_LIST),
    _meta(ReqListVae, "ListVae", *_REQUEST),
    _meta(RespListVae, "ListVae", *_ANSWER, listings.VAE_LIST),
    _meta(ReqManageVae, "ManageVae", *_REQUEST, listings.MANAGED_VAE_LIST),
    _meta(RespManageVae, "ManageVae", _HEAD, _ANSWER_TXN, _MANAGE_VAE_RESP),
    _meta(ReqPendingMsg, "PendingMsg", *_REQUEST, _REQ_MSG),
    _meta(RespPendingMsg, "PendingMsg", *_ANSWER, _RESP_MSG),
)
_ENTRIES = (*_FINANCIAL, *_MANDATES, *_COMPLAINTS, *_META_MESSAGES)
ENTRIES = {entry.shape.cls.__name__: entry for entry in _ENTRIES}

# Meta messages name the same faults by other letters (upi-protocol 4.8). Only Z, P and X are listed
# number by number; for the rest we keep the number of the financial code.
_META_PREFIXES = {
    "H": "Z",
    "R": "P",
    "B": "J",
    "T": "X",
    "A": "K",
    "C": "W",
    "D": "Q",
    "I": "O",
}
_CODE = re.compile(r"([HRBTACDI])([0-9]{2})")


def meta_code(code: str) -> str:
    """Return the meta messages' name of a financial validation code."""
    match = _CODE.fullmatch(code)
    return f"{_META_PREFIXES[match[1]]}{match[2]}" if match else code
