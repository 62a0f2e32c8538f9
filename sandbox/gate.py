"""The gate: what the switch checks of a message before it takes it, and with which code."""

import datetime as dt
import re
from collections.abc import Callable

from sandbox import clock, codec, intake, listings, merchants, world
from sandbox.codec import Envelope

_MODES = re.compile(r"0\d|[12]\d|3[0-2]|U[12]")
_CHECK_MODES = re.compile(r"0\d|1[0-4]")
_TRANSACTION_ID = re.compile(r"[A-Za-z0-9]{35}")
_MESSAGE_ID = re.compile(r"[A-Za-z0-9]{1,35}")
_REFERENCE = re.compile(r"\d{12}", re.ASCII)
_PURPOSE = re.compile(r"[A-Z0-9]{2}")
_ADDRESS = re.compile(r"[A-Za-z0-9.\-_]{1,200}@[A-Za-z0-9.]{2,54}")
_MOBILE = re.compile(r"91\d{10}", re.ASCII)
_ACCOUNT_REQUESTS = {"ReqOtp", "ReqRegMob", "ReqSetCre", "ReqBalEnq"}
_KEY_LISTS = {"ListKeys", "ListPSPKeys", "GetToken"}

# Persons may not collect from this day on (OC220); merchants may. The longest wait is 45 days.
_NO_COLLECT_BY_PERSONS = dt.date(2025, 10, 1)
_EXPIRE_MINUTES_MAX = 64_800
# Only of a payment that is no older may be asked how it stands.
_CHECKED_WITHIN = dt.timedelta(days=90)

# Addresses that name a person's number or a card: none of them is in use.
_DISABLED_ADDRESSES = {
    "@aadhaar.npci": "U95",
    ".iin.npci": "U95",
    "@mobile.npci": "A13",
    ".mmid.npci": "A13",
    "@rupay.npci": "A14",
}

Check = tuple[str, Callable[[], bool]]


def refusal_of_head(envelope: Envelope) -> str:
    """Return the code for which any message is refused; empty if its head is in order."""
    if not _MESSAGE_ID.fullmatch(envelope.message_id):
        return "H06"
    if not clock.is_iso(envelope.sent_at):
        return "H03"
    if not _TRANSACTION_ID.fullmatch(envelope.transaction_id):
        return "T02"
    return ""


def refusal_of_payment(envelope: Envelope) -> str:
    """Return the code for which a payment, collect or refund is refused; empty if it may begin."""
    root = envelope.root
    transaction, payer = root.find("Txn"), root.find("Payer")
    payees = root.findall("Payees/Payee")
    if payer is None:
        return "R01"
    if not payees:
        return "B02"
    if len(payees) > 1:
        return "B09"
    assert transaction is not None, "the head was judged first"
    own, other = (payees[0], payer) if envelope.type == "COLLECT" else (payer, payees[0])
    checks = (
        *_transaction_checks(transaction),
        *_address_checks(payer, payees[0]),
        *_CHECKS_OF_KIND[envelope.type](transaction, payer, payees[0]),
        ("PN0", lambda: payer.get("type") != "PERSON" or payer.find("Merchant") is None),
        *_amount_checks(payer, payees[0]),
        ("U55", lambda: _is_of_sender(envelope, own)),
        *_reach_checks(other, kind=envelope.type),
    )
    return _first(checks)


def _reach_checks(party: codec.Element, *, kind: str) -> tuple[Check, ...]:
    """Judge whether the switch can find the other side: only a payment goes to an account."""
    address = party.get("addr", "").lower()
    account = world.account_of(address) if kind == "PAY" else None
    is_known = world.member_of_handle(_handle(party)) is not None
    return (
        *(
            (code, lambda suffix=suffix: not address.endswith(suffix))
            for suffix, code in _DISABLED_ADDRESSES.items()
        ),
        ("U29", lambda: account is None or world.member_of_ifsc(account[0]) is not None),
        ("U17", lambda: account is not None or is_known),
    )


def is_payment(envelope: Envelope) -> bool:
    """Say whether this request starts a payment of a kind that the switch knows."""
    return envelope.api == "ReqPay" and envelope.type in _CHECKS_OF_KIND


def _transaction_checks(transaction: codec.Element) -> tuple[Check, ...]:
    get = transaction.get
    is_refund = get("type") == "REFUND"
    return (
        ("T06", lambda: clock.is_iso(get("ts", ""))),
        ("T12", lambda: bool(_REFERENCE.fullmatch(get("custRef", "")))),
        ("T08", lambda: not is_refund or bool(_TRANSACTION_ID.fullmatch(get("orgTxnId", "")))),
        ("T10", lambda: is_refund or get("orgTxnId") is None),
        ("IM0", lambda: bool(_MODES.fullmatch(get("initiationMode", "")))),
        ("T14", lambda: bool(_PURPOSE.fullmatch(get("purpose", "")))),
    )


def _address_checks(payer: codec.Element, payee: codec.Element) -> tuple[Check, ...]:
    return (
        ("R02", lambda: bool(_ADDRESS.fullmatch(payer.get("addr", "")))),
        ("B03", lambda: bool(_ADDRESS.fullmatch(payee.get("addr", "")))),
    )


def _checks_of_pay(
    _transaction: codec.Element, payer: codec.Element, _payee: codec.Element
) -> tuple[Check, ...]:
    return (
        *_consent_checks(payer),
        ("U28", lambda: world.member_of_ifsc(codec.account_detail(payer, "IFSC")) is not None),
    )


def _consent_checks(payer: codec.Element) -> tuple[Check, ...]:
    return (
        ("D01", lambda: payer.find("Device") is not None),
        ("A06", lambda: _has_account(payer)),
        ("C06", lambda: payer.find("Creds/Cred[@type='PIN']") is not None),
        ("C10", lambda: is_block(payer.findtext("Creds/Cred/Data") or "")),
    )


def _checks_of_collect(
    transaction: codec.Element, payer: codec.Element, payee: codec.Element
) -> tuple[Check, ...]:
    minutes = intake.expire_minutes(transaction)
    is_person_late = payee.get("type") != "ENTITY" and clock.now().date() >= _NO_COLLECT_BY_PERSONS
    return (
        ("L04", lambda: minutes is not None and 1 <= minutes <= _EXPIRE_MINUTES_MAX),
        ("C11", lambda: payer.find("Creds") is None),
        ("D01", lambda: payee.find("Device") is not None),
        ("A06", lambda: _has_account(payee)),
        ("PM0", lambda: payee.get("type") != "ENTITY" or payee.find("Merchant") is not None),
        ("U10", lambda: not is_person_late),
        ("U29", lambda: world.member_of_ifsc(codec.account_detail(payee, "IFSC")) is not None),
    )


def _checks_of_refund(
    _transaction: codec.Element, payer: codec.Element, _payee: codec.Element
) -> tuple[Check, ...]:
    return (
        ("C11", lambda: payer.find("Creds/Cred[@type='PIN']") is None),
        ("C08", lambda: payer.find("Creds/Cred[@type='PreApproved']") is not None),
        ("C09", lambda: bool(payer.findtext("Creds/Cred/Data"))),
    )


_CHECKS_OF_KIND = {
    "PAY": _checks_of_pay,
    "COLLECT": _checks_of_collect,
    "REFUND": _checks_of_refund,
}


def _amount_checks(payer: codec.Element, payee: codec.Element) -> tuple[Check, ...]:
    amounts = [codec.amount_of(party) for party in (payer, payee)]
    currencies = [_currency(party) for party in (payer, payee)]
    return (
        ("V01", lambda: all(amounts)),
        ("V03", lambda: all(codec.paise(amount) for amount in amounts)),
        ("M02", lambda: currencies == [world.CURRENCY, world.CURRENCY]),
        ("M03", lambda: amounts[0] == amounts[1]),
    )


def refusal_of_account_request(envelope: Envelope) -> str:
    """Return the code for which an account request is refused; empty if it may go through."""
    payer = envelope.root.find("Payer")
    if payer is None:
        return "P01"
    details = envelope.root.find("RegDetails")
    needs_details = envelope.api in {"ReqOtp", "ReqRegMob"}
    checks: tuple[Check, ...] = (
        ("P02", lambda: bool(_ADDRESS.fullmatch(payer.get("addr", "")))),
        ("U55", lambda: _is_of_sender(envelope, payer)),
        ("U50", lambda: codec.account_detail(payer, "IFSC") != ""),
        ("A06", lambda: _has_account(payer)),
        ("F01", lambda: not needs_details or details is not None),
        ("U76", lambda: details is None or details.get("type") == "FORMAT1"),
        ("W10", lambda: all(is_block(data.text or "") for data in blocks_of(envelope.root))),
        ("U11", lambda: envelope.api == "ReqOtp" or blocks_of(envelope.root) != []),
    )
    return _first(checks)


def refusal_of_meta(envelope: Envelope) -> str:
    """Return the code for which a meta message is refused; empty if it may go through."""
    return _first(_META_CHECKS[envelope.api](envelope))


def is_meta(api: str) -> bool:
    """Say whether the switch answers this request, itself or by another member."""
    return api in _META_CHECKS


def _checks_of_address(envelope: Envelope) -> tuple[Check, ...]:
    payer, payee = (_part(envelope, name) for name in ("Payer", "Payee"))
    return (
        ("P02", lambda: bool(_ADDRESS.fullmatch(payer.get("addr", "")))),
        ("J03", lambda: bool(_ADDRESS.fullmatch(payee.get("addr", "")))),
        ("U55", lambda: _is_of_sender(envelope, payer)),
        ("U17", lambda: world.member_of_handle(_handle(payee)) is not None),
    )


def _checks_of_accounts(envelope: Envelope) -> tuple[Check, ...]:
    payer, link = (_part(envelope, name) for name in ("Payer", "Link"))
    return (
        ("P02", lambda: bool(_ADDRESS.fullmatch(payer.get("addr", "")))),
        ("U55", lambda: _is_of_sender(envelope, payer)),
        ("U50", lambda: codec.account_detail(payer, "IFSC") != ""),
        ("Y02", lambda: link.get("type") == "MOBILE"),
        ("Y03", lambda: bool(_MOBILE.fullmatch(link.get("value", "")))),
    )


def _checks_of_keys(envelope: Envelope) -> tuple[Check, ...]:
    challenge = envelope.root.findtext("Creds/Cred/Data") or ""
    is_token = envelope.type == "GetToken"
    return (
        ("X07", lambda: envelope.type in _KEY_LISTS),
        ("U65", lambda: envelope.root.find("Creds/Cred[@type='Challenge']") is not None),
        ("U64", lambda: not is_token or len(challenge.split("|")) == listings.TOKEN_PARTS),
    )


def _checks_of_merchants(envelope: Envelope) -> tuple[Check, ...]:
    wanted = envelope.root.findall("VaeList/Vae")
    return (
        ("U72", lambda: bool(wanted)),
        ("U72", lambda: all(each.get("op") in merchants.OPERATIONS for each in wanted)),
    )


def _checks_of_pending(envelope: Envelope) -> tuple[Check, ...]:
    asked = _part(envelope, "ReqMsg")
    return (
        ("P02", lambda: bool(_ADDRESS.fullmatch(asked.get("addr", "")))),
        ("U55", lambda: _is_of_sender(envelope, asked)),
    )


def _no_checks(_envelope: Envelope) -> tuple[Check, ...]:
    return ()


_META_CHECKS = {
    "ReqValAdd": _checks_of_address,
    "ReqListAccount": _checks_of_accounts,
    "ReqListKeys": _checks_of_keys,
    "ReqListPsp": _no_checks,
    "ReqListAccPvd": _no_checks,
    "ReqListVae": _no_checks,
    "ReqManageVae": _checks_of_merchants,
    "ReqPendingMsg": _checks_of_pending,
}


def refusal_of_check(envelope: Envelope) -> str:
    """Return the code for which a status check is refused; empty if it may go through."""
    transaction = _part(envelope, "Txn")
    asked = transaction.get("orgTxnDate", "")
    is_mandate = envelope.sub_type == "MANDATE"
    checks: tuple[Check, ...] = (
        ("T08", lambda: 1 <= len(envelope.original_id) <= codec.TRANSACTION_ID_LENGTH),
        ("T09", lambda: envelope.original_id.isascii() and envelope.original_id.isalnum()),
        ("T16", lambda: not is_mandate or bool(transaction.get("umn"))),
        ("IM0", lambda: bool(_CHECK_MODES.fullmatch(transaction.get("initiationMode", "")))),
        ("X08", lambda: clock.is_iso(asked)),
        ("X09", lambda: clock.now() - dt.datetime.fromisoformat(asked) <= _CHECKED_WITHIN),
    )
    return _first(checks)


def refusal_of_answer(answer: Envelope, request: Envelope) -> str:
    """Return the code for which an answer to this request is refused; empty if it is taken."""
    is_undecided = answer.result == "PARTIAL" and answer.api == "RespChkTxn"
    if answer.result not in {"SUCCESS", "FAILURE"} and not is_undecided:
        return "E06"
    if answer.result == "FAILURE" and not answer.code:
        return "E04"
    if answer.result == "SUCCESS" and answer.code:
        return "E05"
    if answer.api == "RespPay":
        return _refusal_of_leg_answer(answer, request)
    if answer.api == "RespAuthDetails" and answer.result == "SUCCESS":
        is_collect = request.type == "COLLECT"
        return (_refusal_of_consent if is_collect else _refusal_of_resolution)(answer, request)
    return ""


def _refusal_of_leg_answer(answer: Envelope, request: Envelope) -> str:
    reference = answer.root.find("Resp/Ref")
    if (answer.type, answer.sub_type) != (request.type, request.sub_type):
        return "T17"
    if reference is None:
        return "E07"
    settled = reference.get("settAmount", "")
    if codec.paise(settled) is None:
        return "E10"
    if request.type == "REVERSAL":
        return ""
    if answer.result == "FAILURE" and codec.paise(settled):
        return "E14"
    asked = codec.amount_of(request.root.find("Payer"))
    return "V06" if answer.result == "SUCCESS" and settled != asked else ""


def _refusal_of_resolution(answer: Envelope, request: Envelope) -> str:
    payees = answer.root.findall("Payees/Payee")
    asked = request.root.find("Payees/Payee")
    if len(payees) != 1:
        return "U56"
    assert asked is not None, "the switch asked about one payee"
    payee = payees[0]
    checks: tuple[Check, ...] = (
        ("B08", lambda: payee.get("addr", "").lower() == asked.get("addr", "").lower()),
        ("U57", lambda: codec.amount_of(payee) == codec.amount_of(asked)),
        ("A06", lambda: _has_account(payee)),
        ("PM0", lambda: payee.get("type") != "ENTITY" or payee.find("Merchant") is not None),
        ("PN0", lambda: payee.get("type") != "PERSON" or payee.find("Merchant") is None),
    )
    return _first(checks)


def _refusal_of_consent(answer: Envelope, request: Envelope) -> str:
    payer, asked = answer.root.find("Payer"), request.root.find("Payer")
    if payer is None:
        return "R01"
    assert asked is not None, "the switch asked a payer"
    checks: tuple[Check, ...] = (
        ("B08", lambda: payer.get("addr", "").lower() == asked.get("addr", "").lower()),
        ("U58", lambda: codec.amount_of(payer) == codec.amount_of(asked)),
        *_consent_checks(payer),
        ("PN0", lambda: payer.get("type") != "PERSON" or payer.find("Merchant") is None),
    )
    return _first(checks)


def blocks_of(root: codec.Element) -> list[codec.Element]:
    """Return the Data elements of all credentials of a message, in order."""
    return list(root.iterfind(".//Cred/Data"))


def is_block(text: str) -> bool:
    """Say whether this has the outer form of a credential block."""
    return re.fullmatch(r"2\.0\|[A-Za-z0-9+/]+={0,2}", text) is not None


def is_account_request(api: str) -> bool:
    """Say whether the switch passes this request on to the issuer."""
    return api in _ACCOUNT_REQUESTS


def _first(checks: tuple[Check, ...]) -> str:
    return next((code for code, is_met in checks if not is_met()), "")


def _part(envelope: Envelope, name: str) -> codec.Element:
    """Return a part of the message; an empty one, which every check refuses, if it is missing."""
    found = envelope.root.find(name)
    return codec.element(name) if found is None else found


def _has_account(party: codec.Element) -> bool:
    details = [codec.account_detail(party, name) for name in ("IFSC", "ACTYPE", "ACNUM")]
    return all(details)


def _currency(party: codec.Element) -> str:
    amount = party.find("Amount")
    return "" if amount is None else amount.get("curr", "")


def _handle(party: codec.Element) -> str:
    return world.handle_of(party.get("addr", ""))


def _is_of_sender(envelope: Envelope, party: codec.Element) -> bool:
    owner = world.member_of_handle(_handle(party))
    return owner is not None and owner.org_id == envelope.org_id
