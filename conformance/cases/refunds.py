"""Refunds: our merchant gives money back, and other banks' merchants give it back to ours."""

import functools
import uuid
from collections.abc import Iterator
from typing import Any

from conformance import script, shop
from conformance.case import AMOUNT_PAISE, Case, Role, Stage
from conformance.cases.payment import NOTHING, PAID, REVERSED, Order, order_faults
from conformance.declines import expect_code, named
from conformance.numbering import Play, cases_of, numbered
from conformance.script import STRANGER, Deal, say, side_of, word
from sandbox import ids

_PART_PAISE = 2_50
_LEG_SECONDS = 15.0
_REVERSAL_SECONDS = 10.0
_CHECK_SECONDS = 92.0
# The refund waits at the switch's door for so long, while its faults are ordered.
_HELD = Order("delay", "in", "ReqPay", "REFUND", seconds=8)
_SILENT_CREDIT = Order("lose", "in", "RespPay", "CREDIT")


def _sold(stage: Stage, *, is_on_us: bool = False, **more: Any) -> dict[str, Any]:
    """Sell something for AMOUNT_PAISE and return the payment as the merchant sees it."""
    order = shop.new_order(stage)
    if is_on_us:
        paying = stage.payer.order(
            stage.place.shop()["vpa"], AMOUNT_PAISE, reference_id=order["reference"]
        )
        stage.pay(paying)
        transaction_id = str(paying["txn_id"])
        stage.shown(transaction_id, wanted="succeeded")
    else:
        transaction_id = shop.paid_from_abroad(stage, order, **more)
    payment = shop.received(stage, transaction_id)
    assert payment is not None, "the merchant sees the payment"
    return payment


def _end(stage: Stage, refund: dict[str, Any], **more: Any) -> dict[str, Any]:
    return shop.ended(stage, f"/v1/refunds/{refund['id']}", **more)


def _expect_back(stage: Stage, refund: dict[str, Any], **more: Any) -> None:
    stage.expect("the refund", found=_end(stage, refund, **more)["status"], wanted="succeeded")
    stage.expect_entries(refund["upi"]["txn_id"], PAID)


def _refusal(stage: Stage, payment_id: str, paise: int | None = None) -> str:
    return stage.refusal(lambda: shop.give_back(stage, payment_id, paise))


def whole(stage: Stage) -> None:
    """A payment goes back whole, and then nothing is left of it to give back."""
    sold = _sold(stage)
    _expect_back(stage, shop.give_back(stage, sold["id"]))
    again = _refusal(stage, sold["id"])
    stage.expect("another refund", found=again, wanted="422 refund_exceeds_payment")


def in_parts(stage: Stage) -> None:
    """A payment goes back in parts, to the paisa and not a paisa more."""
    sold = _sold(stage)
    for paise in (_PART_PAISE, _PART_PAISE):
        _expect_back(stage, shop.give_back(stage, sold["id"], paise))
    left = AMOUNT_PAISE - 2 * _PART_PAISE
    more = _refusal(stage, sold["id"], left + 1)
    stage.expect("a paisa more", found=more, wanted="422 refund_exceeds_payment")
    rest = shop.give_back(stage, sold["id"])
    stage.expect("the rest", found=rest["amount"], wanted=left)
    _expect_back(stage, rest)
    seen = shop.call(stage, "GET", f"/v1/payments/{sold['id']}")
    stage.expect("what went back", found=seen["amount_refunded"], wanted=AMOUNT_PAISE)


def too_much(stage: Stage) -> None:
    """More than was paid does not go back, and nothing of it does."""
    sold = _sold(stage)
    found = _refusal(stage, sold["id"], AMOUNT_PAISE + 1)
    stage.expect("the refund", found=found, wanted="422 refund_exceeds_payment")
    listed = shop.call(stage, "GET", f"/v1/payments/{sold['id']}/refunds")["data"]
    stage.expect("how many refunds", found=len(listed), wanted=0)


def of_a_refund(stage: Stage) -> None:
    """A refund is no payment: it is not given back."""
    refund = shop.give_back(stage, _sold(stage)["id"])
    _expect_back(stage, refund)
    found = _refusal(stage, refund["id"])
    stage.expect("its refund", found=found, wanted="404 not_found")


def of_a_failure(stage: Stage) -> None:
    """What was not paid is not given back."""
    sold = _sold(stage, wrong_pin=True)
    stage.expect("the payment", found=sold["status"], wanted="failed")
    found = _refusal(stage, sold["id"])
    stage.expect("its refund", found=found, wanted="409 payment_not_refundable")


def same_key(stage: Stage) -> None:
    """The same key and body again is the same refund; another body under it is refused."""
    sold, key = _sold(stage), str(uuid.uuid4())
    made = [shop.give_back(stage, sold["id"], _PART_PAISE, key=key) for _ in range(2)]
    stage.expect("how many refunds", found=len({each["id"] for each in made}), wanted=1)
    other = stage.refusal(lambda: shop.give_back(stage, sold["id"], 1, key=key))
    stage.expect("another body", found=other, wanted="422 idempotency_mismatch")
    _expect_back(stage, made[0])


def to_our_customer(stage: Stage) -> None:
    """Our customer has the money back in the account from which it was paid."""
    stage.balance_before(stage.payer)
    sold = _sold(stage, is_on_us=True)
    _expect_back(stage, shop.give_back(stage, sold["id"], _PART_PAISE))
    stage.expect_moves({stage.payer.vpa: _PART_PAISE - AMOUNT_PAISE}, stage.payer)


def without_pin(stage: Stage) -> None:
    """A debit without a PIN that belongs to no refund of ours is refused (U51)."""
    deal = Deal(payer=side_of(stage, stage.payer), payee=STRANGER)
    stage.balance_before(stage.payer)
    found = word(say(stage, script.refund_debit(deal)))
    stage.expect("the debit", found=found, wanted="Ack U51")
    stage.expect_moves({}, stage.payer)


# role, what happens, the faults of an on-us refund, its code (DEEMED: no end), entries, waiting
_FAULTS: tuple[tuple[Role, str, tuple[Order, ...], str, tuple[str, ...], float], ...] = (
    (Role.REMITTER, "ReqPay DEBIT comes twice", (
        Order("duplicate", "out", "ReqPay", "DEBIT"),), "", PAID, 0),
    (Role.REMITTER, "ReqPay DEBIT comes again under a new message id", (
        Order("repeat", "out", "ReqPay", "DEBIT"),), "", PAID, 0),
    (Role.REMITTER, "ReqPay DEBIT is lost", (
        Order("lose", "out", "ReqPay", "DEBIT"),), "U67", NOTHING, _LEG_SECONDS),
    (Role.REMITTER, "RespPay DEBIT is lost", (
        Order("lose", "in", "RespPay", "DEBIT"),), "U67", NOTHING, _LEG_SECONDS),
    (Role.BENEFICIARY, "ReqPay CREDIT comes twice", (
        Order("duplicate", "out", "ReqPay", "CREDIT"),), "", PAID, 0),
    (Role.BENEFICIARY, "ReqPay CREDIT comes again under a new message id", (
        Order("repeat", "out", "ReqPay", "CREDIT"),), "", PAID, 0),
    (Role.BENEFICIARY, "ReqPay CREDIT finds nobody at the other end", (
        Order("unreachable", "out", "ReqPay", "CREDIT"),), "U26", REVERSED, 0),
    (Role.BENEFICIARY, "ReqPay CREDIT is lost", (
        Order("lose", "out", "ReqPay", "CREDIT"),), "U68", REVERSED, _LEG_SECONDS),
    (Role.BENEFICIARY, "RespPay CREDIT is lost", (_SILENT_CREDIT,), "", PAID, _LEG_SECONDS),
    (Role.BENEFICIARY, "neither RespPay CREDIT nor its reversal arrives", (
        _SILENT_CREDIT, Order("lose", "out", "ReqPay", "REVERSAL", "CREDIT"),
    ), "DEEMED", PAID, _LEG_SECONDS + _REVERSAL_SECONDS),
    (Role.PAYER_PSP, "RespPay REFUND comes twice", (
        Order("duplicate", "out", "RespPay", "REFUND"),), "", PAID, 0),
    (Role.PAYER_PSP, "RespPay REFUND is lost", (
        Order("lose", "out", "RespPay", "REFUND"),), "", PAID, _CHECK_SECONDS),
)  # fmt: skip
_LEAVES_NOTHING = {"duplicate", "repeat"}
_DEEMED = "DEEMED"


def _rows() -> Iterator[Case]:
    for role, event, orders, code, entries, waits_seconds in _FAULTS:
        if code == _DEEMED:
            then = "the refund stays pending, for the switch deems it credited"
        else:
            then = f"the refund fails with {named(code)}" if code else "the refund succeeds once"
        yield Case(
            id="",
            role=role,
            title=f"Refund: {event}",
            given=f"a payment of our customer to our merchant; of its refund {event}",
            when="the merchant gives a part of it back",
            then=f"{then}, and the customer's balance says the same",
            source="upi-protocol 1.6, 7.8",
            play=functools.partial(
                _play, orders=orders, code=code, entries=entries, waits_seconds=waits_seconds
            ),
            waits_seconds=waits_seconds + _HELD.seconds,
            is_clean={order.action for order in orders} <= _LEAVES_NOTHING,
        )


def _play(
    stage: Stage,
    *,
    orders: tuple[Order, ...],
    code: str,
    entries: tuple[str, ...],
    waits_seconds: float,
) -> None:
    stage.balance_before(stage.payer)
    sold = _sold(stage, is_on_us=True)
    order_faults(stage, sold["upi"]["txn_id"], _HELD)
    refund = shop.give_back(stage, sold["id"], _PART_PAISE)
    order_faults(stage, refund["upi"]["txn_id"], *orders)
    if code == _DEEMED:
        ended = stage.control.payment(refund["upi"]["txn_id"]) or {}
        stage.expect("the switch says", found=ended.get("status"), wanted=_DEEMED)
        shown = _end(stage, refund, wanted="pending")
        stage.expect("the refund", found=shown["status"], wanted="pending")
    else:
        shown = _end(stage, refund, waits_seconds=waits_seconds + _HELD.seconds)
        wanted = "failed" if code else "succeeded"
        stage.expect("the refund", found=shown["status"], wanted=wanted)
        expect_code(stage, shown, code, who="the merchant")
    stage.expect_entries(refund["upi"]["txn_id"], entries)
    is_back = not code or code == _DEEMED
    moves = {stage.payer.vpa: (_PART_PAISE if is_back else 0) - AMOUNT_PAISE}
    stage.expect_moves(moves, stage.payer)


def _bought(stage: Stage) -> str:
    """Let our customer buy at a shop of another bank, and return the Txn.id."""
    order = stage.payer.order("store1@smplbank", AMOUNT_PAISE)
    stage.pay(order)
    shown = stage.shown(order["txn_id"], wanted="succeeded")
    stage.expect("the purchase", found=shown["status"], wanted="succeeded")
    return str(order["txn_id"])


def _from_abroad(
    stage: Stage, bought: str, paise: int | None = None, *orders: Order
) -> dict[str, Any]:
    """Let the shop of the other bank give so much back, and return how the switch ended it."""
    transaction_id = ids.new_id("SMP")
    stage.transaction_ids.append(transaction_id)
    order_faults(stage, transaction_id, *orders)
    body = {"txn_id": bought, "refund_txn_id": transaction_id}
    stage.control.call(
        "POST", "/refunds", body if paise is None else body | {"amount_paise": paise}
    )
    ended = stage.control.payment(transaction_id)
    assert ended is not None, "the switch took the order"
    return ended


def whole_from_abroad(stage: Stage) -> None:
    """What another bank's merchant gives back reaches our customer, once and no more."""
    stage.balance_before(stage.payer)
    bought = _bought(stage)
    stage.expect("the refund", found=_from_abroad(stage, bought)["status"], wanted="SUCCESS")
    again = _from_abroad(stage, bought)
    stage.expect("another refund", found=again["code"], wanted="U57")
    stage.expect_moves({}, stage.payer)


def parts_from_abroad(stage: Stage) -> None:
    """Two parts from another bank's merchant are two credits of our customer."""
    stage.balance_before(stage.payer)
    bought = _bought(stage)
    for _ in range(2):
        ended = _from_abroad(stage, bought, _PART_PAISE)
        stage.expect("a part", found=ended["status"], wanted="SUCCESS")
    stage.expect_moves({stage.payer.vpa: 2 * _PART_PAISE - AMOUNT_PAISE}, stage.payer)


def _credit_met(stage: Stage, *orders: Order, status: str, is_back: bool) -> None:
    stage.balance_before(stage.payer)
    ended = _from_abroad(stage, _bought(stage), None, *orders)
    stage.expect("the switch says", found=ended["status"], wanted=status)
    stage.expect_moves({stage.payer.vpa: 0 if is_back else -AMOUNT_PAISE}, stage.payer)


def credit_repeated(stage: Stage) -> None:
    """The credit of a refund that comes again under a new message id is posted once."""
    order = Order("repeat", "out", "ReqPay", "CREDIT")
    _credit_met(stage, order, status="SUCCESS", is_back=True)


def credit_lost(stage: Stage) -> None:
    """A refund whose credit never came is undone: the customer has nothing more (U68)."""
    order = Order("lose", "out", "ReqPay", "CREDIT")
    _credit_met(stage, order, status="FAILURE", is_back=False)


def answer_lost(stage: Stage) -> None:
    """A credit whose answer was lost is kept by its reversal: the refund stands."""
    _credit_met(stage, _SILENT_CREDIT, status="SUCCESS", is_back=True)


def deemed(stage: Stage) -> None:
    """A credit that was posted stays posted when the switch deems it so."""
    undo = Order("lose", "in", "RespPay", "REVERSAL", "CREDIT")
    _credit_met(stage, _SILENT_CREDIT, undo, status="DEEMED", is_back=True)


CASES = (
    *cases_of(
        Role.PAYEE_PSP,
        (
            Play(whole, "7.8"),
            Play(in_parts, "7.8"),
            Play(too_much, "7.8"),
            Play(of_a_refund, "7.8"),
            Play(of_a_failure, "7.8"),
            Play(same_key, "1.3, 7.8"),
            Play(to_our_customer, "7.8"),
        ),
        given="a payment to our merchant",
        when="the merchant gives it back with POST /v1/payments/{id}/refunds",
        first=901,
        about="Refund",
    ),
    *cases_of(
        Role.REMITTER,
        (Play(without_pin, "4.7, 7.8"),),
        given="an account of this bank",
        when="the switch sends ReqPay DEBIT of sub type REFUND",
        first=951,
        about="Refund",
    ),
    *cases_of(
        Role.BENEFICIARY,
        (
            Play(whole_from_abroad, "7.8"),
            Play(parts_from_abroad, "7.8"),
            Play(credit_repeated, "1.6, 7.8"),
            Play(credit_lost, "1.6, 7.8", is_clean=False, waits_seconds=_LEG_SECONDS),
            Play(answer_lost, "1.6, 7.8", is_clean=False, waits_seconds=_LEG_SECONDS),
            Play(
                deemed, "1.6, 7.8", is_clean=False,
                waits_seconds=_LEG_SECONDS + _REVERSAL_SECONDS,
            ),
        ),
        given="a payment of our customer to a merchant of another bank",
        when="that merchant gives it back",
        first=951,
        about="Refund",
    ),
    *numbered(_rows(), first=901),
)  # fmt: skip
