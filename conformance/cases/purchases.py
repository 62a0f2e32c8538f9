"""The merchant's acquirer: orders that are paid once, and what the shop sees of it."""

from typing import Any

from conformance import shop
from conformance.case import AMOUNT_PAISE, Role, Stage
from conformance.numbering import cases_of
from conformance.person import other_pin
from conformance.place import wait_until

_HEARS_SECONDS = 45.0


def _buy(stage: Stage, order: dict[str, Any]) -> str:
    paying = stage.payer.order(
        stage.place.shop()["vpa"], AMOUNT_PAISE, reference_id=order["reference"]
    )
    stage.pay(paying)
    shown = stage.shown(paying["txn_id"], wanted="succeeded")
    stage.expect("the app shows", found=shown["status"], wanted="succeeded")
    stage.forget_balance(stage.payer)
    return str(paying["txn_id"])


def paid_order(stage: Stage) -> None:
    """An order is paid by the payment that names it, and the shop's webhook is called."""
    order = shop.new_order(stage)
    _buy(stage, order)
    stage.expect("the order", found=shop.status_of(stage, order), wanted="paid")
    sink = stage.place.shop()["webhook_url"].rsplit("/", 1)[-1]

    def is_told() -> bool:
        calls = stage.control.call("GET", f"/webhooks/{sink}")["deliveries"]
        return any(order["id"] in call["body"] for call in calls)

    told = wait_until(is_told, seconds=_HEARS_SECONDS)
    stage.expect("the shop is told", found=told, wanted=True)


def unpaid_order(stage: Stage) -> None:
    """A payment that fails pays no order."""
    order = shop.new_order(stage)
    paying = stage.payer.order(
        stage.place.shop()["vpa"],
        AMOUNT_PAISE,
        reference_id=order["reference"],
        pin=other_pin(stage.payer.pin),
    )
    stage.pay(paying)
    shown = stage.shown(paying["txn_id"], wanted="failed")
    stage.expect("the app shows", found=shown["status"], wanted="failed")
    stage.expect("the order", found=shop.status_of(stage, order), wanted="created")


def merchants_view(stage: Stage) -> None:
    """The shop sees the payment with its order, and the payer's address masked."""
    order = shop.new_order(stage)
    transaction_id = _buy(stage, order)

    seen = shop.received(stage, transaction_id) or {"upi": {}}
    stage.expect("the shop sees it", found=seen.get("status"), wanted="succeeded")
    stage.expect("its order", found=seen.get("order"), wanted=order["id"])
    payer = seen["upi"].get("payer_vpa", "")
    stage.expect("the payer is masked", found="*" in payer, wanted=True)
    stage.expect("the payer is not named", found=payer == stage.payer.vpa, wanted=False)


def from_abroad(stage: Stage) -> None:
    """A customer of the other bank pays an order of our merchant."""
    order = shop.new_order(stage)
    ended = stage.control.payment(shop.paid_from_abroad(stage, order))
    assert ended is not None, "the switch took the order"
    stage.expect("the switch says", found=ended["status"], wanted="SUCCESS")
    stage.expect("the order", found=shop.status_of(stage, order), wanted="paid")


CASES = cases_of(
    Role.PAYEE_PSP,
    (
        (paid_order, "1.4", True),
        (unpaid_order, "1.4", True),
        (merchants_view, "1.4", True),
        (from_abroad, "1.4", True),
    ),
    given="a merchant of this bank with an order",
    when="somebody pays it",
    first=401,
)
