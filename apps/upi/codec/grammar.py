"""The table of messages: children in order, transaction types (upi-protocol 2.2, 3.1)."""

import re
from dataclasses import dataclass

from apps.upi.codec import parts
from apps.upi.codec.parties import PAYER, Payees
from apps.upi.codec.shapes import Child, One, Shape
from apps.upi.contracts import (
    Message,
    ReqAuthDetails,
    ReqBalEnq,
    ReqChkTxn,
    ReqHbt,
    ReqOtp,
    ReqPay,
    ReqRegMob,
    ReqSetCre,
    ReqTxnConfirmation,
    RespAuthDetails,
    RespBalEnq,
    RespChkTxn,
    RespHbt,
    RespOtp,
    RespPay,
    RespRegMob,
    RespSetCre,
    RespTxnConfirmation,
)

_HEAD = One("Head", "head", parts.HEAD, missing_code="U52")
_TXN = One("Txn", "txn", parts.TXN, missing_code="T01")
_META = One("Meta", "meta", parts.META)
_PAYER = One("Payer", "payer", PAYER, missing_code="R01")
_PAYEES = Payees()
_RESP = One("Resp", "resp", parts.RESP, missing_code="E01")
_REG_DETAILS = One("RegDetails", "reg_details", parts.REG_DETAILS, missing_code="F01")
_CONFIRMATION = One(
    "TxnConfirmation", "txn_confirmation", parts.TXN_CONFIRMATION, missing_code="E01"
)
_HBT_MSG = One("HbtMsg", "hbt_msg", parts.HBT_MSG, missing_code="G01")

_PAY_TYPES = frozenset({"PAY", "COLLECT", "DEBIT", "CREDIT", "REVERSAL", "REFUND"})
_AUTH_TYPES = frozenset({"PAY", "COLLECT"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A message: its shape, the types its Txn may have, and whether its codes are meta ones."""

    shape: Shape
    types: frozenset[str]
    is_meta: bool


def _entry(
    cls: type[Message], types: frozenset[str], *children: Child, is_any_order: bool = False
) -> Entry:
    shape = Shape(cls, children=children, is_any_order=is_any_order)
    return Entry(shape, types, is_meta=types.isdisjoint(_FINANCIAL))


_FINANCIAL = _PAY_TYPES | {"TxnConfirmation", "ChkTxn"}
_CONFIRMATION_TYPES = frozenset({"TxnConfirmation"})
_CHECK_TYPES = frozenset({"ChkTxn"})
_OTP_TYPES = frozenset({"Otp"})
_REGISTER_TYPES = frozenset({"ReqRegMob"})
_CHANGE_TYPES = frozenset({"SetCre"})
_BALANCE_TYPES = frozenset({"BalEnq"})
_HEARTBEAT_TYPES = frozenset({"Hbt"})

_ANSWER = (_HEAD, _RESP, _TXN)
_ENTRIES = (
    _entry(ReqPay, _PAY_TYPES, _HEAD, _META, _TXN, _PAYER, _PAYEES),
    _entry(RespPay, _PAY_TYPES, _HEAD, _TXN, _RESP),
    _entry(ReqAuthDetails, _AUTH_TYPES, _HEAD, _TXN, _PAYEES, _PAYER, is_any_order=True),
    _entry(RespAuthDetails, _AUTH_TYPES, *_ANSWER, _PAYER, _PAYEES, is_any_order=True),
    _entry(ReqTxnConfirmation, _CONFIRMATION_TYPES, _HEAD, _TXN, _CONFIRMATION),
    _entry(RespTxnConfirmation, _CONFIRMATION_TYPES, _HEAD, _TXN, _RESP),
    _entry(ReqChkTxn, _CHECK_TYPES, _HEAD, _TXN),
    _entry(RespChkTxn, _CHECK_TYPES, _HEAD, _TXN, _RESP),
    _entry(ReqOtp, _OTP_TYPES, _HEAD, _TXN, _PAYER, _REG_DETAILS),
    _entry(RespOtp, _OTP_TYPES, *_ANSWER),
    _entry(ReqRegMob, _REGISTER_TYPES, _HEAD, _TXN, _PAYER, _REG_DETAILS),
    _entry(RespRegMob, _REGISTER_TYPES, *_ANSWER),
    _entry(ReqSetCre, _CHANGE_TYPES, _HEAD, _TXN, _PAYER),
    _entry(RespSetCre, _CHANGE_TYPES, *_ANSWER),
    _entry(ReqBalEnq, _BALANCE_TYPES, _HEAD, _TXN, _PAYER),
    _entry(RespBalEnq, _BALANCE_TYPES, *_ANSWER, One("Payer", "payer", PAYER)),
    _entry(ReqHbt, _HEARTBEAT_TYPES, _HEAD, _TXN, _HBT_MSG),
    _entry(RespHbt, _HEARTBEAT_TYPES, *_ANSWER),
)
ENTRIES = {entry.shape.cls.__name__: entry for entry in _ENTRIES}

# Meta messages name the same faults by other letters (upi-protocol 4.8). Only Z, P and X are listed
# number by number; for the rest we keep the number of the financial code.
_META_PREFIXES = {"H": "Z", "R": "P", "T": "X", "A": "K", "C": "W", "D": "Q", "I": "O"}
_CODE = re.compile(r"([HRTACDI])([0-9]{2})")


def meta_code(code: str) -> str:
    """Return the meta messages' name of a financial validation code."""
    match = _CODE.fullmatch(code)
    return f"{_META_PREFIXES[match[1]]}{match[2]}" if match else code
