"""Take an order: one Idempotency-Key, one order."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import IntegrityError, transaction

from apps.common import ids
from apps.common.money import Money
from apps.merchants import selectors
from apps.merchants.contracts import MerchantPrincipal
from apps.merchants.errors import InvalidExpiryError, ReferenceTakenError
from apps.merchants.models import Order
from apps.messaging import idempotency


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDraft:
    """What a merchant wants to be paid."""

    reference: str
    amount: Money
    note: str
    metadata: Mapping[str, str]
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True)
class TakenOrder:
    """The order, and whether this very request was answered before."""

    order: Order
    is_replay: bool


def create_order(
    draft: OrderDraft,
    *,
    principal: MerchantPrincipal,
    key: str,
    fingerprint: bytes,
    at: dt.datetime,
) -> TakenOrder:
    """
    Make the order, or return the one that the key made before.

    Raises InvalidExpiryError, ReferenceTakenError and the refusals of idempotency.
    """
    answer = idempotency.lookup(client=principal.client, key=key, fingerprint=fingerprint)
    if answer is not None:
        return _replayed(principal, answer.reference)
    _check_expiry(draft.expires_at, at=at)
    order_id = ids.uuid7()
    with transaction.atomic(durable=True):
        answer = idempotency.remember(
            client=principal.client, key=key, fingerprint=fingerprint, reference=str(order_id)
        )
        if answer is None:
            _insert(draft, order_id, principal, at=at)
    if answer is not None:
        return _replayed(principal, answer.reference)
    return TakenOrder(order=selectors.order_of(principal, order_id), is_replay=False)


def _check_expiry(expires_at: dt.datetime, *, at: dt.datetime) -> None:
    longest = dt.timedelta(seconds=settings.ORDER_LIFE_SECONDS_MAX)
    if not at < expires_at <= at + longest:
        raise InvalidExpiryError


def _replayed(principal: MerchantPrincipal, reference: str) -> TakenOrder:
    order = selectors.order_of(principal, uuid.UUID(reference))
    return TakenOrder(order=order, is_replay=True)


def _insert(
    draft: OrderDraft, order_id: uuid.UUID, principal: MerchantPrincipal, *, at: dt.datetime
) -> None:
    try:
        Order.objects.create(
            id=order_id,
            merchant_id=principal.merchant_id,
            is_live=principal.is_live,
            reference=draft.reference,
            amount_paise=draft.amount.paise,
            note=draft.note,
            metadata=dict(draft.metadata),
            created_at=at,
            expires_at=draft.expires_at,
        )
    except IntegrityError as error:
        raise ReferenceTakenError from error
