"""Make the link by which an order is paid."""

import datetime as dt
import re
import uuid

from apps.common.addresses import VpaAddress
from apps.common.money import Money
from apps.merchants import selectors
from apps.merchants.contracts import MerchantPrincipal
from apps.merchants.errors import AlreadyPaidError, LinkExpiredError, LiveKeyRequiredError
from apps.merchants.models import Merchant, Order
from apps.merchants.services.sign_link import sign_link
from apps.upi.links import rules
from apps.upi.links.intent import Action, Intent

SECURE_INTENT_MODE = "05"
# Dynamic secure QR code of a shop, and of one that sells online (upi-protocol 3.4).
DYNAMIC_QR_MODE = "16"
ONLINE_DYNAMIC_QR_MODE = "23"
STATIC_QR_MODE = "02"
ONLINE_STATIC_QR_MODE = "20"
_CODE = re.compile(r"[A-Za-z0-9_\-]{1,20}")
_NAME_SIGNS_MAX = 99


def order_link(principal: MerchantPrincipal, order_id: uuid.UUID | None, *, at: dt.datetime) -> str:
    """
    Return a signed link that pays an order, for the payer's app to be called by.

    Raises LiveKeyRequiredError, NotFoundError, AlreadyPaidError, LinkExpiredError and
    hsm.errors.HsmError.
    """
    order = payable_order(principal, order_id, at=at)
    return sign_link(intent_of_order(order, mode=SECURE_INTENT_MODE))


def payable_order(
    principal: MerchantPrincipal, order_id: uuid.UUID | None, *, at: dt.datetime
) -> Order:
    """
    Return a live order that still waits for its payment.

    Raises LiveKeyRequiredError, NotFoundError, AlreadyPaidError, LinkExpiredError.
    """
    check_live(principal)
    order = selectors.order_of(principal, order_id)
    check_payable(order, at=at)
    return order


def check_live(principal: MerchantPrincipal) -> None:
    """Raise LiveKeyRequiredError: whatever has our address is paid with real money."""
    if not principal.is_live:
        raise LiveKeyRequiredError


def check_payable(order: Order, *, at: dt.datetime) -> None:
    """Raise AlreadyPaidError, LinkExpiredError if the order waits for no payment."""
    if order.state == Order.State.PAID:
        raise AlreadyPaidError
    if at > order.expires_at:
        raise LinkExpiredError


def intent_of_order(
    order: Order,
    *,
    mode: str,
    expires_at: dt.datetime | None = None,
    others: tuple[tuple[str, str], ...] | None = None,
) -> Intent:
    """Return what is asked of whoever pays an order; the end is to the second."""
    merchant = order.merchant
    ends_at = (expires_at or order.expires_at).replace(microsecond=0)
    return Intent(
        action=Action.PAY,
        payee=VpaAddress.parse(merchant.vpa.address),
        payee_name=name_of(merchant),
        mcc=merchant.vpa.mcc,
        reference=order.reference,
        note=order.note,
        amount=Money(order.amount_paise),
        mode=mode,
        expires_at=ends_at,
        others=others if others is not None else codes_of(merchant),
    )


def name_of(merchant: Merchant) -> str:
    """Return the merchant's name as links carry it; one that could deceive a reader never."""
    for name in (merchant.name, merchant.vpa.verified_name):
        if len(name) <= _NAME_SIGNS_MAX and rules.is_readable(name):
            return name
    return merchant.vpa.address.partition("@")[0]


def codes_of(
    merchant: Merchant, *, store: str = "", terminal: str = ""
) -> tuple[tuple[str, str], ...]:
    """Return what tells the merchant's stores and terminals apart, as a link's parameters."""
    vpa = merchant.vpa
    codes = {
        "mid": vpa.merchant_id_code,
        "msid": store or vpa.store_id_code,
        # The merchant's own terminal stands in its own store.
        "mtid": terminal or ("" if store else vpa.terminal_id_code),
    }
    fitting = ((name, code) for name, code in codes.items() if _CODE.fullmatch(code))
    return (("ver", "01"), *fitting)
