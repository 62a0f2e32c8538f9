"""The rows of calls to a host: planned before they are sent, and what came of them afterwards."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from apps.accounts.models import CoreBankingCall
from apps.accounts.states import CallKind, CallState
from apps.common import clock, ids

# A STAN has six digits, and none is 000000.
STANS = 999_999
# Numbers drawn anew because a call of the day has them: only after they all went round once.
DRAWS_MAX = 20
MOVEMENTS = (CallKind.DEBIT, CallKind.CREDIT, CallKind.REVERSAL)

_PLAN = """
    INSERT INTO accounts_core_banking_call (id, leg_id, original_id, kind, mti_class, acquirer,
           business_date, terminal, stan, transmitted_at, rrn, amount_paise, state)
    SELECT d.id, d.leg_id, d.original_id, d.kind, d.mti_class, %(acquirer)s, %(date)s,
           (%(terminals)s::text[])[1 + d.trace / 999999 %% cardinality(%(terminals)s::text[])],
           1 + d.trace %% 999999, %(at)s, d.rrn, d.paise, 'PLANNED'
      FROM (SELECT n.*, nextval('accounts_core_banking_trace') AS trace
              FROM unnest(%(ids)s::uuid[], %(legs)s::uuid[], %(originals)s::uuid[],
                          %(kinds)s::text[], %(classes)s::text[], %(rrns)s::text[],
                          %(paise)s::bigint[])
                   AS n(id, leg_id, original_id, kind, mti_class, rrn, paise)) d
        ON CONFLICT ON CONSTRAINT core_banking_call_trace_is_used_once_a_day DO NOTHING
    RETURNING id, terminal, stan
"""
_RECORD = """
    UPDATE accounts_core_banking_call c
       SET state = n.state, response_code = n.response_code, original_code = n.original_code,
           approval = n.approval, settlement_date = n.settlement_date, answered_at = n.answered_at
      FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::date[],
                  %s::timestamptz[])
           AS n(id, state, response_code, original_code, approval, settlement_date, answered_at)
     WHERE c.id = n.id AND NOT c.response_code = ANY(%s::text[])
"""


class TracesSpentError(Exception):
    """Every STAN of every terminal was used on this day: the bank needs more terminals."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A call that shall be planned."""

    kind: CallKind
    rrn: str
    paise: int
    leg_id: UUID | None = None
    original_id: UUID | None = None

    @property
    def mti_class(self) -> str:
        """The first two digits of the message type."""
        return "04" if self.kind is CallKind.CANCEL else "02"


@dataclass(frozen=True, slots=True)
class Call:
    """A planned call, as the wire names it."""

    id: UUID
    wish: Wish
    terminal: str
    stan: int
    transmitted_at: dt.datetime

    @property
    def trace(self) -> str:
        """DE11."""
        return f"{self.stan:06}"

    @property
    def transmitted(self) -> str:
        """DE7."""
        return f"{self.transmitted_at:%m%d%H%M%S}"


@dataclass(frozen=True, slots=True)
class Stored:
    """A planned call and what its row says of the answer."""

    call: Call
    state: CallState
    response_code: str
    answered_at: dt.datetime | None
    repeats: int


@dataclass(frozen=True, slots=True)
class Word:
    """What an answer said, as the row keeps it."""

    response_code: str
    answered_at: dt.datetime
    original_code: str = ""
    approval: str = ""
    settlement_date: dt.date | None = None


def plan(wishes: Sequence[Wish], *, acquirer: str, terminals: Sequence[str]) -> list[Call]:
    """
    Write the calls with a terminal and a STAN each; the caller's transaction is open.

    Raises TracesSpentError, and IntegrityError for a second movement of one leg: a bug.
    """
    at = clock.now().replace(microsecond=0)
    calls: dict[UUID, Call] = {}
    open_wishes = {ids.uuid7(): wish for wish in wishes}
    order = list(open_wishes)
    for _ in range(DRAWS_MAX):
        if not open_wishes:
            return [calls[key] for key in order]
        rows = _insert(open_wishes, at=at, acquirer=acquirer, terminals=terminals)
        for key, terminal, stan in rows:
            calls[key] = Call(key, open_wishes.pop(key), terminal, stan, at)
    raise TracesSpentError


def _insert(
    wishes: dict[UUID, Wish], *, at: dt.datetime, acquirer: str, terminals: Sequence[str]
) -> list[tuple[UUID, str, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            _PLAN,
            {
                "acquirer": acquirer,
                "date": clock.business_date(at),
                "terminals": list(terminals),
                "at": at,
                "ids": list(wishes),
                "legs": [wish.leg_id for wish in wishes.values()],
                "originals": [wish.original_id for wish in wishes.values()],
                "kinds": [wish.kind.value for wish in wishes.values()],
                "classes": [wish.mti_class for wish in wishes.values()],
                "rrns": [wish.rrn for wish in wishes.values()],
                "paise": [wish.paise for wish in wishes.values()],
            },
        )
        rows: list[tuple[UUID, str, int]] = cursor.fetchall()
        return rows


def record(
    words: Sequence[tuple[UUID, CallState, Word | None]], *, final_codes: Collection[str]
) -> None:
    """
    Write what came of calls: an answer of `final_codes` that stands in a row is never replaced.

    The caller's transaction is open, and has locked its legs before.
    """
    if not words:
        return
    ordered = sorted(words, key=lambda word: word[0])
    with connection.cursor() as cursor:
        cursor.execute(
            _RECORD,
            [
                [key for key, _, _ in ordered],
                [state.value for _, state, _ in ordered],
                [word.response_code if word else "" for _, _, word in ordered],
                [word.original_code if word else "" for _, _, word in ordered],
                [word.approval if word else "" for _, _, word in ordered],
                [word.settlement_date if word else None for _, _, word in ordered],
                [word.answered_at if word else None for _, _, word in ordered],
                list(final_codes),
            ],
        )


def of_legs(leg_ids: Collection[UUID], kinds: Collection[CallKind]) -> dict[UUID, Stored]:
    """Return the one planned call of such a kind of each leg that has one."""
    rows = CoreBankingCall.objects.filter(leg_id__in=leg_ids, kind__in=kinds)
    return {row.leg_id: stored(row) for row in rows if row.leg_id is not None}


def stored(row: CoreBankingCall) -> Stored:
    """Return a row as a value."""
    wish = Wish(CallKind(row.kind), row.rrn, row.amount_paise, row.leg_id, row.original_id)
    call = Call(row.pk, wish, row.terminal, row.stan, row.transmitted_at)
    state = CallState(row.state)
    return Stored(call, state, row.response_code, row.answered_at, row.repeats)


def begin_again(stored_calls: Sequence[Stored]) -> set[UUID]:
    """
    Count a repeat of calls that are sent once more, as they were. A transaction is open.

    Return which may be sent. To the others an answer came since they were read: it stays.
    """
    if not stored_calls:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_core_banking_call AS c "
            "SET repeats = repeats + 1, state = 'PLANNED', response_code = '', "
            "answered_at = NULL, repeated_at = %s "
            "FROM unnest(%s::uuid[], %s::text[]) AS n(id, response_code) "
            "WHERE c.id = n.id AND c.response_code = n.response_code RETURNING c.id",
            [
                clock.now(),
                [each.call.id for each in stored_calls],
                [each.response_code for each in stored_calls],
            ],
        )
        return {key for (key,) in cursor.fetchall()}


def release_returns(last_sent: Mapping[UUID, dt.datetime], *, final_codes: Sequence[str]) -> None:
    """
    Let returns be sent once more of which the host's files prove that none arrived.

    The caller's transaction is open, and has locked their legs before. One with a final answer, or
    sent again after the instant that is given for it, stays as it is.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_core_banking_call AS c "
            "SET state = 'NOT_SENT', response_code = '', answered_at = NULL "
            "FROM unnest(%s::uuid[], %s::timestamptz[]) AS n(id, sent_at) "
            "WHERE c.id = n.id AND coalesce(c.repeated_at, c.transmitted_at) = n.sent_at "
            "AND c.kind = 'REVERSAL' AND NOT c.response_code = ANY(%s)",
            [list(last_sent), list(last_sent.values()), list(final_codes)],
        )


def take_allowance(wanted: int, *, per_second: int) -> int:
    """
    Return how many cancellations may be sent now, and count them as sent.

    All processes together stay at so many in any one second. The caller's transaction is open,
    and waits for those of others that ask at the same time.
    """
    if not wanted:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT clock_timestamp(), ARRAY(SELECT s FROM unnest(sent_at) AS s "
            # An instant after now was counted before the clock was set back: it is over.
            "WHERE s > clock_timestamp() - interval '1 second' AND s <= clock_timestamp()) "
            "FROM accounts_cancellation_pace WHERE id = 1 FOR UPDATE"
        )
        row = cursor.fetchone()
        assert row is not None
        now, recent = row
        granted = max(0, min(wanted, per_second - len(recent)))
        cursor.execute(
            "UPDATE accounts_cancellation_pace SET sent_at = %s::timestamptz[] WHERE id = 1",
            [[*recent, *[now] * granted]],
        )
    return granted
