"""
What a message must hold beyond the form of its parts, as tables: the code, the element, the fault.

Rules are asked in their order; the first that finds its fault refuses the message.
Source: upi-protocol 2.3 (presence rules) and 4.8 (codes).
"""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from apps.upi.codec.shapes import OTHER
from apps.upi.contracts import Credential, Message, Party, ReqPay, Txn
from apps.upi.errors import InvalidElementError

# A rule: validation code, element, and whether the message has the fault.
Rule = tuple[str, str, Callable[[Any], bool]]

_LEGS = {"DEBIT", "CREDIT", "REVERSAL"}
_AFTER_AN_ORIGINAL = {"REVERSAL", "REFUND"}
_INWARD_REMITTANCE = "12"
_MANDATE_EXECUTION = "11"
_MANDATE = "MANDATE"
_CHECK_MODES_MAX = 14
_ANSWER_MODES_MAX = 24
_CHECK_DAYS_MAX = 90


def _lacks(credentials: tuple[Credential, ...], kind: str) -> bool:
    return all(credential.type != kind for credential in credentials)


def _is_pre_approved(party: Party) -> bool:
    return not _lacks(party.creds, "PreApproved")


def _mode(txn: Txn) -> int:
    return int(txn.initiation_mode or "0")


def _is_inward(txn: Txn) -> bool:
    return txn.initiation_mode == _INWARD_REMITTANCE


def _is_reversal_of(txn: Txn, side: str) -> bool:
    return txn.type == "REVERSAL" and txn.sub_type == side


def _needs_payer_account(message: Any) -> bool:
    txn: Txn = message.txn
    if txn.type == "PAY":
        return not _is_pre_approved(message.payer)
    return txn.type == "DEBIT" or _is_reversal_of(txn, "DEBIT")


def _needs_payee_account(message: Any) -> bool:
    txn: Txn = message.txn
    return txn.type in {"COLLECT", "CREDIT"} or _is_reversal_of(txn, "CREDIT")


def _is_success(message: Any) -> bool:
    return bool(message.resp.result in {"SUCCESS", "DEEMED"})


def _is_too_old(message: Any) -> bool:
    asked: dt.datetime = message.txn.org_txn_date
    return bool(message.head.ts - asked > dt.timedelta(days=_CHECK_DAYS_MAX))


_TXN: tuple[Rule, ...] = (
    ("T12", "Txn.custRef", lambda m: m.txn.cust_ref is None),
    ("IM0", "Txn.initiationMode", lambda m: m.txn.initiation_mode is None),
    ("T14", "Txn.purpose", lambda m: m.txn.purpose is None),
)

# Foreign inward remittance has rules of its own; what keeps them all is refused even so, for this
# bank does not take it by UPI.
_INWARD: tuple[Rule, ...] = (
    (
        "PK0",
        "Payer.Institution",
        lambda m: not _is_inward(m.txn) and m.payer.institution is not None,
    ),
    ("IM1", "Txn.initiationMode", lambda m: _is_inward(m.txn) and m.txn.type == "COLLECT"),
    ("T15", "Txn.purpose", lambda m: _is_inward(m.txn) and m.txn.purpose != "00"),
    ("PI0", "Payer.Institution", lambda m: _is_inward(m.txn) and m.payer.institution is None),
    ("IM2", "Payer.Creds", lambda m: _is_inward(m.txn) and not _is_pre_approved(m.payer)),
    ("IM4", "Txn.initiationMode", lambda m: _is_inward(m.txn)),
)

# Addresses that are an account, a card or a number rather than a name: upi-protocol 3.6. Those
# whose handle begins with a digit are no addresses at all: R02, B03.
_BRANCH_SUFFIX = ".ifsc.npci"
_CUSTOM_ADDRESSES = {
    "@aadhaar.npci": "A11",
    _BRANCH_SUFFIX: "A12",
    "@mobile.npci": "A13",
    "@rupay.npci": "A14",
}


def _custom(side: str, suffix: str) -> Callable[[Any], bool]:
    def is_custom(message: Any) -> bool:
        address: str = getattr(message, side).addr
        is_paid = side == "payee" and isinstance(message, ReqPay) and message.txn.type != "COLLECT"
        # Money may go to an account of a branch, which the switch finds without asking anybody.
        is_allowed = is_paid and suffix == _BRANCH_SUFFIX
        return address.lower().endswith(suffix) and not is_allowed

    return is_custom


_ADDRESSES: tuple[Rule, ...] = tuple(
    (code, f"{side.title()}.addr", _custom(side, suffix))
    for side in ("payer", "payee")
    for suffix, code in _CUSTOM_ADDRESSES.items()
)

_PARTIES: tuple[Rule, ...] = (
    *_ADDRESSES,
    ("V01", "Payer.Amount", lambda m: m.payer.amount is None),
    ("M04", "Payee.Amount", lambda m: m.payee.amount is None),
    ("M03", "Payer.Amount", lambda m: m.payer.amount != m.payee.amount),
    (
        "PN0",
        "Payer.Merchant",
        lambda m: m.payer.type == "PERSON" and m.payer.merchant is not None,
    ),
    (
        "PN0",
        "Payee.Merchant",
        lambda m: m.payee.type == "PERSON" and m.payee.merchant is not None,
    ),
)

_PAYEE_MERCHANT: Rule = (
    "PM0",
    "Payee.Merchant",
    lambda m: m.payee.type == "ENTITY" and m.payee.merchant is None,
)

_ANSWER: tuple[Rule, ...] = (
    ("E04", "Resp.errCode", lambda m: m.resp.result == "FAILURE" and not m.resp.err_code),
    ("E05", "Resp.errCode", lambda m: m.resp.result == "SUCCESS" and bool(m.resp.err_code)),
)

_PAY: tuple[Rule, ...] = (
    *_TXN,
    ("T13", "Txn.subType", lambda m: m.txn.type in _LEGS and m.txn.sub_type is None),
    (
        "T13",
        "Txn.subType",
        lambda m: m.txn.type == "REVERSAL" and m.txn.sub_type not in {"DEBIT", "CREDIT"},
    ),
    (
        "T08",
        "Txn.orgTxnId",
        lambda m: m.txn.type in _AFTER_AN_ORIGINAL and m.txn.org_txn_id is None,
    ),
    (
        "T10",
        "Txn.orgTxnId",
        lambda m: m.txn.type not in _AFTER_AN_ORIGINAL and m.txn.org_txn_id is not None,
    ),
    ("T11", "Txn.orgRespCode", lambda m: m.txn.type == "REVERSAL" and m.txn.org_resp_code is None),
    *_INWARD,
    ("D01", "Payer.Device", lambda m: m.txn.type == "PAY" and m.payer.device is None),
    ("D01", "Payee.Device", lambda m: m.txn.type == "COLLECT" and m.payee.device is None),
    ("A01", "Payer.Ac", lambda m: _needs_payer_account(m) and m.payer.ac is None),
    ("A01", "Payee.Ac", lambda m: _needs_payee_account(m) and m.payee.ac is None),
    ("C01", "Payer.Creds", lambda m: m.txn.type == "PAY" and not m.payer.creds),
    (
        "C10",
        "Payer.Creds",
        lambda m: m.txn.type == "PAY" and any(not c.data.reveal() for c in m.payer.creds),
    ),
    (
        "C11",
        "Payer.Creds",
        lambda m: m.txn.type in {"COLLECT", "CREDIT", "REVERSAL", "REFUND"} and bool(m.payer.creds),
    ),
    (
        "IM3",
        "Payer.Creds",
        lambda m: (
            m.txn.type == "DEBIT"
            and m.txn.initiation_mode == _MANDATE_EXECUTION
            and _lacks(m.payer.creds, "UPI-Mandate")
            and not _is_pre_approved(m.payer)
        ),
    ),
    *_PARTIES,
    (
        "PM0",
        "Payee.Merchant",
        lambda m: m.txn.type != "PAY" and m.payee.type == "ENTITY" and m.payee.merchant is None,
    ),
)

_PAY_ANSWER: tuple[Rule, ...] = (
    *_TXN,
    ("IM0", "Txn.initiationMode", lambda m: _mode(m.txn) > _ANSWER_MODES_MAX),
    # A bank answers SUCCESS or FAILURE; only the switch, for the whole payment, may say DEEMED.
    (
        "E06",
        "Resp.result",
        lambda m: m.resp.result == "PARTIAL" or (m.resp.result == "DEEMED" and m.txn.type in _LEGS),
    ),
    *_ANSWER,
    ("E07", "Resp.Ref", lambda m: _is_success(m) and not m.resp.refs),
    (
        "E14",
        "Ref.settAmount",
        lambda m: m.resp.result == "FAILURE" and any(ref.sett_amount for ref in m.resp.refs),
    ),
)

_AUTH_ANSWER: tuple[Rule, ...] = (
    *_TXN,
    *_ANSWER,
    *_PARTIES,
    ("T20", "Payer.Institution", lambda m: m.payer.institution is not None),
    (
        "I01",
        "Payee.Info",
        lambda m: _is_success(m) and m.txn.type == "PAY" and m.payee.info is None,
    ),
    ("A01", "Payee.Ac", lambda m: _is_success(m) and m.txn.type == "PAY" and m.payee.ac is None),
    (
        "D01",
        "Payer.Device",
        # A mandate is executed without the customer, and so without a device.
        lambda m: (
            _is_success(m)
            and m.txn.type == "COLLECT"
            and m.txn.sub_type != _MANDATE
            and m.payer.device is None
        ),
    ),
    (
        "A01",
        "Payer.Ac",
        lambda m: _is_success(m) and m.txn.type == "COLLECT" and m.payer.ac is None,
    ),
    (
        "C01",
        "Payer.Creds",
        lambda m: _is_success(m) and m.txn.type == "COLLECT" and not m.payer.creds,
    ),
    (
        _PAYEE_MERCHANT[0],
        _PAYEE_MERCHANT[1],
        lambda m: _is_success(m) and m.txn.sub_type != _MANDATE and _PAYEE_MERCHANT[2](m),
    ),
)

_CHECK: tuple[Rule, ...] = (
    *_TXN,
    ("T08", "Txn.orgTxnId", lambda m: m.txn.org_txn_id is None),
    ("T16", "Txn.umn", lambda m: m.txn.sub_type == _MANDATE and m.txn.umn is None),
    ("IM0", "Txn.initiationMode", lambda m: _mode(m.txn) > _CHECK_MODES_MAX),
    ("X08", "Txn.orgTxnDate", lambda m: m.txn.org_txn_date is None),
    ("X09", "Txn.orgTxnDate", _is_too_old),
)

_ACCOUNT: tuple[Rule, ...] = (
    ("D01", "Payer.Device", lambda m: m.payer.device is None),
    ("D04", "Payer.Device.MOBILE", lambda m: m.payer.device.mobile is None),
    ("A01", "Payer.Ac", lambda m: m.payer.ac is None),
)

_BALANCE_ANSWER: Rule = (
    "P01",
    "Payer.Bal",
    lambda m: _is_success(m) and (m.payer is None or m.payer.bal is None),
)

_MANDATE_REQUEST: tuple[Rule, ...] = (*_TXN, *_PARTIES)
_CONFIRMATION: tuple[Rule, ...] = (
    ("IM0", "Txn.initiationMode", lambda m: m.txn.initiation_mode is None),
    ("T14", "Txn.purpose", lambda m: m.txn.purpose is None),
    ("T08", "Txn.orgTxnId", lambda m: m.txn.org_txn_id is None),
)
_COMPLAINT: tuple[Rule, ...] = (
    *_TXN,
    ("T08", "Txn.orgTxnId", lambda m: m.txn.org_txn_id is None),
)


def _with(field: str, element: str) -> tuple[Rule, ...]:
    """Return the rules of an answer that must bring what was asked for, if it is a success."""
    return (*_ANSWER, (OTHER, element, lambda m: _is_success(m) and not getattr(m, field)))


RULES: Mapping[str, tuple[Rule, ...]] = {
    "ReqPay": _PAY,
    "RespPay": _PAY_ANSWER,
    "ReqAuthDetails": (*_TXN, *_PARTIES),
    "RespAuthDetails": _AUTH_ANSWER,
    "ReqTxnConfirmation": _TXN,
    "RespTxnConfirmation": _ANSWER,
    "ReqChkTxn": _CHECK,
    "RespChkTxn": _ANSWER,
    "ReqOtp": _ACCOUNT,
    "RespOtp": _ANSWER,
    "ReqRegMob": (
        *_ACCOUNT,
        ("C05", "RegDetails.Creds", lambda m: _lacks(m.reg_details.creds, "OTP")),
        ("C06", "RegDetails.Creds", lambda m: _lacks(m.reg_details.creds, "PIN")),
    ),
    "RespRegMob": _ANSWER,
    "ReqSetCre": (
        *_ACCOUNT,
        ("C06", "Payer.Creds", lambda m: _lacks(m.payer.creds, "PIN")),
        ("N06", "Payer.NewCred", lambda m: _lacks(m.payer.new_cred, "PIN")),
    ),
    "RespSetCre": _ANSWER,
    "ReqBalEnq": (
        *_ACCOUNT,
        ("C06", "Payer.Creds", lambda m: _lacks(m.payer.creds, "PIN")),
    ),
    "RespBalEnq": (*_ANSWER, _BALANCE_ANSWER),
    "ReqHbt": (),
    "RespHbt": _ANSWER,
    "ReqValAdd": (),
    "RespValAdd": (
        *_ANSWER,
        (OTHER, "Resp.maskName", lambda m: _is_success(m) and m.resp.mask_name is None),
    ),
    "ReqListAccount": _ACCOUNT,
    "RespListAccount": _with("account_list", "AccountList"),
    "ReqListKeys": (),
    "RespListKeys": _with("key_list", "keyList"),
    "ReqListPsp": (),
    "RespListPsp": _with("psp_list", "PspList"),
    "ReqListAccPvd": (),
    "RespListAccPvd": _with("acc_pvd_list", "AccPvdList"),
    "ReqListVae": (),
    "RespListVae": _ANSWER,
    "ReqManageVae": (
        (OTHER, "VaeList.Vae.op", lambda m: any(vae.op is None for vae in m.vae_list)),
        (OTHER, "VaeList.Vae.seqNum", lambda m: any(vae.seq_num is None for vae in m.vae_list)),
    ),
    "RespManageVae": _ANSWER,
    "ReqPendingMsg": (),
    "RespPendingMsg": _ANSWER,
    "ReqMandate": _MANDATE_REQUEST,
    "RespMandate": (*_TXN, *_ANSWER),
    "ReqAuthMandate": _MANDATE_REQUEST,
    "RespAuthMandate": (*_TXN, *_ANSWER, *_PARTIES),
    "ReqMandateConfirmation": _CONFIRMATION,
    "RespMandateConfirmation": _ANSWER,
    "ReqComplaint": _COMPLAINT,
    "RespComplaint": (*_COMPLAINT, *_ANSWER),
}


def check(message: Message) -> None:
    """Raise InvalidElementError for the first rule that the message breaks."""
    for code, element, has_fault in RULES[message.api]:
        if has_fault(message):
            raise InvalidElementError(code, element)
