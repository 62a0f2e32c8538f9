"""Links and QR codes: what an app shows of one before it pays, and that it pays no other."""

from typing import Any

from conformance import shop
from conformance.case import AMOUNT_PAISE, Role, Stage
from conformance.numbering import Play, cases_of

_STORE = "store1@smplbank"


def _link(stage: Stage, order: dict[str, Any]) -> str:
    return str(shop.call(stage, "POST", "/v1/intents", {"order": order["id"]})["uri"])


def _codes(notices: list[dict[str, Any]]) -> list[str]:
    return [notice["code"] for notice in notices]


def order_link(stage: Stage) -> None:
    """The link of an order is signed, pays that order once, and is not shown as payable again."""
    order = shop.new_order(stage)
    link = _link(stage, order)
    payer = stage.payer
    stage.balance_before(payer)
    shown = payer.phone.scan(link)
    stage.expect("its signature", found=shown["signature"]["status"], wanted="verified")
    stage.expect("its amount", found=shown["amount"], wanted=AMOUNT_PAISE)
    accepted = payer.phone.pay_scanned(
        shown, account_id=payer.account_id, payer=payer.vpa, pin=payer.pin
    )
    stage.transaction_ids.append(accepted["txn_id"])
    paid = stage.shown(accepted["txn_id"], wanted="succeeded")
    stage.expect("the payment", found=paid["status"], wanted="succeeded")
    stage.expect("the order", found=shop.status_of(stage, order), wanted="paid")
    again = stage.refusal(lambda: payer.phone.scan(link))
    stage.expect("scanned again", found=again, wanted="409 already_paid")
    stage.expect_moves({payer.vpa: -AMOUNT_PAISE}, payer)


def changed_link(stage: Stage) -> None:
    """A link that was changed after it was signed is shown as such, and not to be paid."""
    link = _link(stage, shop.new_order(stage)).replace("am=7.00", "am=1.00")
    shown = stage.payer.phone.scan(link)
    stage.expect("payable", found=shown["is_payable"], wanted=False)
    refused = "bad_signature" in _codes(shown["refusals"])
    stage.expect("the signature is refused", found=refused, wanted=True)


def other_amount(stage: Stage) -> None:
    """A payment that names another amount than its link is refused."""
    payer = stage.payer
    stage.balance_before(payer)
    shown = payer.phone.scan(_link(stage, shop.new_order(stage)))
    order = payer.order(shown["payment"]["payee_vpa"], AMOUNT_PAISE - 1)
    cheaper = order | shown["payment"] | {"amount": AMOUNT_PAISE - 1}
    found = stage.refusal(lambda: payer.phone.send_payment(cheaper))
    stage.expect("the payment", found=found, wanted="422 link_differs")
    stage.expect_moves({}, payer)


def unsigned_link(stage: Stage) -> None:
    """A shop's link that nobody signed may be paid, and the app is warned."""
    link = f"upi://pay?pa={_STORE}&pn=Example%20Store&mc=5411&am=7.00&cu=INR"
    shown = stage.payer.phone.scan(link)
    stage.expect("payable", found=shown["is_payable"], wanted=True)
    stage.expect("warned", found="unsigned" in _codes(shown["warnings"]), wanted=True)


def link_of_nobody(stage: Stage) -> None:
    """A link to an address of ours that nobody has is not to be paid."""
    shown = stage.payer.phone.scan("upi://pay?pa=nobody.has.this@exbank&pn=Nobody&am=7.00&cu=INR")
    stage.expect("payable", found=shown["is_payable"], wanted=False)
    refused = "payee_unknown" in _codes(shown["refusals"])
    stage.expect("the payee is refused", found=refused, wanted=True)


def no_link(stage: Stage) -> None:
    """A text that is no link is refused."""
    found = stage.refusal(lambda: stage.payer.phone.scan("https://example.org/pay"))
    stage.expect("the text", found=found, wanted="400 link_malformed")


CASES = cases_of(
    Role.PAYER_PSP,
    (
        Play(order_link, "6.2, 6.3"),
        Play(changed_link, "6.3"),
        Play(other_amount, "6.2"),
        Play(unsigned_link, "6.2, 6.3"),
        Play(link_of_nobody, "6.1"),
        Play(no_link, "6.2"),
    ),
    given="a customer's app",
    when="it reads a link or a QR code with POST /app/v1/intents/resolve",
    first=951,
    about="Link",
)
