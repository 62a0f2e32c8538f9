"""Ask a payer for what an order costs: a merchant's collect, one durable transaction."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.accounts.availability import require_core_banking
from apps.common import clock, ids
from apps.common.addresses import VpaAddress
from apps.common.errors import NotFoundError
from apps.common.faults import fault_point
from apps.common.money import Money
from apps.merchants.contracts import MerchantPrincipal
from apps.merchants.errors import InvalidExpiryError, LiveKeyRequiredError
from apps.merchants.models import Order
from apps.merchants.selectors import order_of
from apps.messaging import idempotency, wakeups
from apps.payments import collect_rules, selectors
from apps.payments.contracts import NewLeg, Payment, TransactionFacts
from apps.payments.errors import (
    CollectNotAllowedError,
    OrderNotPayableError,
)
from apps.payments.services.accept import RequestKey, new_rrn
from apps.payments.services.opening import open_leg
from apps.payments.states import Flow, Kind, Role, State

STEP = "payments.payee_psp"
_MINUTE_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectRequest:
    """What a merchant asks: this payer, for this order; without minutes, the usual time."""

    order_id: UUID | None
    payer: VpaAddress
    minutes: int | None


@dataclass(frozen=True, slots=True)
class TakenCollect:
    """The collect, and whether this very request was answered before."""

    payment: Payment
    is_replay: bool


def request_collect(
    request: CollectRequest, *, principal: MerchantPrincipal, key: RequestKey, at: dt.datetime
) -> TakenCollect:
    """
    Take a collect on, or return the one that this request made before.

    Raises NotFoundError (the order is not the merchant's), LiveKeyRequiredError,
    CollectNotAllowedError, OrderNotPayableError, InvalidExpiryError, CoreBankingUnavailableError
    and the refusals of idempotency; then nothing is written.
    """
    known = idempotency.lookup(client=key.client, key=key.key, fingerprint=key.fingerprint)
    if known is not None:
        return TakenCollect(_collect(principal, known.reference), is_replay=True)
    if not principal.is_live:
        raise LiveKeyRequiredError
    # What is collected goes to the merchant's account, which is one of ours.
    require_core_banking(settings.UPI_IFSC)
    order = order_of(principal, request.order_id)
    expires_at = _judge(order, request, at=at)
    facts = _facts(order, request, at=at)
    with transaction.atomic(durable=True):
        known = idempotency.remember(
            client=key.client, key=key.key, fingerprint=key.fingerprint, reference=facts.id
        )
        if known is None:
            _open(facts, order, expires_at)
            wakeups.wake_on_commit(STEP, is_for_all=True)
        fault_point("collect.accepting")
    fault_point("collect.accepted")
    found = _collect(principal, known.reference if known else facts.id)
    return TakenCollect(found, is_replay=known is not None)


def _collect(principal: MerchantPrincipal, transaction_id: str) -> Payment:
    found = selectors.payment_of(transaction_id, Role.PAYEE_PSP)
    assert found is not None, "the key and its collect are one transaction"
    assert found.owner_id == principal.merchant_id, "keys are the client's own"
    return found


def collect_of(principal: MerchantPrincipal, leg_id: UUID | None) -> Payment:
    """Return one of the merchant's collects. Raises NotFoundError, also for another's."""
    found = selectors.payment_by_leg(leg_id, Role.PAYEE_PSP) if leg_id else None
    if (
        found is None
        or found.kind is not Kind.COLLECT
        or found.owner_id != principal.merchant_id
        or not principal.is_live
    ):
        raise NotFoundError
    return found


def _judge(order: Order, request: CollectRequest, *, at: dt.datetime) -> dt.datetime:
    """Refuse what may not be asked, and return until when the payer may answer."""
    if not collect_rules.is_allowed(Flow.COLLECT_MERCHANT, on=clock.business_date(at)):
        raise CollectNotAllowedError
    if order.state != Order.State.CREATED or at >= order.expires_at:
        raise OrderNotPayableError
    left = int((order.expires_at - at).total_seconds()) // _MINUTE_SECONDS
    if left < 1:
        raise OrderNotPayableError
    if request.minutes is None:
        minutes = min(settings.UPI_COLLECT_MINUTES_DEFAULT, left)
    elif request.minutes > left:
        # Money for an order that has expired would have to go back.
        raise InvalidExpiryError(field="expires_in_minutes")
    else:
        minutes = request.minutes
    return at + dt.timedelta(minutes=minutes)


def _open(facts: TransactionFacts, order: Order, expires_at: dt.datetime) -> None:
    leg = NewLeg(
        role=Role.PAYEE_PSP,
        kind=Kind.COLLECT,
        state=State.CREATED,
        owner_id=order.merchant_id,
        expires_at=expires_at,
    )
    opened = open_leg(facts, leg)
    assert opened.is_new, "the transaction id was minted just now"


def _facts(order: Order, request: CollectRequest, *, at: dt.datetime) -> TransactionFacts:
    vpa = order.merchant.vpa
    return TransactionFacts(
        id=ids.new_upi_id(settings.UPI_ID_PREFIX),
        rrn=new_rrn(at),
        amount=Money(order.amount_paise),
        payer_address=str(request.payer),
        payer_name=str(request.payer).partition("@")[0],
        payer_type="PERSON",
        payer_code="0000",
        payee_address=vpa.address,
        payee_name=order.merchant.name,
        payee_type=vpa.kind,
        payee_code=vpa.mcc,
        note=order.note or "Order",
        purpose="00",
        initiation_mode="00",
        reference=order.reference,
        reference_url="",
        reference_category="00",
        initiated_at=at,
    )
