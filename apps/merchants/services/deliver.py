"""Send webhooks that are due, again and again for three days, and record what came of each."""

import datetime as dt
import itertools
import random
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from apps.common import clock, ids
from apps.common.faults import fault_point
from apps.common.secret import Secret
from apps.merchants import selectors, webhook_client, webhook_signature
from apps.merchants.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from apps.merchants.services.endpoints import give_up_deliveries, secrets_of
from apps.merchants.webhook_client import Outcome, Reply
from apps.messaging import claims
from apps.messaging.contracts import Claim

log = structlog.get_logger(__name__)

TABLE = "merchants_webhookdelivery"
# After each failure, the wait before the next try: thirteen tries in about three days.
RETRY_SECONDS = (10, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 43200, 86400, 86400)
JITTER = 0.1
# An endpoint that just failed is left alone for a moment, so that it does not hold up the others.
PAUSE_SECONDS = 10
DISABLE_AFTER = dt.timedelta(days=5)
PER_ENDPOINT_MAX = 8
_MARGIN_SECONDS = 5


@dataclass(frozen=True, slots=True)
class _Attempt:
    delivery: WebhookDelivery
    attempted_at: dt.datetime
    reply: Reply


def deliver_due() -> int:
    """
    Send what is due; endpoints in parallel, the deliveries of one in order until one fails.

    No transaction is open while anything is sent. Killed between a POST and its record, the same
    bytes go out again under the same id. Return how many were claimed.
    """
    claim = claims.claim_due(
        table=TABLE,
        states=[WebhookDelivery.State.PENDING],
        limit=settings.CLAIM_SEND_MAX,
        lease_seconds=_lease_seconds(),
    )
    if not claim:
        return 0
    groups = _by_endpoint(selectors.claimed_deliveries(claim.ids))
    now = clock.now()
    secrets = [secrets_of(group[0].endpoint, at=now) for group in groups]
    fault_point("webhook.claimed")
    with ThreadPoolExecutor(max_workers=len(groups)) as pool:
        futures = [pool.submit(_send_group, *each) for each in zip(groups, secrets, strict=True)]
        groups_by_future = dict(zip(futures, groups, strict=True))
        for future in as_completed(futures):
            fault_point("webhook.sent")
            _record_group(claim, groups_by_future[future], future.result())
            fault_point("webhook.recorded")
    return len(claim.ids)


def _lease_seconds() -> int:
    # A group begins its last POST before the margin is over.
    return int(settings.WEBHOOK_DEADLINE_SECONDS) + 2 * _MARGIN_SECONDS


def _by_endpoint(deliveries: Sequence[WebhookDelivery]) -> list[list[WebhookDelivery]]:
    ordered = sorted(deliveries, key=lambda delivery: delivery.endpoint_id)
    groups = itertools.groupby(ordered, key=lambda delivery: delivery.endpoint_id)
    return [sorted(group, key=lambda delivery: delivery.pk) for _, group in groups]


def _send_group(
    deliveries: Sequence[WebhookDelivery], secrets: Sequence[Secret[bytes]]
) -> list[_Attempt]:
    """Send one endpoint's deliveries until one fails or the time is up. Runs without database."""
    attempts: list[_Attempt] = []
    stop_at = clock.now() + dt.timedelta(seconds=_MARGIN_SECONDS)
    for delivery in deliveries[:PER_ENDPOINT_MAX]:
        now = clock.now()
        if now >= stop_at:
            break
        body = bytes(delivery.body)
        event_id = ids.public_id("evt", delivery.event_id)
        reply = webhook_client.post(
            delivery.endpoint.url,
            body,
            webhook_signature.headers(event_id, body, secrets, at=now),
            deadline_seconds=settings.WEBHOOK_DEADLINE_SECONDS,
        )
        attempts.append(_Attempt(delivery, now, reply))
        if reply.outcome != Outcome.DELIVERED:
            break
    return attempts


@transaction.atomic(durable=True)
def _record_group(
    claim: Claim, deliveries: Sequence[WebhookDelivery], attempts: Sequence[_Attempt]
) -> None:
    tried = {attempt.delivery.pk for attempt in attempts}
    for attempt in attempts:
        _record(claim, attempt)
    WebhookAttempt.objects.bulk_create([_row(attempt) for attempt in attempts])
    has_failed = bool(attempts) and attempts[-1].reply.outcome != Outcome.DELIVERED
    left = [delivery.pk for delivery in deliveries if delivery.pk not in tried]
    if left:
        claims.release(claim, left, delay_seconds=PAUSE_SECONDS if has_failed else 0)
    endpoint = deliveries[0].endpoint
    if has_failed:
        _note_failure(endpoint, at=attempts[-1].attempted_at)
    elif attempts and endpoint.failing_since_at is not None:
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(failing_since_at=None)


def _record(claim: Claim, attempt: _Attempt) -> None:
    delivery, reply = attempt.delivery, attempt.reply
    ours = WebhookDelivery.objects.filter(pk=delivery.pk, claim=claim.token)
    made = delivery.attempts + 1
    end = _end_after(reply.outcome, attempts_made=made)
    if end is None:
        ours.update(attempts=made, claim=None, next_action_at=Now() + _wait(made))
    else:
        ours.update(
            state=end,
            attempts=made,
            ended_at=attempt.attempted_at,
            claim=None,
            next_action_at=None,
        )
    log.info(
        "webhook_attempted",
        delivery=str(delivery),
        outcome=reply.outcome.value,
        http_status=reply.http_status,
        attempt=made,
    )


def _end_after(outcome: Outcome, *, attempts_made: int) -> WebhookDelivery.State | None:
    if outcome == Outcome.DELIVERED:
        return WebhookDelivery.State.DELIVERED
    has_tries = attempts_made <= len(RETRY_SECONDS)
    return None if has_tries else WebhookDelivery.State.FAILED


def _wait(attempts_made: int) -> dt.timedelta:
    """Return the wait after so many failures, a little longer or shorter for each."""
    seconds = RETRY_SECONDS[attempts_made - 1]
    # Not a secret: it only keeps retries from marching in step.
    return dt.timedelta(seconds=seconds * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311


def _row(attempt: _Attempt) -> WebhookAttempt:
    return WebhookAttempt(
        delivery=attempt.delivery,
        attempted_at=attempt.attempted_at,
        elapsed_ms=attempt.reply.elapsed_ms,
        outcome=attempt.reply.outcome,
        http_status=attempt.reply.http_status,
    )


def _note_failure(endpoint: WebhookEndpoint, *, at: dt.datetime) -> None:
    """Leave the endpoint alone for a moment; after five days without a success, for good."""
    since = endpoint.failing_since_at or at
    if at - since >= DISABLE_AFTER:
        _disable(endpoint.pk, at=at)
        return
    if endpoint.failing_since_at is None:
        WebhookEndpoint.objects.filter(pk=endpoint.pk, failing_since_at=None).update(
            failing_since_at=at
        )
    pause = dt.timedelta(seconds=PAUSE_SECONDS)
    WebhookDelivery.objects.filter(
        Q(next_action_at__lt=Now() + pause),
        endpoint_id=endpoint.pk,
        state=WebhookDelivery.State.PENDING,
        claim=None,
    ).update(next_action_at=Now() + pause)


def _disable(endpoint_id: uuid.UUID, *, at: dt.datetime) -> None:
    WebhookEndpoint.objects.filter(pk=endpoint_id).update(state=WebhookEndpoint.State.DISABLED)
    give_up_deliveries(endpoint_id, at=at)
    log.warning("webhook_endpoint_disabled", endpoint=ids.public_id("whk", endpoint_id))
