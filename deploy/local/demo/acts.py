"""The acts: each kind of payment that the bank takes part in, and some that go wrong."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deploy.local.demo import timeline
from deploy.local.demo.page import Page
from deploy.local.demo.stage import Customer, Stage
from sandbox.phone import RefusedError

_HURRY_SCALE = 0.2
_KILLED_AT = "debit.posted"
_PRICE_PAISE = 799_00
# What it cost, and that nothing of it went back.
_WHOLE_SALE = (_PRICE_PAISE, 0)


@dataclass(frozen=True, slots=True)
class Act:
    """A title and what happens under it."""

    title: str
    play: Callable[[Stage, Page], None]


def on_us(stage: Stage, page: Page) -> None:
    """Pay from one customer of the bank to another: all four legs, through the switch."""
    payment = stage["asha"].pay(stage["ravi"].vpa, 149_50, note="lunch")
    _show(page, payment, status="succeeded")


def to_the_other_bank(stage: Stage, page: Page) -> None:
    """Pay to a customer of the other bank: two legs are ours."""
    payment = stage["asha"].pay("ravi@smplbank", 500_00, note="rent")
    _show(page, payment, status="succeeded")


def from_the_other_bank(stage: Stage, page: Page) -> None:
    """Be paid by a customer of the other bank."""
    order = {"payee": stage["meera"].vpa, "amount_paise": 250_00, "payer": "ravi@smplbank"}
    txn_id = stage.control("POST", "/payments", order)["txn_id"]
    ended = stage.control("GET", f"/payments/{txn_id}?wait=30")
    page.expect("the switch calls it a success", found=ended["status"], wanted="SUCCESS")
    timeline.show(page, txn_id)


def purchase(stage: Stage, page: Page) -> None:
    """Buy from a merchant: an order's signed QR code is paid once, and the merchant hears of it."""
    order = stage.merchant(
        "POST",
        "/v1/orders",
        {
            "reference": f"INV-{uuid.uuid4().hex[:8]}",
            "amount": _PRICE_PAISE,
            "currency": "INR",
        },
        **{"Idempotency-Key": str(uuid.uuid4())},
    )
    link = stage.merchant("POST", "/v1/intents", {"order": order["id"]})["uri"]
    meera = stage["meera"]
    shown = meera.phone.scan(link)
    page.expect("its QR code is signed", found=shown["signature"]["status"], wanted="verified")
    accepted = meera.phone.pay_scanned(
        shown, account_id=meera.account_id, payer=meera.vpa, pin=meera.pin
    )
    _show(page, meera.phone.wait_payment(accepted["txn_id"]), status="succeeded")
    paid = stage.merchant("GET", f"/v1/orders/{order['id']}")
    page.expect("the order is paid", found=paid["status"], wanted="paid")
    page.expect(
        "the code is not paid twice", found=_refused_scan(meera, link), wanted="already_paid"
    )
    page.expect(
        "the merchant's webhook was called",
        found=stage.wait_for(lambda: _has_webhook(stage, order["id"]), seconds=20),
        wanted=True,
    )


def refund(stage: Stage, page: Page) -> None:
    """Give a part of a purchase back: one message of the merchant, and nobody's PIN."""
    payment = _sale(stage)
    if payment is None:
        purchase(stage, page)
        payment = _sale(stage)
    assert payment is not None, "it was bought just now"
    before = timeline.balance_paise(stage["meera"].account_id)
    asked = stage.merchant(
        "POST",
        f"/v1/payments/{payment['id']}/refunds",
        {"amount": 299_00, "reference": f"RET-{uuid.uuid4().hex[:8]}"},
        **{"Idempotency-Key": str(uuid.uuid4())},
    )
    ended = _end_of(stage, f"/v1/refunds/{asked['id']}")
    timeline.show(page, ended["upi"]["txn_id"])
    page.expect("the refund succeeded", found=ended["status"], wanted="succeeded")
    page.expect(
        "the customer has it back",
        found=timeline.balance_paise(stage["meera"].account_id) - before,
        wanted=299_00,
    )
    shown = stage.merchant("GET", f"/v1/payments/{payment['id']}")
    page.expect("the payment shows it", found=shown["amount_refunded"], wanted=299_00)


def collect(stage: Stage, page: Page) -> None:
    """Be asked for money by a merchant of the bank: the customer agrees by the PIN."""
    order = stage.merchant(
        "POST",
        "/v1/orders",
        {"reference": f"COL-{uuid.uuid4().hex[:8]}", "amount": 150_00, "currency": "INR"},
        **{"Idempotency-Key": str(uuid.uuid4())},
    )
    asked = stage.merchant(
        "POST",
        "/v1/collects",
        {"order": order["id"], "payer_vpa": stage["ravi"].vpa},
        **{"Idempotency-Key": str(uuid.uuid4())},
    )
    ravi, txn_id = stage["ravi"], asked["upi"]["txn_id"]
    is_asked = stage.wait_for(lambda: any(_is_open(each, txn_id) for each in ravi.phone.collects()))
    page.expect("the customer's app shows the request", found=is_asked, wanted=True)
    shown = next(each for each in ravi.phone.collects() if each["txn_id"] == txn_id)
    ravi.phone.approve_collect(shown, account_id=ravi.account_id, pin=ravi.pin)
    payment = ravi.phone.wait_payment(txn_id)
    _show(page, payment, status="succeeded")
    ended = _end_of(stage, f"/v1/collects/{asked['id']}")
    page.expect("the merchant's collect succeeded", found=ended["status"], wanted="succeeded")
    paid = stage.merchant("GET", f"/v1/orders/{order['id']}")
    page.expect("the order is paid", found=paid["status"], wanted="paid")


def wrong_pin(stage: Stage, page: Page) -> None:
    """Pay with a wrong PIN: the token says no, and one of three tries is gone."""
    payment = stage["ravi"].pay(stage["asha"].vpa, 10_00, pin="111111")
    _show(page, payment, status="failed", upi_code="U30~ZM")


def empty_account(stage: Stage, page: Page) -> None:
    """Pay from an account with nothing in it."""
    payment = stage["kiran"].pay(stage["asha"].vpa, 10_00)
    _show(page, payment, status="failed", upi_code="U30~Z9")


def credit_request_lost(stage: Stage, page: Page) -> None:
    """Lose ReqPay(CREDIT): we never saw it, so the debit is given back."""
    lost = {"match": {"direction": "out", "api": "ReqPay", "type": "CREDIT"}, "action": "lose"}
    before = timeline.balance_paise(stage["asha"].account_id)
    with stage.hurried_switch(_HURRY_SCALE), stage.faults(lost):
        payment = stage["asha"].pay(stage["ravi"].vpa, 75_00, note="lost request")
    _show(page, payment, status="failed", upi_code="U68")
    page.expect(
        "the money is back with the payer",
        found=timeline.balance_paise(stage["asha"].account_id),
        wanted=before,
    )


def credit_answer_lost(stage: Stage, page: Page) -> None:
    """Lose our RespPay(CREDIT): the credit stands, and the reversal is told so."""
    lost = {"match": {"direction": "in", "api": "RespPay", "type": "CREDIT"}, "action": "lose"}
    with stage.hurried_switch(_HURRY_SCALE), stage.faults(lost):
        payment = stage["asha"].pay(stage["ravi"].vpa, 76_00, note="lost answer")
    _show(page, payment, status="succeeded")


def worker_killed(stage: Stage, page: Page) -> None:
    """Kill the worker between posting the debit and everything after it."""
    mark = stage.platform.directory.root / f"killed-{uuid.uuid4().hex}"
    supervisor = stage.platform.supervisor
    supervisor.restart("payments", changes={"FAULT_AT": f"{_KILLED_AT}:{mark}"})
    accepted = stage["asha"].start(stage["ravi"].vpa, 88_00, note="worker killed")
    page.expect(
        f"a worker process was killed (SIGKILL) at the point {_KILLED_AT}",
        found=stage.wait_for(mark.exists, seconds=20),
        wanted=True,
    )
    payment = stage["asha"].phone.wait_payment(accepted["txn_id"])
    _show(page, payment, status="succeeded")
    page.expect(
        "and it was debited once and credited once",
        found=timeline.transfers(accepted["txn_id"]),
        wanted=["UPI_CREDIT", "UPI_DEBIT"],
    )
    supervisor.restart("payments", changes={"FAULT_AT": ""})


ACTS = (
    Act("A payment between two customers of the bank", on_us),
    Act("A payment to the other bank", to_the_other_bank),
    Act("A payment from the other bank", from_the_other_bank),
    Act("A purchase from a merchant", purchase),
    Act("A part of the purchase goes back", refund),
    Act("A merchant asks a customer for money", collect),
    Act("A wrong PIN", wrong_pin),
    Act("An empty account", empty_account),
    Act("A silent beneficiary: the switch loses ReqPay(CREDIT) to us", credit_request_lost),
    Act("A silent beneficiary: the switch loses our RespPay(CREDIT)", credit_answer_lost),
    Act("A worker killed in the middle of a payment", worker_killed),
)


def _show(page: Page, payment: dict[str, Any], *, status: str, upi_code: str = "") -> None:
    timeline.show(page, payment["txn_id"])
    page.expect(f"the app shows: {status}", found=payment["status"], wanted=status)
    if upi_code:
        failure = payment["failure"] or {}
        page.expect(
            f"because of {upi_code}: {failure.get('title', '')}",
            found=failure.get("upi_code"),
            wanted=upi_code,
        )


def _refused_scan(customer: Customer, link: str) -> str:
    try:
        customer.phone.scan(link)
    except RefusedError as refusal:
        return refusal.code
    return ""


def _sale(stage: Stage) -> dict[str, Any] | None:
    """Return a purchase of which nothing went back yet, once the switch has confirmed it."""

    def sales() -> list[dict[str, Any]]:
        found = stage.merchant("GET", "/v1/payments")["data"]
        return [each for each in found if (each["amount"], each["amount_refunded"]) == _WHOLE_SALE]

    stage.wait_for(lambda: all(each["finality"] == "final" for each in sales()))
    return next((each for each in sales() if each["status"] == "succeeded"), None)


def _end_of(stage: Stage, path: str) -> dict[str, Any]:
    """Return a thing of the merchant's once it has ended."""
    stage.wait_for(lambda: stage.merchant("GET", path)["finality"] == "final")
    return stage.merchant("GET", path)


def _is_open(collect: dict[str, Any], txn_id: str) -> bool:
    return collect["txn_id"] == txn_id and bool(collect["awaits_approval"])


def _has_webhook(stage: Stage, order_id: str) -> bool:
    sink = stage.shop["webhook_url"].rsplit("/", 1)[-1]
    calls = stage.control("GET", f"/webhooks/{sink}")["deliveries"]
    return any(order_id in call["body"] for call in calls)
