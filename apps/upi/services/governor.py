"""
Keep our calls to the switch, and other PSPs' questions to us, within what the circulars allow.

The rules are dated rows, the uses are rows too: losing Redis breaks no cap. A use is counted in the
transaction that opens the call, under a lock by API and subject, so that of two calls at the same
moment the second sees the first. Payments and heartbeats are bounded by nothing here and ask
nothing.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection

from apps.common import ids
from apps.upi import selectors, timers
from apps.upi.budget_models import (
    CAPPED_FOR_OTHERS,
    ApiCap,
    ApiUse,
    CallDirection,
    PeakHours,
    PeakRule,
    SubjectKind,
)
from apps.upi.contracts import Message, Request, ResponseMessage
from apps.upi.errors import ApiBudgetError, AskedTooOftenError, PeakHoursError
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
    INSERT INTO upi_api_use (exchange_id, direction, api, subject_kind, subject, used_at)
    SELECT exchange_id, %(direction)s::text, api, kind, subject, %(now)s
      FROM (SELECT ask.*, row_number() OVER (PARTITION BY api, subject ORDER BY place) AS nth
              FROM unnest(%(exchange_ids)s::uuid[], %(apis)s::text[], %(kinds)s::text[],
                          %(subjects)s::text[], %(caps)s::int[], %(since)s::timestamptz[])
                   WITH ORDINALITY
                   AS ask (exchange_id, api, kind, subject, cap, since, place)) AS ask
     WHERE cap IS NULL
        OR cap >= nth + (SELECT count(*) FROM upi_api_use AS used
                          WHERE used.direction = %(direction)s::text AND used.api = ask.api
                            AND used.subject = ask.subject AND used.used_at > ask.since)
    RETURNING exchange_id
"""

# An array is made once; a sub-select in a join may be asked again, and take more each time.
_PURGE = """
    DELETE FROM upi_api_use WHERE exchange_id = ANY(ARRAY(
        SELECT exchange_id FROM upi_api_use
         WHERE used_at < clock_timestamp() - make_interval(days => %s) LIMIT %s))
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


def admit(message: Message, *, now: dt.datetime) -> None:
    """
    Count a question that another PSP asks us, in the transaction that accepts it.

    One customer's questions are counted exactly. A PSP's are counted without a lock, for it asks
    all the time: of its questions at the same moment a few may pass together.

    Raises AskedTooOftenError when a cap is spent: then the caller's transaction must not commit.
    """
    assert connection.in_atomic_block, "a question is counted in the transaction that accepts it"
    if isinstance(message, ResponseMessage) or _api(message) not in CAPPED_FOR_OTHERS:
        return
    for cap in selectors.caps_on_others(_api(message), at=now):
        subject = _asker(cap, message)
        ask = {
            "now": now,
            "direction": CallDirection.IN.value,
            "exchange_ids": [ids.uuid7()],
            "apis": [cap.api],
            "kinds": [cap.subject_kind],
            "subjects": [subject],
            "caps": [cap.cap],
            "since": [now - span(cap)],
        }
        locked = [_key(cap, subject)] if cap.subject_kind == SubjectKind.CUSTOMER else []
        if not _insert(ask, locked=locked):
            wait = _frees_at(cap, subject, now=now) - now
            log.warning("asked_too_often", api=cap.api, subject_kind=cap.subject_kind)
            seconds = max(1, int(wait.total_seconds()) + 1)
            raise AskedTooOftenError(cap.subject_kind, retry_after_seconds=seconds)


def purge() -> int:
    """Remove uses that no window or report reaches any more, a bounded number at a time."""
    with connection.cursor() as cursor:
        cursor.execute(_PURGE, [PURGE_AFTER_DAYS, PURGE_ROWS_MAX])
        return int(cursor.rowcount)


def span(cap: ApiCap) -> dt.timedelta:
    """Return how long a use counts: the window, and the time that a call of ours is under way."""
    seconds = cap.window_seconds * float(settings.UPI_TIMER_SCALE)
    if cap.direction == CallDirection.OUT:
        seconds += ARRIVAL_SECONDS
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


def _asker(cap: ApiCap, message: Message) -> str:
    """Return who asks us: a customer by the address, whose handle is the app, or the whole app."""
    payer = getattr(message, "payer", None)
    address = payer.addr.lower() if payer else ""
    if cap.subject_kind == SubjectKind.CUSTOMER:
        return address
    return address.rpartition("@")[2]


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
    keys = {_key(cap, subject) for cap, subject in zip(used, subjects, strict=True)}
    parameters: dict[str, Any] = {
        "now": now,
        "direction": CallDirection.OUT.value,
        "exchange_ids": [request.exchange_id for request in asked],
        "apis": [cap.api for cap in used],
        "kinds": [cap.subject_kind for cap in used],
        "subjects": subjects,
        "caps": [cap.cap for cap in used],
        "since": [now - span(cap) for cap in used],
    }
    return _insert(parameters, locked=keys)


def _insert(parameters: dict[str, Any], *, locked: Collection[str]) -> set[UUID]:
    """Count what its cap allows, and return it."""
    with connection.cursor() as cursor:
        # By itself and first: the counting statement must begin after the lock is ours.
        if locked:
            cursor.execute(_LOCK, [sorted(locked)])
        cursor.execute(_TAKE, parameters)
        return {exchange_id for (exchange_id,) in cursor.fetchall()}


def _key(cap: ApiCap, subject: str) -> str:
    return f"upi.api|{cap.direction}|{cap.api}|{subject}"


def _spent(cap: ApiCap, subject: str, *, now: dt.datetime) -> ApiBudgetError:
    return ApiBudgetError(cap.api, retry_at=_frees_at(cap, subject, now=now), now=now)


def _frees_at(cap: ApiCap, subject: str, *, now: dt.datetime) -> dt.datetime:
    assert cap.cap is not None, "what has no cap is not refused for it"
    freeing = selectors.filling_use(cap, subject)
    return max(now, freeing + span(cap)) if freeing else now + span(cap)
