"""The seed's merchant, who uses the merchant API with its key."""

import uuid
from typing import Any

from conformance.case import AMOUNT_PAISE, Stage
from sandbox import ids
from sandbox.phone import RefusedError

_FINAL = "final"
_LISTED = 100


def call(
    stage: Stage, method: str, path: str, body: dict[str, Any] | None = None, *, key: str = ""
) -> dict[str, Any]:
    """Call the merchant API, with a key of its own unless one is given. Raises RefusedError."""
    headers = {
        "Authorization": f"Bearer {stage.place.shop()['api_key']}",
        "Idempotency-Key": key or str(uuid.uuid4()),
    }
    url = stage.place.public_url + path
    response = stage.control.client.request(method, url, json=body, headers=headers)
    answer: dict[str, Any] = response.json() if response.content else {}
    if response.is_error:
        raise RefusedError(response.status_code, answer)
    return answer


def new_order(stage: Stage, amount_paise: int = AMOUNT_PAISE) -> dict[str, Any]:
    """Open an order for so much."""
    body = {"reference": f"C{uuid.uuid4().hex[:12]}", "amount": amount_paise, "currency": "INR"}
    return call(stage, "POST", "/v1/orders", body)


def status_of(stage: Stage, order: dict[str, Any]) -> str:
    """Return how an order stands."""
    return str(call(stage, "GET", f"/v1/orders/{order['id']}")["status"])


def ask(
    stage: Stage, order: dict[str, Any], payer: str, *, minutes: int = 20, key: str = ""
) -> dict[str, Any]:
    """Ask a payer for an order by a collect; it is part of the case's evidence."""
    body = {"order": order["id"], "payer_vpa": payer, "expires_in_minutes": minutes}
    collect = call(stage, "POST", "/v1/collects", body, key=key)
    stage.transaction_ids.append(collect["upi"]["txn_id"])
    return collect


def give_back(
    stage: Stage, payment_id: str, amount_paise: int | None = None, *, key: str = ""
) -> dict[str, Any]:
    """Give back so much of a payment, or what is left of it; it is part of the evidence."""
    body = {} if amount_paise is None else {"amount": amount_paise}
    refund = call(stage, "POST", f"/v1/payments/{payment_id}/refunds", body, key=key)
    stage.transaction_ids.append(refund["upi"]["txn_id"])
    return refund


def ended(stage: Stage, path: str, *, wanted: str = "", waits_seconds: float = 0) -> dict[str, Any]:
    """Return a collect or a refund once it is final, or stands as wanted."""
    return stage.until(
        lambda: call(stage, "GET", path),
        lambda shown: shown["finality"] == _FINAL or shown["status"] == wanted,
        waits_seconds=waits_seconds,
    )


def received(stage: Stage, transaction_id: str) -> dict[str, Any] | None:
    """Return a payment to the shop once it has ended; None if the shop does not hear of it."""

    def look() -> dict[str, Any] | None:
        listed = call(stage, "GET", f"/v1/payments?limit={_LISTED}")["data"]
        found = [each for each in listed if each["upi"]["txn_id"] == transaction_id]
        return found[0] if found else None

    return stage.until(look, lambda shown: shown is not None and shown["finality"] == _FINAL)


def paid_from_abroad(stage: Stage, order: dict[str, Any], **more: Any) -> str:
    """Let a customer of another bank pay an order, and return its Txn.id once that has ended."""
    transaction_id = ids.new_id("SMP")
    stage.transaction_ids.append(transaction_id)
    body = {
        "payee": stage.place.shop()["vpa"],
        "amount_paise": order["amount"],
        "ref_id": order["reference"],
        "txn_id": transaction_id,
    }
    stage.control.call("POST", "/payments", body | more)
    stage.control.payment(transaction_id)
    return transaction_id
