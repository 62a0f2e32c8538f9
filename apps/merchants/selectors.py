"""Reads and named locks of the merchant side."""

import uuid
from collections.abc import Collection, Iterator, Sequence

from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Now

from apps.common.errors import NotFoundError
from apps.merchants.contracts import MerchantPrincipal
from apps.merchants.models import (
    Announcement,
    ApiKey,
    Merchant,
    Order,
    OrderFulfilment,
    QrCode,
    WebhookDelivery,
    WebhookEndpoint,
)

ALIKE_CODES_MAX = 100

_LOCK_ORDERS = """
    SELECT o.id, v.reserved_address
      FROM unnest(%s::text[], %s::text[]) AS paid (address, reference)
      JOIN vpa_vpa v ON v.reserved_address = paid.address AND v.kind = 'ENTITY'
      JOIN merchants_merchant m ON m.vpa_id = v.id
      JOIN merchants_order o
        ON o.merchant_id = m.id AND o.is_live AND o.reference = paid.reference COLLATE "C"
     ORDER BY o.id FOR NO KEY UPDATE OF o
"""


def active_key(key_id: uuid.UUID | None) -> ApiKey | None:
    """Return an API key that was not revoked, with its merchant."""
    if key_id is None:
        return None
    return (
        ApiKey.objects.select_related("merchant")
        .filter(pk=key_id, state=ApiKey.State.ACTIVE)
        .first()
    )


def merchant(merchant_id: uuid.UUID) -> Merchant:
    """Return a merchant with its payment address."""
    return Merchant.objects.select_related("vpa").get(pk=merchant_id)


def merchant_at(address: str) -> Merchant | None:
    """Return the merchant behind an active address of ours, None if nobody sells there."""
    return Merchant.objects.filter(vpa__reserved_address=address).first()


def live_order(seller: Merchant, reference: str) -> Order | None:
    """Return the order of real money that a reference names."""
    return Order.objects.filter(merchant=seller, is_live=True, reference=reference).first()


def qr_codes_of(principal: MerchantPrincipal) -> QuerySet[QrCode]:
    """Return the QR codes that a key sees: its merchant's, if it is a live key; newest first."""
    rows = QrCode.objects.filter(merchant_id=principal.merchant_id)
    return (rows if principal.is_live else rows.none()).select_related("order").order_by("-id")


def qr_code_of(principal: MerchantPrincipal, code_id: uuid.UUID | None) -> QrCode:
    """Return a QR code that the key sees. Raises NotFoundError, also for another's."""
    if code_id is None:
        raise NotFoundError
    row = qr_codes_of(principal).filter(pk=code_id).first()
    if row is None:
        raise NotFoundError
    return row


def qr_codes_saying(payload: str) -> list[QrCode]:
    """
    Return the codes of ours that hold exactly this text, the newest first.

    Static codes of one store can be alike: whoever asks must look at all of them.
    """
    return list(QrCode.objects.filter(payload=payload).order_by("-pk")[:ALIKE_CODES_MAX])


def page_of_qr_codes(
    principal: MerchantPrincipal, *, limit: int, cursor: uuid.UUID | None
) -> tuple[list[QrCode], bool]:
    """Return up to `limit` QR codes older than the cursor, and whether there are more."""
    rows = qr_codes_of(principal)
    if cursor is not None:
        rows = rows.filter(pk__lt=cursor)
    found = list(rows[: limit + 1])
    return found[:limit], len(found) > limit


def merchant_ids_by_address(addresses: Sequence[str]) -> dict[str, uuid.UUID]:
    """Return the merchant behind each address that is a merchant's."""
    rows = Merchant.objects.filter(vpa__address__in=addresses).values_list("vpa__address", "id")
    return dict(rows)


def standing_by_address(addresses: Collection[str]) -> dict[str, str]:
    """Return the state of the merchant behind each address that is a merchant's."""
    if not addresses:
        return {}
    rows = Merchant.objects.filter(vpa__address__in=set(addresses))
    return dict(rows.values_list("vpa__address", "state"))


def suspended_addresses(addresses: Collection[str]) -> set[str]:
    """Return those of the addresses whose merchant may take no payments now."""
    if not addresses:
        return set()
    rows = Merchant.objects.filter(
        vpa__address__in=set(addresses), state=Merchant.State.SUSPENDED
    ).values_list("vpa__address", flat=True)
    return set(rows)


def orders_of(principal: MerchantPrincipal) -> QuerySet[Order]:
    """Return the orders that a key sees: its merchant's, of its mode; the newest first."""
    return (
        Order.objects.filter(merchant_id=principal.merchant_id, is_live=principal.is_live)
        .select_related("merchant__vpa")
        .order_by("-id")
    )


def order_of(principal: MerchantPrincipal, order_id: uuid.UUID | None) -> Order:
    """Return an order that the key sees. Raises NotFoundError, also for another's order."""
    if order_id is None:
        raise NotFoundError
    order = orders_of(principal).filter(pk=order_id).first()
    if order is None:
        raise NotFoundError
    return order


def page_of_orders(
    principal: MerchantPrincipal, *, limit: int, cursor: uuid.UUID | None
) -> tuple[list[Order], bool]:
    """Return up to `limit` orders older than the cursor, and whether there are more."""
    assert limit > 0, "members.page_rows gives at least one"
    rows = orders_of(principal)
    if cursor is not None:
        rows = rows.filter(pk__lt=cursor)
    found = list(rows[: limit + 1])
    return found[:limit], len(found) > limit


def lock_orders(references: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Order]:
    """
    Return the live orders named by (payee address, reference), locked, in the order of their keys.

    One statement locks, one loads; a reference that names no order of a merchant is absent.
    """
    addresses = [address for address, _ in references]
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_ORDERS, [addresses, [reference for _, reference in references]])
        address_of = dict(cursor.fetchall())
    if not address_of:
        return {}
    orders = Order.objects.filter(pk__in=address_of)
    return {(address_of[order.pk], order.reference): order for order in orders}


def fulfilments(transaction_ids: Sequence[str]) -> dict[str, OrderFulfilment]:
    """Return the verdicts already given, by transaction id."""
    return OrderFulfilment.objects.in_bulk(list(transaction_ids))


def endpoints_of(principal: MerchantPrincipal) -> QuerySet[WebhookEndpoint]:
    """Return the webhook endpoints that a key sees, the oldest first."""
    return (
        WebhookEndpoint.objects.filter(merchant_id=principal.merchant_id, is_live=principal.is_live)
        .exclude(state=WebhookEndpoint.State.DELETED)
        .order_by("id")
    )


def endpoint_of(principal: MerchantPrincipal, endpoint_id: uuid.UUID | None) -> WebhookEndpoint:
    """Return an endpoint that the key sees. Raises NotFoundError, also for another's."""
    if endpoint_id is None:
        raise NotFoundError
    endpoint = endpoints_of(principal).filter(pk=endpoint_id).first()
    if endpoint is None:
        raise NotFoundError
    return endpoint


def endpoints_to_tell(merchant_id: uuid.UUID, *, is_live: bool) -> list[WebhookEndpoint]:
    """Return the endpoints that want a fact about a merchant."""
    return list(
        WebhookEndpoint.objects.filter(
            merchant_id=merchant_id, is_live=is_live, state=WebhookEndpoint.State.ACTIVE
        ).order_by("id")
    )


def claimed_deliveries(delivery_ids: Sequence[uuid.UUID]) -> list[WebhookDelivery]:
    """Return claimed deliveries with their endpoints, the oldest first."""
    return list(
        WebhookDelivery.objects.select_related("endpoint")
        .filter(pk__in=delivery_ids)
        .order_by("id")
    )


def deliveries_of(endpoint: WebhookEndpoint) -> QuerySet[WebhookDelivery]:
    """Return the deliveries of an endpoint, the newest first."""
    return WebhookDelivery.objects.filter(endpoint=endpoint).order_by("-id")


def webhooks_are_due() -> bool:
    """Return whether any webhook waits to be sent."""
    return WebhookDelivery.objects.filter(
        next_action_at__lte=Now(), parked_at__isnull=True
    ).exists()


def announced_merchants() -> Iterator[tuple[Merchant, Announcement | None]]:
    """Yield our merchants, the oldest first, with what the network was last asked of each."""
    rows = Merchant.objects.select_related("vpa", "announcement").order_by("pk")
    for row in rows.iterator():
        yield row, getattr(row, "announcement", None)


def lock_announcements(exchange_id: uuid.UUID) -> list[Announcement]:
    """Return what was announced on an exchange, the rows locked until the transaction ends."""
    rows = Announcement.objects.select_related("merchant__vpa")
    return list(
        rows.select_for_update(no_key=True, of=("self",))
        .filter(exchange_id=exchange_id, state=Announcement.State.ASKED)
        .order_by("pk")
    )
