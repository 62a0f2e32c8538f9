"""
Hold the core-banking host's book against ours, call by call: `python -m deploy.local.host_books`.

`base FILE` keeps what is there before a run. `compare FILE` waits until no movement is undecided,
then names every call, account and transfer in which the two books differ. Never one sum alone: two
opposite errors are two errors.
"""

import argparse
import csv
import datetime as dt
import io
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg

from deploy.local import command, console, environment

# Enquiries, cancellations that repeat, a host marked down for half a minute, second looks.
_SETTLE_SECONDS = 900.0
_LOOK_SECONDS = 5.0
_SECONDS = 60
_SHOWN_MAX = 40
_DAY = dt.timedelta(days=1)
_POSTED, _UNDONE = "POSTED", "UNDONE"
_CODES = {"DEBIT": "000000", "CREDIT": "210000", "REVERSAL": "200000"}
_OPEN = """
    SELECT role || ' ' || state || CASE WHEN parked_at IS NULL THEN '' ELSE ' parked' END, count(*)
      FROM payments_leg
     WHERE role IN ('DEBIT', 'CREDIT', 'REVERSAL')
       AND state NOT IN ('POSTED', 'DECLINED', 'REFUSED_BY_REVERSAL', 'NOT_DONE', 'KEPT')
     GROUP BY 1 ORDER BY 1
"""
_UNANSWERED = """
    SELECT call.id::text FROM accounts_core_banking_call AS call
      JOIN payments_leg AS leg ON leg.id = call.leg_id AND leg.role = call.kind
     WHERE call.state IN ('PLANNED', 'SILENT') OR leg.state IN ('POSTING', 'UNKNOWN', 'CANCELLING')
"""
_ENDS = """
    SELECT call.kind || ' ' || call.state || ', leg ' || leg.state
           || CASE WHEN EXISTS (SELECT FROM accounts_core_banking_call AS cancel
                                 WHERE cancel.leg_id = call.leg_id AND cancel.kind = 'CANCEL')
                   THEN ', cancelled' ELSE '' END
           || CASE WHEN EXISTS (SELECT FROM accounts_core_banking_call AS enquiry
                                 WHERE enquiry.leg_id = call.leg_id AND enquiry.kind = 'ENQUIRY')
                   THEN ', enquired' ELSE '' END, count(*)
      FROM accounts_core_banking_call AS call
      JOIN payments_leg AS leg ON leg.id = call.leg_id AND leg.role = call.kind
     WHERE call.id = ANY(%s::uuid[])
     GROUP BY 1 ORDER BY 1
"""
# A return's account is that of the debit which it gives back.
_MOVEMENTS = """
    SELECT call.terminal, call.stan, call.transmitted_at, leg.role, leg.state, leg.transaction_id,
           transaction.rrn, transaction.amount_paise,
           CASE WHEN leg.role <> 'REVERSAL' THEN leg.account_number
                ELSE (SELECT debit.account_number FROM payments_leg AS debit
                       WHERE debit.transaction_id = leg.transaction_id AND debit.role = 'DEBIT'
                       LIMIT 1) END,
           transfer.amount_paise,
           CASE WHEN transfer.credit_account_id = mirror.id THEN 1
                WHEN transfer.debit_account_id = mirror.id THEN -1 END
      FROM payments_leg AS leg
      JOIN payments_transaction AS transaction ON transaction.id = leg.transaction_id
      CROSS JOIN (SELECT id FROM ledger_account WHERE code = 'CORE_BANKING') AS mirror
      LEFT JOIN accounts_core_banking_call AS call
        ON call.leg_id = leg.id AND call.kind = leg.role
      LEFT JOIN ledger_transfer AS transfer ON transfer.id = leg.transfer_id
     WHERE leg.role IN ('DEBIT', 'CREDIT', 'REVERSAL')
"""
_MIRROR = """
    SELECT credits_posted_paise - debits_posted_paise FROM ledger_account
     WHERE code = 'CORE_BANKING'
"""
_NUMBERS = "SELECT number FROM accounts_bank_account ORDER BY number"

Key = tuple[str, int, str]


@dataclass(frozen=True, slots=True)
class Line:
    """What the host posted or undid under the name of one call; `paise` is positive for credit."""

    kind: str
    key: Key
    rrn: str
    processing_code: str
    upi_id: str
    account: str
    paise: int


@dataclass(frozen=True, slots=True)
class Movement:
    """A debit, credit or return of ours; `booked_paise` is its transfer's, positive for credit."""

    key: Key | None
    role: str
    state: str
    transaction_id: str
    rrn: str
    amount_paise: int
    account: str
    booked_paise: int | None

    @property
    def paise(self) -> int:
        """What it should have changed the customer's account by."""
        if self.state != _POSTED:
            return 0
        return -self.amount_paise if self.role == "DEBIT" else self.amount_paise


@dataclass(frozen=True, slots=True)
class Base:
    """What was there before the run: the mirror, each account at the host, its business day."""

    mirror_paise: int
    accounts: Mapping[str, int]
    business_date: str


@dataclass(frozen=True, slots=True)
class Books:
    """Both books at one time, when nothing is under way."""

    lines: Sequence[Line]
    movements: Sequence[Movement]
    accounts: Mapping[str, int]
    mirror_paise: int


def differences(base: Base, now: Books) -> list[str]:
    """Return every difference as a line for a person; none when no money was lost or made."""
    return [
        *_by_call(now),
        *_by_account(base, now),
        *_mirrored(base, now),
    ]


def _by_call(now: Books) -> Iterator[str]:
    told: dict[Key, list[Line]] = defaultdict(list)
    for line in now.lines:
        told[line.key].append(line)
    for movement in now.movements:
        lines = told.pop(movement.key, []) if movement.key else []
        name = f"{movement.role} of {movement.transaction_id} ({movement.state})"
        theirs = sum(line.paise for line in lines)
        if theirs != movement.paise:
            yield f"{name}: {theirs} paise at the host, {movement.paise} by our leg"
        if sum(line.kind == _POSTED for line in lines) > 1:
            yield f"{name}: posted more than once at the host"
        if (movement.booked_paise or 0) != movement.paise:
            booked = movement.booked_paise or 0
            yield f"{name}: {booked} paise in our ledger, {movement.paise} by our leg"
        for line in lines:
            yield from (f"{name}: the host's {each}" for each in _other_content(line, movement))
    for key, lines in told.items():
        yield f"{key}: {sum(line.paise for line in lines)} paise at the host, no call of ours"


def _other_content(line: Line, movement: Movement) -> Iterator[str]:
    for what, theirs, ours in (
        ("account", line.account, movement.account),
        ("RRN", line.rrn, movement.rrn),
        ("UPI id", line.upi_id, movement.transaction_id),
        ("processing code", line.processing_code, _CODES[movement.role]),
    ):
        if theirs != ours:
            yield f"{what} is {theirs}, ours {ours}"


def _by_account(base: Base, now: Books) -> Iterator[str]:
    by_lines = _sums((line.account, line.paise) for line in now.lines)
    by_legs = _sums((movement.account, movement.paise) for movement in now.movements)
    for number in sorted({*base.accounts, *now.accounts, *by_lines, *by_legs}):
        change = now.accounts.get(number, 0) - base.accounts.get(number, 0)
        if not change == by_lines[number] == by_legs[number]:
            yield (
                f"account {number}: {change} paise by its balance, {by_lines[number]} by the "
                f"host's day file, {by_legs[number]} by our legs"
            )


def _mirrored(base: Base, now: Books) -> Iterator[str]:
    change = now.mirror_paise - base.mirror_paise
    posted = sum(movement.paise for movement in now.movements)
    if change != posted:
        yield f"CORE_BANKING: {change} paise in our ledger, {posted} by our legs"


def _sums(parts: Iterable[tuple[str, int]]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for name, paise in parts:
        sums[name] += paise
    return sums


def main() -> int:
    """Keep the base, or wait and compare: 1 if anything differs or stays undecided."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.host_books", description=__doc__)
    parser.add_argument("action", choices=("base", "compare"))
    parser.add_argument("file", type=Path)
    options = parser.parse_args()
    values = environment.inherited()
    host = httpx.Client(base_url=values["CORE_BANKING_CONTROL_URL"], timeout=_SECONDS)
    with host, psycopg.connect(values["DATABASE_OWNER_URL"], autocommit=True) as database:
        if options.action == "base":
            _keep_base(host, database, options.file)
            return 0
        return _compared(host, database, options.file)


def _keep_base(host: httpx.Client, database: psycopg.Connection, file: Path) -> None:
    accounts = _balances(host, database)
    document = {
        "mirror_paise": _mirror(database),
        "accounts": accounts,
        "business_date": _today(host),
    }
    file.write_text(json.dumps(document), encoding="utf-8")
    console.say(f"{len(accounts)} accounts at the host")


def _compared(host: httpx.Client, database: psycopg.Connection, file: Path) -> int:
    base = Base(**json.loads(file.read_text(encoding="utf-8")))
    unanswered = [key for (key,) in database.execute(_UNANSWERED).fetchall()]
    console.say(f"{len(unanswered)} movements whose call has no answer at the end of the run")
    is_settled = _settled(database)
    for what, count in database.execute(_ENDS, [unanswered]).fetchall():
        console.say(f"  ended: {count} {what}")
    if not is_settled:
        console.say(f"movements are undecided after {_SETTLE_SECONDS:.0f} s")
    lines = list(_lines(host, base.business_date))
    movements = list(_movements(database))
    now = Books(lines, movements, _balances(host, database), _mirror(database))
    found = differences(base, now)
    for each in found[:_SHOWN_MAX]:
        console.say(f"  {each}")
    posted = sum(movement.state == _POSTED for movement in movements)
    undone = sum(line.kind == _UNDONE for line in lines)
    console.say(
        f"{len(movements)} movements of ours, {posted} posted; {len(lines)} lines of the host, "
        f"{undone} of them undone; {len(now.accounts)} accounts: {len(found)} differences"
    )
    return 0 if is_settled and not found else 1


def _settled(database: psycopg.Connection) -> bool:
    """Wait, and say on what, until no debit, credit or return is undecided; False if some stay."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    while rows := database.execute(_OPEN).fetchall():
        console.say("  undecided: " + ", ".join(f"{count} {what}" for what, count in rows))
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_SECONDS)
    return True


def _mirror(database: psycopg.Connection) -> int:
    row = database.execute(_MIRROR).fetchone()
    assert row is not None, "the chart of accounts has it from the first migration on"
    return int(row[0])


def _balances(host: httpx.Client, database: psycopg.Connection) -> dict[str, int]:
    numbers = [number for (number,) in database.execute(_NUMBERS).fetchall()]
    return {
        number: host.get(f"/accounts/{number}").raise_for_status().json()["balance_paise"]
        for number in numbers
    }


def _today(host: httpx.Client) -> str:
    return str(host.get("/healthz").raise_for_status().json()["business_date"])


def _lines(host: httpx.Client, first: str) -> Iterator[Line]:
    """Read the host's days from the first on, the one that is not over too."""
    day, last = dt.date.fromisoformat(first), dt.date.fromisoformat(_today(host))
    while day <= last:
        text = host.get(f"/dayfile/{day}", params={"open": "1"}).raise_for_status().text
        *rows, end = csv.DictReader(io.StringIO(text))
        assert (end["kind"], end["rows"]) == ("END", str(len(rows))), "the whole day was read"
        for row in rows:
            amount = int(row["amount_paise"])
            yield Line(
                kind=row["kind"],
                key=(row["terminal"].strip(), int(row["stan"]), row["sent_at"]),
                rrn=row["rrn"],
                processing_code=row["processing_code"],
                upi_id=row["upi_id"],
                account=row["account"],
                paise=-amount if row["sign"] == "D" else amount,
            )
        day += _DAY


def _movements(database: psycopg.Connection) -> Iterator[Movement]:
    for row in database.execute(_MOVEMENTS).fetchall():
        terminal, stan, sent_at, role, state, txn, rrn, paise, account, booked, sign = row
        key = None
        if terminal is not None:
            key = (terminal.strip(), stan, f"{sent_at.astimezone(dt.UTC):%m%d%H%M%S}")
        signed = None if booked is None else booked * (sign or 0)
        yield Movement(key, role, state, txn, rrn, paise, account or "", signed)


if __name__ == "__main__":
    sys.exit(command.run_to_end(main))
