"""The payer's PSP towards apps: one key, one payment, and what it refuses."""

import secrets
import uuid
from typing import Any

from conformance.case import AMOUNT_PAISE, Role, Stage
from conformance.declines import expect_code
from conformance.numbering import cases_of
from sandbox.phone import new_transaction_id


def same_key(stage: Stage) -> None:
    """The same key and body again is the same payment, and the money moves once."""
    for person in (stage.payer, stage.payee):
        stage.balance_before(person)
    order, key = stage.payer.order(stage.payee.vpa, AMOUNT_PAISE), str(uuid.uuid4())
    ids = {stage.pay(order, idempotency_key=key)["id"] for _ in range(3)}
    stage.expect("how many payments", found=len(ids), wanted=1)
    shown = stage.shown(order["txn_id"], wanted="succeeded")
    stage.expect("the app shows", found=shown["status"], wanted="succeeded")
    moves = {stage.payer.vpa: -AMOUNT_PAISE, stage.payee.vpa: AMOUNT_PAISE}
    stage.expect_moves(moves, stage.payer, stage.payee)


def same_key_after_end(stage: Stage) -> None:
    """Sent again after its end, a payment shows its end and does not begin anew."""
    stage.balance_before(stage.payer)
    order, key = stage.payer.order("success@sandbox", AMOUNT_PAISE), str(uuid.uuid4())
    stage.pay(order, idempotency_key=key)
    stage.shown(order["txn_id"], wanted="succeeded")
    again = stage.pay(order, idempotency_key=key)
    stage.expect("the app shows", found=again["status"], wanted="succeeded")
    stage.expect_moves({stage.payer.vpa: -AMOUNT_PAISE}, stage.payer)


def other_body(stage: Stage) -> None:
    """Another amount under a used key is refused, and the first payment stands."""
    stage.balance_before(stage.payer)
    key = str(uuid.uuid4())
    order = stage.payer.order("success@sandbox", AMOUNT_PAISE)
    stage.pay(order, idempotency_key=key)
    dearer = stage.payer.order("success@sandbox", AMOUNT_PAISE * 2)
    found = stage.refusal(lambda: stage.pay(dearer, idempotency_key=key))
    stage.expect("the dearer one", found=found, wanted="422 idempotency_mismatch")
    stage.shown(order["txn_id"], wanted="succeeded")
    stage.expect_moves({stage.payer.vpa: -AMOUNT_PAISE}, stage.payer)


def used_transaction_id(stage: Stage) -> None:
    """A Txn.id serves one payment, whatever the key."""
    stage.balance_before(stage.payer)
    order = stage.payer.order("success@sandbox", AMOUNT_PAISE)
    stage.pay(order)
    found = stage.refusal(lambda: stage.pay(order | {"amount": 1_00}))
    stage.expect("the second use", found=found, wanted="409 txn_id_taken")
    stage.shown(order["txn_id"], wanted="succeeded")
    stage.expect_moves({stage.payer.vpa: -AMOUNT_PAISE}, stage.payer)


def swapped_block(stage: Stage) -> None:
    """A PIN that was given for another amount pays nothing (U54)."""
    stage.balance_before(stage.payer)
    order = stage.payer.order("success@sandbox", AMOUNT_PAISE)
    stage.pay(order | {"amount": AMOUNT_PAISE * 3})
    shown = stage.shown(order["txn_id"], wanted="failed")
    expect_code(stage, shown, "U54")
    stage.expect_moves({}, stage.payer)


def swapped_payee(stage: Stage) -> None:
    """A PIN that was given for another payee pays nothing (U54)."""
    stage.balance_before(stage.payer)
    order = stage.payer.order("success@sandbox", AMOUNT_PAISE)
    stage.pay(order | {"payee_vpa": "ravi@smplbank"})
    shown = stage.shown(order["txn_id"], wanted="failed")
    expect_code(stage, shown, "U54")
    stage.expect_moves({}, stage.payer)


def no_such_bank(stage: Stage) -> None:
    """An address whose handle no bank has is refused by the switch (U17)."""
    stage.balance_before(stage.payer)
    order = stage.payer.order("who@nobank", AMOUNT_PAISE)
    stage.pay(order)
    shown = stage.shown(order["txn_id"], wanted="failed")
    expect_code(stage, shown, "U17")
    stage.expect_moves({}, stage.payer)


def refused_orders(stage: Stage) -> None:
    """Orders that are not well formed are refused by a stable code, and none becomes a payment."""
    good = stage.payer.order(stage.payee.vpa, AMOUNT_PAISE)
    table: tuple[tuple[dict[str, Any], str], ...] = (
        ({"amount": 0}, "400 invalid_amount"),
        ({"amount": -1}, "400 invalid_amount"),
        ({"amount": "7.00"}, "400 invalid_amount"),
        ({"amount": 7.5}, "400 invalid_amount"),
        ({"currency": "USD"}, "400 invalid_currency"),
        ({"payee_vpa": "nobody"}, "400 invalid_vpa"),
        ({"payer_vpa": "@exbank"}, "400 invalid_vpa"),
        ({"txn_id": "EXB1"}, "400 invalid_txn_id"),
        ({"txn_id": "SMP" + secrets.token_hex(16)}, "400 invalid_txn_id"),
        ({"pin_block": {}}, "400 invalid_credential"),
        ({"note": "a;b"}, "400 invalid_note"),
        ({"surprise": 1}, "400 unknown_member"),
        ({"account": "acc_" + "0" * 26}, "404 not_found"),
    )
    for change, wanted in table:
        body = good | {"txn_id": new_transaction_id()} | change
        found = stage.refusal(lambda body=body: stage.payer.phone.send_payment(body))  # type: ignore[misc]
        stage.expect(
            f"{next(iter(change))} {next(iter(change.values()))!r}"[:40], found=found, wanted=wanted
        )


def anothers_payment(stage: Stage) -> None:
    """A payment is its payer's: another customer does not find it."""
    order = stage.payer.order("success@sandbox", AMOUNT_PAISE)
    stage.pay(order)
    stage.shown(order["txn_id"], wanted="succeeded")
    found = stage.refusal(lambda: stage.payee.phone.payment(order["txn_id"]))
    stage.expect("the stranger", found=found, wanted="404 not_found")
    stage.forget_balance(stage.payer)


def anothers_account(stage: Stage) -> None:
    """Nobody pays from another's account."""
    order = stage.payer.order("success@sandbox", AMOUNT_PAISE)
    theirs = order | {"account": stage.payee.account_id}
    found = stage.refusal(lambda: stage.pay(theirs))
    stage.expect("the payment", found=found, wanted="404 not_found")


CASES = cases_of(
    Role.PAYER_PSP,
    (
        (same_key, "1.3, 1.6", True),
        (same_key_after_end, "1.3, 1.6", True),
        (other_body, "1.3", True),
        (used_transaction_id, "1.3", True),
        (swapped_block, "5.4", True),
        (swapped_payee, "5.4", True),
        (no_such_bank, "4.7", True),
        (refused_orders, "2.3", True),
        (anothers_payment, "5.7", True),
        (anothers_account, "5.7", True),
    ),
    given="a customer's app",
    when="it sends an order, again, or with something changed",
    first=301,
)
