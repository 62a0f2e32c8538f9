"""
Keep our calls to the switch within what the circulars allow.

The rules are dated rows, the uses are rows too: losing Redis breaks no cap. A use is counted in the
transaction that opens the call, under a lock by API and subject, so that of two calls at the same
moment the second sees the first. Payments and heartbeats are bounded by nothing here and ask
nothing.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection

from apps.upi import selectors, timers
from apps.upi.budget_models import ApiCap, ApiUse, PeakHours, PeakRule, SubjectKind
from apps.upi.contracts import Message, Request
from apps.upi.errors import ApiBudgetError, PeakHoursError
from apps.upi.timer_models import Timer

log = structlog.get_logger(__name__)

UNBOUNDED = frozenset({"ReqPay", "ReqHbt"})
# The switch counts calls as they arrive, by its own clock: ours are counted for so much longer.
ARRIVAL_SECONDS = 30
# A further page belongs to the call whose first page was counted, for so long.
PAGES_SECONDS = 600
PURGE_AFTER_DAYS = 7
PURGE_ROWS_MAX = 1000

_LOCK = """
    SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest(%s::text[]) AS name
"""

_TAKE = """
    INSERT INTO upi_api_use (exchange_id, api, subject, used_at)
    SELECT exchange_id, api, subject, %(now)s
      FROM (SELECT ask.*, row_number() OVER (PARTITION BY api, subject ORDER BY place) AS nth
              FROM unnest(%(exchange_ids)s::uuid[], %(apis)s::text[], %(subjects)s::text[],
                          %(caps)s::int[], %(since)s::timestamptz[])
                   WITH ORDINALITY AS ask (exchange_id, api, subject, cap, since, place)) AS ask
     WHERE cap IS NULL
        OR cap >= nth + (SELECT count(*) FROM upi_api_use AS used
                          WHERE used.api = ask.api AND used.subject = ask.subject
                            AND used.used_at > ask.since)
    RETURNING exchange_id
"""

_PURGE = """
    DELETE FROM upi_api_use WHERE exchange_id IN (
        SELECT exchange_id FROM upi_api_use
         WHERE used_at < clock_timestamp() - make_interval(days => %s) LIMIT %s)
"""


def allow(api: str, subject: str, now: dt.datetime) -> None:
    """
    Raise ApiBudgetError or PeakHoursError if a call would be refused now; count nothing.

    It lets an API answer 429 at once. `take` decides, when the call is opened.
    """
    cap = selectors.api_caps([api], at=now).get(api)
    if cap is None:
        return
    _check_peak(cap, selectors.peak_hours(at=now), now=now)
    if cap.cap is not None and selectors.uses(api, subject, since=now - span(cap)) >= cap.cap:
        raise _spent(cap, subject, now=now)


def take(requests: Sequence[Request], *, now: dt.datetime) -> dict[UUID, ApiBudgetError]:
    """
    Count requests of ours against their caps; return those refused, by exchange, and why.

    In the transaction that opens the requests: the locks and the uses are its own, and a use that
    is rolled back was none.
    """
    assert connection.in_atomic_block, "a use is counted in the transaction that opens the call"
    bounded = [request for request in requests if request.message.api not in UNBOUNDED]
    caps = selectors.api_caps({_api(each.message) for each in bounded}, at=now) if bounded else {}
    asked = [request for request in bounded if _api(request.message) in caps]
    if not asked:
        return {}
    refused = _refuse_early(asked, caps, now=now)
    asked = [
        request
        for request in asked
        if request.exchange_id not in refused and not _is_further_page(request, caps, now=now)
    ]
    taken = _take(asked, caps, now=now)
    for request in asked:
        if request.exchange_id not in taken:
            cap = caps[_api(request.message)]
            refused[request.exchange_id] = _spent(cap, subject_of(cap, request.message), now=now)
    for error in refused.values():
        log.warning("api_call_refused", api=error.api, code=error.code)
    return refused


def give_back(requests: Sequence[Request]) -> None:
    """Uncount calls of which no byte has left."""
    unsent = [each.exchange_id for each in requests if each.message.api not in UNBOUNDED]
    if unsent:
        ApiUse.objects.filter(pk__in=unsent).delete()


def purge() -> int:
    """Remove uses that no window or report reaches any more, a bounded number at a time."""
    with connection.cursor() as cursor:
        cursor.execute(_PURGE, [PURGE_AFTER_DAYS, PURGE_ROWS_MAX])
        return int(cursor.rowcount)


def span(cap: ApiCap) -> dt.timedelta:
    """Return how long a use counts: the window, and the time that a call takes to arrive."""
    seconds = cap.window_seconds * float(settings.UPI_TIMER_SCALE) + ARRIVAL_SECONDS
    return dt.timedelta(seconds=seconds)


def subject_of(cap: ApiCap, message: Message) -> str:
    """Return for whom a message is counted; it follows from the message alone."""
    if cap.subject_kind == SubjectKind.CUSTOMER:
        payer = getattr(message, "payer", None)
        device = payer.device if payer else None
        return (device.mobile if device else None) or (payer.addr.lower() if payer else "")
    if cap.subject_kind == SubjectKind.TRANSACTION:
        return f"{message.txn.org_txn_id}/{message.txn.initiated_by or ''}"
    return message.head.org_id


def _api(message: Message) -> str:
    return message.txn.type


def _refuse_early(
    asked: Sequence[Request], caps: dict[str, ApiCap], *, now: dt.datetime
) -> dict[UUID, ApiBudgetError]:
    """Refuse what comes at the wrong time, whatever is left of its cap."""
    is_restricted = any(cap.peak_rule == PeakRule.NOT_IN_PEAK for cap in caps.values())
    hours = selectors.peak_hours(at=now) if is_restricted else []
    begun = _begun(asked, caps)
    refused: dict[UUID, ApiBudgetError] = {}
    for request in asked:
        cap = caps[_api(request.message)]
        try:
            _check_peak(cap, hours, now=now)
            _check_age(cap, begun.get(request.message.txn.org_txn_id or ""), now=now)
        except ApiBudgetError as error:
            refused[request.exchange_id] = error
    return refused


def _is_further_page(request: Request, caps: dict[str, ApiCap], *, now: dt.datetime) -> bool:
    message = request.message
    if (message.head.page_seq_num or 1) == 1:
        return False
    cap, since = caps[_api(message)], now - dt.timedelta(seconds=PAGES_SECONDS)
    return selectors.uses(cap.api, subject_of(cap, message), since=since) > 0


def _begun(asked: Sequence[Request], caps: dict[str, ApiCap]) -> dict[str, dt.datetime]:
    originals = {
        request.message.txn.org_txn_id or ""
        for request in asked
        if caps[_api(request.message)].subject_kind == SubjectKind.TRANSACTION
    }
    return selectors.first_opened(originals) if originals else {}


def _check_age(cap: ApiCap, begun_at: dt.datetime | None, *, now: dt.datetime) -> None:
    """Refuse to ask about a payment before its parties had their time (circular OC-215)."""
    if begun_at is None:
        return
    first = begun_at + timers.span(Timer.CHECK_NOT_BEFORE)
    if now < first:
        raise ApiBudgetError(cap.api, retry_at=first, now=now)


def _check_peak(cap: ApiCap, hours: Sequence[PeakHours], *, now: dt.datetime) -> None:
    if cap.peak_rule != PeakRule.NOT_IN_PEAK:
        return
    ends_at = selectors.peak_ends(hours, at=now)
    if ends_at is not None:
        raise PeakHoursError(cap.api, retry_at=ends_at, now=now)


def _take(asked: Sequence[Request], caps: dict[str, ApiCap], *, now: dt.datetime) -> set[UUID]:
    used = [caps[_api(request.message)] for request in asked]
    subjects = [subject_of(cap, each.message) for cap, each in zip(used, asked, strict=True)]
    keys = {f"upi.api|{cap.api}|{subject}" for cap, subject in zip(used, subjects, strict=True)}
    parameters: dict[str, Any] = {
        "now": now,
        "exchange_ids": [request.exchange_id for request in asked],
        "apis": [cap.api for cap in used],
        "subjects": subjects,
        "caps": [cap.cap for cap in used],
        "since": [now - span(cap) for cap in used],
    }
    with connection.cursor() as cursor:
        # By itself and first: the counting statement must begin after the lock is ours.
        cursor.execute(_LOCK, [sorted(keys)])
        cursor.execute(_TAKE, parameters)
        return {exchange_id for (exchange_id,) in cursor.fetchall()}


def _spent(cap: ApiCap, subject: str, *, now: dt.datetime) -> ApiBudgetError:
    assert cap.cap is not None, "what has no cap is not refused for it"
    freeing = selectors.newest_use(cap.api, subject, place=cap.cap)
    retry_at = max(now, freeing + span(cap)) if freeing else now + span(cap)
    return ApiBudgetError(cap.api, retry_at=retry_at, now=now)
