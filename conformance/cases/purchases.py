"""The merchant's acquirer: orders that are paid once, and what the shop sees of it."""

import uuid
from typing import Any

from conformance.case import AMOUNT_PAISE, Role, Stage
from conformance.cases.remitter import cases_of
from conformance.person import other_pin
from conformance.place import wait_until

_HEARS_SECONDS = 45.0


def _merchant(stage: Stage, method: str, path: str, body: Any = None) -> dict[str, Any]:
    headers = {
        "Authorization": f"Bearer {stage.place.shop()['api_key']}",
        "Idempotency-Key": str(uuid.uuid4()),
    }
    url = stage.place.public_url + path
    response = stage.control.client.request(method, url, json=body, headers=headers)
    response.raise_for_status()
    answer: dict[str, Any] = response.json()
    return answer


def _order(stage: Stage) -> dict[str, Any]:
    body = {"reference": f"C{uuid.uuid4().hex[:12]}", "amount": AMOUNT_PAISE, "currency": "INR"}
    return _merchant(stage, "POST", "/v1/orders", body)


def _buy(stage: Stage, order: dict[str, Any]) -> str:
    paying = stage.payer.order(
        stage.place.shop()["vpa"], AMOUNT_PAISE, reference_id=order["reference"]
    )
    stage.pay(paying)
    shown = stage.shown(paying["txn_id"], wanted="succeeded")
    stage.expect("the app shows", found=shown["status"], wanted="succeeded")
    stage.forget_balance(stage.payer)
    return str(paying["txn_id"])


def _seen(stage: Stage, order: dict[str, Any]) -> str:
    return str(_merchant(stage, "GET", f"/v1/orders/{order['id']}")["status"])


def paid_order(stage: Stage) -> None:
    """An order is paid by the payment that names it, and the shop's webhook is called."""
    order = _order(stage)
    _buy(stage, order)
    stage.expect("the order", found=_seen(stage, order), wanted="paid")
    sink = stage.place.shop()["webhook_url"].rsplit("/", 1)[-1]

    def is_told() -> bool:
        calls = stage.control.call("GET", f"/webhooks/{sink}")["deliveries"]
        return any(order["id"] in call["body"] for call in calls)

    told = wait_until(is_told, seconds=_HEARS_SECONDS)
    stage.expect("the shop is told", found=told, wanted=True)


def unpaid_order(stage: Stage) -> None:
    """A payment that fails pays no order."""
    order = _order(stage)
    paying = stage.payer.order(
        stage.place.shop()["vpa"],
        AMOUNT_PAISE,
        reference_id=order["reference"],
        pin=other_pin(stage.payer.pin),
    )
    stage.pay(paying)
    shown = stage.shown(paying["txn_id"], wanted="failed")
    stage.expect("the app shows", found=shown["status"], wanted="failed")
    stage.expect("the order", found=_seen(stage, order), wanted="created")


def merchants_view(stage: Stage) -> None:
    """The shop sees the payment with its order, and the payer's address masked."""
    order = _order(stage)
    transaction_id = _buy(stage, order)

    def found() -> list[dict[str, Any]]:
        listed = _merchant(stage, "GET", "/v1/payments?limit=50")["data"]
        return [each for each in listed if each["upi"]["txn_id"] == transaction_id]

    is_there = wait_until(
        lambda: any(each["status"] == "succeeded" for each in found()), seconds=_HEARS_SECONDS
    )
    stage.expect("the shop sees it succeeded", found=is_there, wanted=True)
    seen = found()
    stage.expect("its order", found=[each["order"] for each in seen], wanted=[order["id"]])
    shown = [each["upi"]["payer_vpa"] for each in seen]
    stage.expect("the payer is masked", found=stage.payer.vpa in shown, wanted=False)


def from_abroad(stage: Stage) -> None:
    """A customer of the other bank pays an order of our merchant."""
    order = _order(stage)
    body = {
        "payee": stage.place.shop()["vpa"],
        "amount_paise": AMOUNT_PAISE,
        "ref_id": order["reference"],
    }
    transaction_id = stage.control.call("POST", "/payments", body)["txn_id"]
    stage.transaction_ids.append(transaction_id)
    ended = stage.control.payment(transaction_id)
    assert ended is not None, "the switch took the order"
    stage.expect("the switch says", found=ended["status"], wanted="SUCCESS")
    stage.expect("the order", found=_seen(stage, order), wanted="paid")


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
