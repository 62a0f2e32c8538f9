"""Every message of a payment, met by every fault of the wire, and what must come of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from conformance.case import Case, Role
from conformance.cases.payment import (
    DEEMED,
    OURS,
    REVERSED,
    SUCCEEDED,
    UNSEEN,
    Ending,
    Order,
    Row,
    failed,
)
from conformance.cases.wire_faults import (
    LATE_SECONDS,
    LEAVES_NOTHING,
    WORDS,
    Message,
    in_words,
    ordered,
)
from conformance.numbering import numbered

_SOURCE = "upi-protocol 1.2, 1.6"
_LEG_SECONDS = 15.0
_REVERSAL_SECONDS = 10.0
_CHECK_SECONDS = 92.0

_REVERSED_DEBIT = Ending(
    status="failed", switch="FAILURE", code="U31~XI", payer=0, entries=REVERSED
)
# The reversal never came: the money is still gone, and the day file's RR row brings it back.
_STILL_DEBITED = Ending(
    status="failed", switch="FAILURE", code="U31~XI", payer=-1, entries=REVERSED
)
# On us a credit may have been posted before the debit's reversal refused it: then it is listed.
_UNACKED_CREDIT = Ending(
    status="failed", switch="FAILURE", code="U26", payee=None, entries=REVERSED
)
_CREDITED_DEEMED = Ending(
    status="pending", switch="DEEMED", payer=-1, payee=1, entries=DEEMED.entries
)
_UNCREDITED_DEEMED = Ending(
    status="pending", switch="DEEMED", payer=-1, payee=0, entries=DEEMED.entries
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Message(Message):
    """A message of a payment, and what it takes to have it."""

    payee: str = OURS
    before: Sequence[Order] = ()
    waits_seconds: float = 0


_SILENT_CREDIT = (Order("lose", "in", "RespPay", "CREDIT"),)
_NO_ANSWER = (Order("lose", "out", "RespPay", "PAY"),)

_PAY = _Message(role=Role.PAYER_PSP, direction="in", api="ReqPay", type="PAY")
_AUTH = _Message(role=Role.PAYEE_PSP, direction="out", api="ReqAuthDetails", type="PAY")
_AUTH_ANSWER = _Message(role=Role.PAYEE_PSP, direction="in", api="RespAuthDetails", type="PAY")
_DEBIT = _Message(role=Role.REMITTER, direction="out", api="ReqPay", type="DEBIT")
_DEBIT_ANSWER = _Message(role=Role.REMITTER, direction="in", api="RespPay", type="DEBIT")
_CREDIT = _Message(role=Role.BENEFICIARY, direction="out", api="ReqPay", type="CREDIT")
_CREDIT_ANSWER = _Message(role=Role.BENEFICIARY, direction="in", api="RespPay", type="CREDIT")
_UNDO_DEBIT = _Message(
    role=Role.REMITTER, direction="out", api="ReqPay", type="REVERSAL", sub_type="DEBIT",
    payee="fail.xi@sandbox",
)  # fmt: skip
_UNDO_DEBIT_ANSWER = _Message(
    role=Role.REMITTER, direction="in", api="RespPay", type="REVERSAL", sub_type="DEBIT",
    payee="fail.xi@sandbox",
)  # fmt: skip
_UNDO_CREDIT = _Message(
    role=Role.BENEFICIARY, direction="out", api="ReqPay", type="REVERSAL", sub_type="CREDIT",
    before=_SILENT_CREDIT, waits_seconds=_LEG_SECONDS,
)  # fmt: skip
_UNDO_CREDIT_ANSWER = _Message(
    role=Role.BENEFICIARY, direction="in", api="RespPay", type="REVERSAL", sub_type="CREDIT",
    before=_SILENT_CREDIT, waits_seconds=_LEG_SECONDS,
)  # fmt: skip
_UNDO_UNDONE_CREDIT = _Message(
    role=Role.BENEFICIARY, direction="out", api="ReqPay", type="REVERSAL", sub_type="CREDIT",
    before=(Order("lose", "out", "ReqPay", "CREDIT"),), waits_seconds=_LEG_SECONDS,
)  # fmt: skip
_END = _Message(role=Role.PAYER_PSP, direction="out", api="RespPay", type="PAY")
_CONFIRM = _Message(
    role=Role.PAYEE_PSP, direction="out", api="ReqTxnConfirmation", type="TxnConfirmation"
)
_CONFIRM_ANSWER = _Message(
    role=Role.PAYEE_PSP, direction="in", api="RespTxnConfirmation", type="TxnConfirmation"
)
_CHECK = _Message(
    role=Role.PAYER_PSP, direction="in", api="ReqChkTxn", type="ChkTxn",
    before=_NO_ANSWER, waits_seconds=_CHECK_SECONDS,
)  # fmt: skip
_CHECK_ANSWER = _Message(
    role=Role.PAYER_PSP, direction="out", api="RespChkTxn", type="ChkTxn",
    before=_NO_ANSWER, waits_seconds=_CHECK_SECONDS,
)  # fmt: skip

_U68 = failed("U68", entries=REVERSED)
# message, fault, how it ends, how long that takes at a scale of one
_TABLE: tuple[tuple[_Message, str, Ending, float], ...] = (
    (_PAY, "lose", UNSEEN, 0),
    (_PAY, "unreachable", UNSEEN, 0),
    (_PAY, "lose_ack", SUCCEEDED, 0),
    (_PAY, "nack", Ending(status="failed", switch="", code="U08"), 0),
    (_PAY, "delay", SUCCEEDED, 0),
    (_AUTH, "lose", failed("U09"), _LEG_SECONDS),
    (_AUTH, "unreachable", failed("U18"), 0),
    (_AUTH, "lose_ack", failed("U18"), 0),
    (_AUTH, "delay", SUCCEEDED, 0),
    (_AUTH, "late", failed("U09"), LATE_SECONDS),
    (_AUTH, "duplicate", SUCCEEDED, 0),
    (_AUTH, "repeat", SUCCEEDED, 0),
    (_AUTH_ANSWER, "lose", failed("U09"), _LEG_SECONDS),
    (_AUTH_ANSWER, "unreachable", SUCCEEDED, 2),
    (_AUTH_ANSWER, "lose_ack", SUCCEEDED, 2),
    (_AUTH_ANSWER, "nack", failed("U09"), _LEG_SECONDS),
    (_AUTH_ANSWER, "delay", SUCCEEDED, 0),
    (_AUTH_ANSWER, "late", failed("U09"), LATE_SECONDS),
    (_AUTH_ANSWER, "duplicate", SUCCEEDED, 0),
    (_DEBIT, "lose", failed("U67"), _LEG_SECONDS),
    (_DEBIT, "unreachable", failed("U53"), 0),
    (_DEBIT, "lose_ack", failed("U53"), 0),
    (_DEBIT, "delay", SUCCEEDED, 0),
    (_DEBIT, "late", failed("U67"), LATE_SECONDS),
    (_DEBIT, "duplicate", SUCCEEDED, 0),
    (_DEBIT, "repeat", SUCCEEDED, 0),
    (_DEBIT_ANSWER, "lose", failed("U67"), _LEG_SECONDS),
    (_DEBIT_ANSWER, "unreachable", SUCCEEDED, 2),
    (_DEBIT_ANSWER, "lose_ack", SUCCEEDED, 2),
    (_DEBIT_ANSWER, "nack", failed("U67"), _LEG_SECONDS),
    (_DEBIT_ANSWER, "delay", SUCCEEDED, 0),
    (_DEBIT_ANSWER, "late", failed("U67"), LATE_SECONDS),
    (_DEBIT_ANSWER, "duplicate", SUCCEEDED, 0),
    (_CREDIT, "lose", _U68, _LEG_SECONDS),
    (_CREDIT, "unreachable", failed("U26", entries=REVERSED), 0),
    (_CREDIT, "lose_ack", _UNACKED_CREDIT, 0),
    (_CREDIT, "delay", SUCCEEDED, 0),
    (_CREDIT, "late", _U68, LATE_SECONDS),
    (_CREDIT, "duplicate", SUCCEEDED, 0),
    (_CREDIT, "repeat", SUCCEEDED, 0),
    (_CREDIT_ANSWER, "lose", SUCCEEDED, _LEG_SECONDS),
    (_CREDIT_ANSWER, "unreachable", SUCCEEDED, 2),
    (_CREDIT_ANSWER, "lose_ack", SUCCEEDED, 2),
    (_CREDIT_ANSWER, "nack", SUCCEEDED, _LEG_SECONDS),
    (_CREDIT_ANSWER, "delay", SUCCEEDED, 0),
    (_CREDIT_ANSWER, "late", SUCCEEDED, LATE_SECONDS),
    (_CREDIT_ANSWER, "duplicate", SUCCEEDED, 0),
    (_UNDO_DEBIT, "lose", _STILL_DEBITED, _REVERSAL_SECONDS),
    (_UNDO_DEBIT, "unreachable", _STILL_DEBITED, 0),
    (_UNDO_DEBIT, "lose_ack", _REVERSED_DEBIT, 0),
    (_UNDO_DEBIT, "delay", _REVERSED_DEBIT, 0),
    (_UNDO_DEBIT, "duplicate", _REVERSED_DEBIT, 0),
    (_UNDO_DEBIT, "repeat", _REVERSED_DEBIT, 0),
    (_UNDO_DEBIT_ANSWER, "lose", _REVERSED_DEBIT, _REVERSAL_SECONDS),
    (_UNDO_DEBIT_ANSWER, "unreachable", _REVERSED_DEBIT, 2),
    (_UNDO_DEBIT_ANSWER, "lose_ack", _REVERSED_DEBIT, 2),
    (_UNDO_DEBIT_ANSWER, "nack", _REVERSED_DEBIT, _REVERSAL_SECONDS),
    (_UNDO_DEBIT_ANSWER, "delay", _REVERSED_DEBIT, 0),
    (_UNDO_DEBIT_ANSWER, "duplicate", _REVERSED_DEBIT, 0),
    (_UNDO_CREDIT, "lose", _CREDITED_DEEMED, _REVERSAL_SECONDS),
    (_UNDO_CREDIT, "unreachable", _CREDITED_DEEMED, 0),
    (_UNDO_CREDIT, "lose_ack", _CREDITED_DEEMED, 0),
    (_UNDO_CREDIT, "delay", SUCCEEDED, 0),
    (_UNDO_CREDIT, "duplicate", SUCCEEDED, 0),
    (_UNDO_CREDIT, "repeat", SUCCEEDED, 0),
    (_UNDO_CREDIT_ANSWER, "lose", _CREDITED_DEEMED, _REVERSAL_SECONDS),
    (_UNDO_CREDIT_ANSWER, "unreachable", SUCCEEDED, 2),
    (_UNDO_CREDIT_ANSWER, "lose_ack", SUCCEEDED, 2),
    (_UNDO_CREDIT_ANSWER, "nack", _CREDITED_DEEMED, _REVERSAL_SECONDS),
    (_UNDO_CREDIT_ANSWER, "delay", SUCCEEDED, 0),
    (_UNDO_CREDIT_ANSWER, "duplicate", SUCCEEDED, 0),
    (_UNDO_UNDONE_CREDIT, "lose", _UNCREDITED_DEEMED, _REVERSAL_SECONDS),
    (_UNDO_UNDONE_CREDIT, "unreachable", _UNCREDITED_DEEMED, 0),
    (_UNDO_UNDONE_CREDIT, "delay", _U68, 0),
    (_UNDO_UNDONE_CREDIT, "duplicate", _U68, 0),
    (_UNDO_UNDONE_CREDIT, "repeat", _U68, 0),
    (_END, "lose", SUCCEEDED, _CHECK_SECONDS),
    (_END, "unreachable", SUCCEEDED, 2),
    (_END, "lose_ack", SUCCEEDED, 0),
    (_END, "delay", SUCCEEDED, 1),
    (_END, "duplicate", SUCCEEDED, 0),
    (_END, "repeat", SUCCEEDED, 0),
    (_CONFIRM, "lose", SUCCEEDED, 0),
    (_CONFIRM, "unreachable", SUCCEEDED, 0),
    (_CONFIRM, "lose_ack", SUCCEEDED, 0),
    (_CONFIRM, "delay", SUCCEEDED, 0),
    (_CONFIRM, "duplicate", SUCCEEDED, 0),
    (_CONFIRM, "repeat", SUCCEEDED, 0),
    (_CONFIRM_ANSWER, "lose", SUCCEEDED, 0),
    (_CONFIRM_ANSWER, "unreachable", SUCCEEDED, 0),
    (_CONFIRM_ANSWER, "lose_ack", SUCCEEDED, 0),
    (_CONFIRM_ANSWER, "nack", SUCCEEDED, 0),
    (_CONFIRM_ANSWER, "delay", SUCCEEDED, 0),
    (_CHECK, "lose_ack", SUCCEEDED, 0),
    (_CHECK, "delay", SUCCEEDED, 0),
    (_CHECK_ANSWER, "unreachable", SUCCEEDED, 2),
    (_CHECK_ANSWER, "lose_ack", SUCCEEDED, 0),
    (_CHECK_ANSWER, "duplicate", SUCCEEDED, 0),
)


def _rows() -> Iterator[Row]:
    for message, fault, ending, waits_seconds in _TABLE:
        yield _row(message, fault, ending, waits_seconds)


def _row(message: _Message, fault: str, ending: Ending, waits_seconds: float) -> Row:
    return Row(
        role=message.role,
        title=f"{message.name} {WORDS[fault]}",
        given=in_words(message, fault, message.before, whose=True),
        then=_promise(ending),
        source=_SOURCE,
        payee=message.payee,
        ending=ending,
        orders=(*message.before, ordered(message, fault)),
        waits_seconds=message.waits_seconds + waits_seconds,
        is_clean=fault in LEAVES_NOTHING and not message.before,
    )


def _promise(ending: Ending) -> str:
    payer = {0: "the payer is no poorer", -1: "the payer is debited once"}[ending.payer]
    payee = {0: "the payee no richer", 1: "the payee credited once", None: "no more than once"}
    return f"{ending.told()}, {payer}, {payee[ending.payee]}"


CASES: tuple[Case, ...] = tuple(numbered((row.case() for row in _rows()), first=101))
