"""Every message of a collect, met by faults of the wire, and what must come of it."""

import functools
from collections.abc import Iterator

from conformance import shop
from conformance.case import AMOUNT_PAISE, Case, Role, Stage
from conformance.cases.asking import Asking
from conformance.cases.payment import (
    DEEMED,
    NOTHING,
    PAID,
    REVERSED,
    Ending,
    Order,
    failed,
    order_faults,
)
from conformance.cases.wire_faults import (
    LATE_SECONDS,
    LEAVES_NOTHING,
    WORDS,
    Message,
    in_words,
    ordered,
)
from conformance.declines import expect_code, named
from conformance.numbering import numbered

_LEG_SECONDS = 15.0
_REVERSAL_SECONDS = 10.0
_CHECK_SECONDS = 92.0
# A collect lives a minute at least, and the bank keeps to the clock whatever the scale.
_EXPIRES_SECONDS = 60.0
_ORDER_STATUS = {"succeeded": "paid", "failed": "created"}


_CONSENT = Message(Role.PAYER_PSP, "in", "RespAuthDetails", "COLLECT")
_DEBIT = Message(Role.REMITTER, "out", "ReqPay", "DEBIT", "COLLECT")
_DEBIT_ANSWER = Message(Role.REMITTER, "in", "RespPay", "DEBIT", "COLLECT")
_CREDIT = Message(Role.BENEFICIARY, "out", "ReqPay", "CREDIT", "COLLECT")
_CREDIT_ANSWER = Message(Role.BENEFICIARY, "in", "RespPay", "CREDIT", "COLLECT")
_UNDO_CREDIT = Message(Role.BENEFICIARY, "out", "ReqPay", "REVERSAL", "CREDIT")
_END = Message(Role.PAYEE_PSP, "out", "RespPay", "COLLECT")
_CONFIRM = Message(Role.PAYER_PSP, "out", "ReqTxnConfirmation", "TxnConfirmation")

_PAID = Ending(status="succeeded", switch="SUCCESS", payer=-1, entries=PAID)
_DEEMED = Ending(status="pending", switch="DEEMED", payer=-1, entries=DEEMED.entries)
_SILENT_CREDIT = Order("lose", "in", "RespPay", "CREDIT")

# message, fault, how it ends, how long that takes at a scale of one, what went wrong before
_TABLE: tuple[tuple[Message, str, Ending, float, tuple[Order, ...]], ...] = (
    (_CONSENT, "lose", failed("U69"), _EXPIRES_SECONDS, ()),
    (_CONSENT, "nack", failed("U69"), _EXPIRES_SECONDS, ()),
    (_CONSENT, "unreachable", _PAID, 2, ()),
    (_CONSENT, "lose_ack", _PAID, 2, ()),
    (_CONSENT, "delay", _PAID, 0, ()),
    (_CONSENT, "duplicate", _PAID, 0, ()),
    (_DEBIT, "lose", failed("U67"), _LEG_SECONDS, ()),
    (_DEBIT, "unreachable", failed("U53"), 0, ()),
    (_DEBIT, "lose_ack", failed("U53"), 0, ()),
    (_DEBIT, "delay", _PAID, 0, ()),
    (_DEBIT, "late", failed("U67"), LATE_SECONDS, ()),
    (_DEBIT, "duplicate", _PAID, 0, ()),
    (_DEBIT, "repeat", _PAID, 0, ()),
    (_DEBIT_ANSWER, "lose", failed("U67"), _LEG_SECONDS, ()),
    (_DEBIT_ANSWER, "unreachable", _PAID, 2, ()),
    (_DEBIT_ANSWER, "lose_ack", _PAID, 2, ()),
    (_DEBIT_ANSWER, "duplicate", _PAID, 0, ()),
    (_CREDIT, "lose", failed("U68", entries=REVERSED), _LEG_SECONDS, ()),
    (_CREDIT, "unreachable", failed("U26", entries=REVERSED), 0, ()),
    (_CREDIT, "delay", _PAID, 0, ()),
    (_CREDIT, "late", failed("U68", entries=REVERSED), LATE_SECONDS, ()),
    (_CREDIT, "duplicate", _PAID, 0, ()),
    (_CREDIT, "repeat", _PAID, 0, ()),
    (_CREDIT_ANSWER, "lose", _PAID, _LEG_SECONDS, ()),
    (_CREDIT_ANSWER, "lose_ack", _PAID, 2, ()),
    (_CREDIT_ANSWER, "duplicate", _PAID, 0, ()),
    (_UNDO_CREDIT, "lose", _DEEMED, _LEG_SECONDS + _REVERSAL_SECONDS, (_SILENT_CREDIT,)),
    (_UNDO_CREDIT, "repeat", _PAID, _LEG_SECONDS, (_SILENT_CREDIT,)),
    (_END, "lose", _PAID, _EXPIRES_SECONDS + _CHECK_SECONDS, ()),
    (_END, "unreachable", _PAID, 2, ()),
    (_END, "lose_ack", _PAID, 0, ()),
    (_END, "delay", _PAID, 1, ()),
    (_END, "duplicate", _PAID, 0, ()),
    (_END, "repeat", _PAID, 0, ()),
    (_CONFIRM, "lose", _PAID, _CHECK_SECONDS, ()),
    (_CONFIRM, "unreachable", _PAID, _CHECK_SECONDS, ()),
    (_CONFIRM, "lose_ack", _PAID, 0, ()),
    (_CONFIRM, "delay", _PAID, 1, ()),
    (_CONFIRM, "duplicate", _PAID, 0, ()),
    (_CONFIRM, "repeat", _PAID, 0, ()),
)


def _cases() -> Iterator[Case]:
    for message, fault, ending, waits_seconds, before in _TABLE:
        moved = "is debited once" if ending.payer else "is no poorer"
        yield Case(
            id="",
            role=message.role,
            title=f"Collect: {message.name} {WORDS[fault]}",
            given=in_words(message, fault, before),
            when="our merchant asks our customer, who agrees",
            then=f"{ending.told()}, the payer {moved}, and the merchant sees the same",
            source="upi-protocol 1.5, 1.6",
            play=functools.partial(
                _play,
                orders=(*before, ordered(message, fault)),
                row=ending,
                waits_seconds=waits_seconds,
            ),
            waits_seconds=waits_seconds,
            is_clean=fault in LEAVES_NOTHING and not before,
        )


def _play(stage: Stage, *, orders: tuple[Order, ...], row: Ending, waits_seconds: float) -> None:
    stage.balance_before(stage.payer)
    bought = shop.new_order(stage)
    collect = shop.ask(stage, bought, stage.payer.vpa, minutes=1)
    transaction_id = collect["upi"]["txn_id"]
    # The switch waits for the customer, so that each fault is ordered before its message.
    asked = stage.until(lambda: _asked(stage, transaction_id), bool)
    order_faults(stage, transaction_id, *orders)
    payer = stage.payer
    payer.phone.approve_collect(asked, account_id=payer.account_id, pin=payer.pin)
    ended = stage.control.payment(transaction_id) or {}
    stage.expect("the switch says", found=ended.get("status"), wanted=row.switch)
    shown = stage.shown(transaction_id, wanted=row.status, waits_seconds=waits_seconds)
    stage.expect("the app shows", found=shown["status"], wanted=row.status)
    expect_code(stage, shown, row.code)
    seen = shop.ended(
        stage, f"/v1/collects/{collect['id']}", wanted=row.status, waits_seconds=waits_seconds
    )
    stage.expect("the merchant is shown", found=seen["status"], wanted=row.status)
    expect_code(stage, seen, row.code, who="the merchant")
    if row.status in _ORDER_STATUS:
        paid = shop.status_of(stage, bought)
        stage.expect("the order", found=paid, wanted=_ORDER_STATUS[row.status])
    stage.expect_entries(transaction_id, row.entries)
    stage.expect_moves({payer.vpa: row.payer * AMOUNT_PAISE}, payer)


def _asked(stage: Stage, transaction_id: str) -> dict[str, object]:
    found = stage.payer.phone.collects()
    return next((each for each in found if each["txn_id"] == transaction_id), {})


# fault of the question itself, the code with which it then fails, how long that takes
_ASKING = (
    ("lose", "U69", _EXPIRES_SECONDS),
    ("unreachable", "U18", 0.0),
    ("lose_ack", "U18", 0.0),
    ("delay", "", 0.0),
    ("duplicate", "", 0.0),
    ("repeat", "", 0.0),
)


def _cases_of_asking() -> Iterator[Case]:
    message = Message(Role.PAYER_PSP, "out", "ReqAuthDetails", "COLLECT")
    for fault, code, waits_seconds in _ASKING:
        then = f"it fails with {named(code)}, and nobody pays" if code else "it is paid once"
        yield Case(
            id="",
            role=Role.PAYER_PSP,
            title=f"Collect: {message.name} {WORDS[fault]}",
            given=in_words(message, fault),
            when="a merchant of another bank asks our customer, who agrees if asked",
            then=then,
            source="upi-protocol 1.5, 1.6",
            play=functools.partial(_play_asking, order=ordered(message, fault), code=code),
            waits_seconds=waits_seconds,
            is_clean=fault in LEAVES_NOTHING,
        )


def _play_asking(stage: Stage, *, order: Order, code: str) -> None:
    stage.balance_before(stage.payer)
    asking = Asking(stage, minutes=1 if code else 30).fault(order).send()
    if code:
        ended = stage.control.payment(asking.transaction_id) or {}
        stage.expect("the switch's code", found=ended.get("code"), wanted=code)
        stage.expect_entries(asking.transaction_id, NOTHING)
        stage.expect_moves({}, stage.payer)
        return
    asking.approve()
    asking.expect("succeeded")
    stage.expect_moves({stage.payer.vpa: -AMOUNT_PAISE}, stage.payer)


CASES: tuple[Case, ...] = tuple(numbered((*_cases(), *_cases_of_asking()), first=801))
