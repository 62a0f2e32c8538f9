"""Our calls to the core-banking host and the lines of its files, by the trace that both have."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.db import connection

from apps.accounts.core_banking import iso8583_profile
from apps.accounts.core_banking.base import core_banking
from apps.accounts.states import CallKind
from apps.common import clock
from apps.common.money import Money
from apps.payments.states import State
from apps.settlement.contracts import CallKey, HostLine, LineKind, OurCall
from apps.settlement.host_judging import HostDays
from apps.settlement.models import HostFile

# In Redis while a fetch need not be tried again: whoever sees it leaves the host in peace.
FETCH_MARK = "settlement:host_file_asked"
_DAY = dt.timedelta(days=1)
_CHUNK = 5_000

_CALLS = """
    SELECT call.id, call.leg_id, leg.transaction_id,
           leg.role || '/' || leg.kind || '/' || leg.transaction_id, call.kind, leg.state,
           call.terminal, call.stan, call.transmitted_at,
           coalesce(call.repeated_at, call.transmitted_at), call.business_date,
           call.settlement_date,
           CASE WHEN cancel.response_code <> ''
                THEN coalesce(cancel.settlement_date, cancel.business_date) END,
           call.rrn, call.amount_paise,
           CASE WHEN leg.role <> 'REVERSAL' THEN leg.account_number
                ELSE coalesce((SELECT debit.account_number
                                 FROM payments_legkey AS key
                                 JOIN payments_leg AS debit ON debit.id = key.leg_id
                                WHERE key.transaction_id = leg.transaction_id
                                  AND key.role = 'DEBIT' LIMIT 1), '') END
      FROM accounts_core_banking_call AS call
      JOIN payments_leg AS leg ON leg.id = call.leg_id AND leg.role = call.kind
      LEFT JOIN accounts_core_banking_call AS cancel
        ON cancel.leg_id = call.leg_id AND cancel.kind = 'CANCEL'
"""
_OF_LEGS = f"""{_CALLS}
     WHERE leg.id = ANY(%(legs)s::uuid[]) AND leg.state IN ('UNKNOWN', 'CANCELLING')
"""
_BY_KEY = f"""{_CALLS}
      JOIN unnest(%(dates)s::date[], %(stans)s::int[], %(terminals)s::text[],
                  %(sent)s::timestamptz[]) AS wanted (business_date, stan, terminal, sent_at)
        ON call.business_date = wanted.business_date AND call.stan = wanted.stan
       AND call.terminal = wanted.terminal AND call.transmitted_at = wanted.sent_at
"""
# The host dates a call as we do, or a day later; one that was sent again is dated later still.
_POSTED_ON = f"""{_CALLS}
     WHERE call.business_date BETWEEN %(date)s::date - 1 AND %(date)s::date
       AND coalesce(call.settlement_date, call.business_date) = %(date)s::date
       AND call.kind IN ('DEBIT', 'CREDIT', 'REVERSAL') AND leg.state = 'POSTED'
"""
_OPEN = """
    SELECT leg.id, leg.transaction_id FROM payments_leg AS leg
     WHERE leg.role IN ('DEBIT', 'CREDIT', 'REVERSAL')
       AND leg.state IN ('UNKNOWN', 'CANCELLING') ORDER BY leg.id
"""
_LINES = """
    SELECT line.kind, file.business_date, line.terminal, line.stan, line.sent_at, line.rrn,
           line.processing_code, line.upi_id, line.account, line.amount_paise, line.sign, line.at
      FROM settlement_host_file_line AS line
      JOIN settlement_host_file AS file ON file.id = line.file_id
"""
_LINES_BY_KEY = f"""{_LINES}
      JOIN unnest(%(stans)s::int[], %(terminals)s::text[], %(sent)s::timestamptz[])
           AS wanted (stan, terminal, sent_at)
        ON line.sent_at = wanted.sent_at AND line.stan = wanted.stan
       AND line.terminal = wanted.terminal
     ORDER BY line.id
"""
_LINES_OF_DAY = f"""{_LINES}
     WHERE file.business_date = %(date)s ORDER BY line.id
"""
_STRANGE = """
    SELECT DISTINCT business_date FROM accounts_core_banking_call
     WHERE business_date = ANY(%s::date[]) AND kind IN ('DEBIT', 'CREDIT', 'REVERSAL')
       AND state = 'ANSWERED' AND repeated_at IS NULL
       AND settlement_date NOT BETWEEN business_date AND business_date + 1
"""


def has_host() -> bool:
    """Say whether core banking is a host, and not our own books."""
    return not core_banking().posts_at_once


def profile() -> iso8583_profile.Profile:
    """Return what the host speaks."""
    chosen = settings.CORE_BANKING["OPTIONS"].get("profile", "")
    return iso8583_profile.load(Path(chosen) if chosen else iso8583_profile.OURS)


def open_legs() -> list[tuple[UUID, str]]:
    """Return the legs of which nobody knows whether money moved, and their transactions."""
    return [(leg_id, transaction_id) for leg_id, transaction_id in _rows(_OPEN, {})]


def open_calls(leg_ids: Collection[UUID]) -> list[OurCall]:
    """Return the movements of those of the legs that are UNKNOWN or CANCELLING."""
    return _calls(_OF_LEGS, {"legs": list(leg_ids)})


def calls_by_key(keys: Collection[CallKey]) -> dict[CallKey, OurCall]:
    """Return our movements of these traces; what we never asked for is absent."""
    found: dict[CallKey, OurCall] = {}
    for part in _parts(keys):
        parameters = _columns(part) | {"dates": [clock.business_date(key[2]) for key in part]}
        found |= {call.key: call for call in _calls(_BY_KEY, parameters)}
    return found


def calls_posted_on(date: dt.date) -> list[OurCall]:
    """Return the movements that are posted here, and that the host has or would date so."""
    return _calls(_POSTED_ON, {"date": date})


def lines_of_day(date: dt.date) -> list[HostLine]:
    """Return what the host's file of a business day says; nothing if there is none."""
    return _lines(_LINES_OF_DAY, {"date": date})


def lines_by_key(keys: Collection[CallKey]) -> dict[CallKey, list[HostLine]]:
    """Return what all files together say of these traces."""
    found: dict[CallKey, list[HostLine]] = {}
    for part in _parts(keys):
        for line in _lines(_LINES_BY_KEY, _columns(part)):
            found.setdefault(line.key, []).append(line)
    return found


def days_of(calls: Collection[OurCall]) -> HostDays:
    """Return which of the days that matter to these calls we have files of."""
    days = sorted({day for call in calls for day in call.days})
    taken = HostFile.objects.filter(business_date__in=days)
    with connection.cursor() as cursor:
        cursor.execute(_STRANGE, [days])
        strange = {row[0] for row in cursor.fetchall()}
    return HostDays(set(taken.values_list("business_date", flat=True)), strange)


def host_file_is_due() -> bool:
    """Say whether the host's file of yesterday, or of an earlier day, should be fetched now."""
    if not settings.CORE_BANKING_FILES_URL or not has_host():
        return False
    now = clock.now()
    if now.astimezone(clock.IST).time() < settings.HOST_FILE_AT:
        return False
    return not has_file(clock.business_date(now) - _DAY) and cache.get(FETCH_MARK) is None


def has_file(date: dt.date) -> bool:
    """Say whether the host's file of a day was taken."""
    return HostFile.objects.filter(business_date=date).exists()


def missing_days(*, now: dt.datetime, limit: int) -> list[dt.date]:
    """Return the days that are over and have no file yet, from the last that has one."""
    yesterday = clock.business_date(now) - _DAY
    last = HostFile.objects.order_by("-business_date").values_list("business_date", flat=True)
    first = max(last[0] + _DAY if last else yesterday, yesterday - _DAY * (limit - 1))
    return [first + _DAY * number for number in range((yesterday - first).days + 1)]


def _parts(keys: Collection[CallKey]) -> list[Sequence[CallKey]]:
    wanted = sorted(keys)
    return [wanted[start : start + _CHUNK] for start in range(0, len(wanted), _CHUNK)]


def _columns(keys: Sequence[CallKey]) -> dict[str, Any]:
    terminals, stans, sent = ([key[place] for key in keys] for place in range(3))
    return {"terminals": terminals, "stans": stans, "sent": sent}


def _calls(statement: str, parameters: Mapping[str, Any]) -> list[OurCall]:
    names = OurCall.__slots__
    found = []
    for row in _rows(statement, parameters):
        values = dict(zip(names, row, strict=True))
        values |= {"kind": CallKind(values["kind"]), "state": State(values["state"])}
        found.append(OurCall(**values | {"amount": Money(values["amount"])}))
    return found


def _lines(statement: str, parameters: Mapping[str, Any]) -> list[HostLine]:
    names = HostLine.__slots__
    found = []
    for row in _rows(statement, parameters):
        values = dict(zip(names, row, strict=True))
        values |= {"kind": LineKind(values["kind"]), "amount": Money(values["amount"])}
        found.append(HostLine(**values))
    return found


def _rows(statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
