# ruff: noqa: E402 - Django is set up before its models are imported
"""
Measure posting in batches against one transfer per transaction, on one server in one run.

The baseline is pgbench: the leanest transaction that leaves the same rows behind (two guarded
updates, one transfer, one key; six statements with BEGIN and COMMIT, prepared), at the best of
several client counts. Both sides take random accounts from the same books; a second pair of
figures has one account in every transfer, as the switch's is in every UPI payment, and pgbench
32 clients there. Rounds alternate, and the medians count.
"""

import collections
import gc
import os
import random
import re
import statistics
import subprocess
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "upi_platform.settings.test")

import django

django.setup()

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections, transaction

from apps.common.money import ZERO, Money
from apps.ledger import selectors
from apps.ledger.contracts import TransferOrder
from apps.ledger.models import Transfer, TransferKey
from apps.ledger.services.posting import post_transfers
from deploy.local.postgres import find_binaries
from tests.benchmarks import conditions
from tests.benchmarks.report import Row, report

DATABASE = "bench_posting"
ACCOUNTS = 100_000
FUNDS_PAISE = 10**12
CLIENTS = (1, 4, 8, 16, 32)
HOT_CLIENTS = 32
SECONDS = conditions.seconds(5, quick=2)
ROUNDS = int(conditions.count(3, quick=1))
BATCHES = (10, 100, 500)
TARGET_BATCH = 500

ONE_BY_ONE = """
\\set debit random(:first, :last)
\\set credit random(:first, :last - 1)
\\set credit CASE WHEN :credit >= :debit THEN :credit + 1 ELSE :credit END
\\set credit CASE WHEN :hot > 0 THEN :hot ELSE :credit END
\\set paise random(1, 100000)
BEGIN;
UPDATE ledger_account SET debits_posted_paise = debits_posted_paise + :paise
  WHERE id = :debit AND credits_posted_paise - debits_posted_paise - debits_pending_paise >= :paise
  RETURNING credits_posted_paise - debits_posted_paise AS debit_after \\gset
UPDATE ledger_account SET credits_posted_paise = credits_posted_paise + :paise
  WHERE id = :credit
  RETURNING credits_posted_paise - debits_posted_paise AS credit_after \\gset
INSERT INTO ledger_transfer_key (digest, transfer_id, kind, debit_account_id, credit_account_id,
  amount_paise, purpose)
  VALUES (gen_random_uuid(), (lpad(to_hex((extract(epoch FROM
  clock_timestamp()) * 1000)::bigint), 12, '0') || '7' || substr(md5(random()::text), 1, 3) || '8'
  || substr(md5(random()::text), 1, 15))::uuid, 'SINGLE', :debit, :credit, :paise, 'BENCH')
  RETURNING digest, transfer_id \\gset
INSERT INTO ledger_transfer (id, key, kind, debit_account_id, credit_account_id, amount_paise,
  purpose, debit_balance_after_paise, credit_balance_after_paise, posted_at)
  VALUES (:transfer_id, 'DEBIT-PAY-EXB' || :digest, 'SINGLE', :debit, :credit, :paise, 'BENCH',
  :debit_after, :credit_after, clock_timestamp());
COMMIT;
"""


def main() -> None:
    """Measure, print, keep the rows, and prove that the books still balance."""
    first, last = _prepare()
    # As the workers do: what Django loaded is not searched for garbage again and again.
    gc.collect()
    gc.freeze()
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "one_by_one.sql"
        script.write_text(ONE_BY_ONE)
        script.chmod(0o644)
        books = _Books(script, first, last)
        best = _best_clients(books)
        rounds: dict[str, list[float]] = collections.defaultdict(list)
        for _ in range(ROUNDS):
            rounds["single"].append(_pgbench(books, best, hot=0))
            for size in BATCHES:
                rounds[str(size)].append(_batches(books, size, hot=0))
            rounds["single hot"].append(_pgbench(books, HOT_CLIENTS, hot=first))
            rounds["hot"].append(_batches(books, TARGET_BATCH, hot=first))
    _prove()
    median = {name: statistics.median(rates) for name, rates in rounds.items()}
    rows = [
        Row(f"posting_batch_{size}", median[str(size)], "/s", median["single"]) for size in BATCHES
    ]
    rows.append(Row("posting_hot_account", median["hot"], "/s", median["single hot"]))
    report(
        f"Posting, {ACCOUNTS:,} accounts, against pgbench, one transfer a transaction, "
        f"{best} clients ({HOT_CLIENTS} with one account in every transfer)",
        rows,
    )


@dataclass(frozen=True)
class _Books:
    """The accounts to move money between, and the script that does it one by one."""

    script: Path
    first: int
    last: int


def _best_clients(books: _Books) -> int:
    rates = {clients: _pgbench(books, clients, hot=0) for clients in CLIENTS}
    for clients, rate in rates.items():
        print(f"one by one, random accounts, {clients:2d} clients: {rate:8,.0f} transfers/s")
    return max(rates, key=lambda clients: rates[clients])


def _prepare() -> tuple[int, int]:
    """Make a database of its own with funded accounts; return the first and last account."""
    owner = settings.DATABASES["owner"]
    address = {"host": owner["HOST"], "port": owner["PORT"], "user": owner["USER"]}
    address["password"] = owner["PASSWORD"]
    with psycopg.connect(dbname="postgres", autocommit=True, **address) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {DATABASE}")
    for alias in ("default", "owner"):
        connections[alias].settings_dict["NAME"] = DATABASE
    with connections["owner"].cursor() as cursor:
        role = settings.DATABASES["default"]["USER"]
        cursor.execute(
            f"ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}"
        )
    call_command("migrate", "ledger", database="owner", verbosity=0)
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_account (name, debits_posted_paise, credits_posted_paise, "
            "debits_pending_paise, credits_pending_paise, debits_must_not_exceed_credits, "
            "credits_must_not_exceed_debits, opened_at) "
            "SELECT 'bench', 0, %s, 0, 0, true, false, now() FROM generate_series(1, %s)",
            [FUNDS_PAISE, ACCOUNTS],
        )
        cursor.execute(
            "UPDATE ledger_account SET debits_posted_paise = %s WHERE code = 'VAULT_CASH'",
            [FUNDS_PAISE * ACCOUNTS],
        )
        cursor.execute("SELECT min(id), max(id) FROM ledger_account WHERE code IS NULL")
        first, last = cursor.fetchone()
    connections["owner"].close()
    with psycopg.connect(dbname=DATABASE, autocommit=True, **address) as connection:
        conditions.require_durability(connection)
        connection.execute("VACUUM ANALYZE")
    return first, last


def _pgbench(books: _Books, clients: int, hot: int) -> float:
    entry = settings.DATABASES["default"]
    done = subprocess.run(
        [
            str(find_binaries()[0] / "pgbench"),
            *("-h", entry["HOST"], "-p", str(entry["PORT"]), "-U", entry["USER"]),
            *("-n", "-M", "prepared", "-f", str(books.script), "-T", f"{SECONDS:.0f}"),
            *("-c", str(clients), "-j", str(min(clients, 2)), "--max-tries=5"),
            *("-D", f"first={books.first + 1}", "-D", f"last={books.last}", "-D", f"hot={hot}"),
            DATABASE,
        ],
        env={**os.environ, "PGPASSWORD": entry["PASSWORD"]},
        capture_output=True,
        text=True,
        check=False,
    )
    rate = re.search(r"tps = ([0-9.]+)", done.stdout)
    assert rate, done.stdout + done.stderr
    return float(rate[1])


def _batches(books: _Books, size: int, hot: int) -> float:
    """Return transfers per second of batches posted and committed one after the other."""
    posted, spent = 0, 0.0
    while spent < SECONDS:
        orders = [_order(books.first, books.last, hot) for _ in range(size)]
        begun = time.perf_counter()
        with transaction.atomic():
            verdicts = post_transfers(orders)
        spent += time.perf_counter() - begun
        posted += sum(verdict.is_posted for verdict in verdicts)
    return posted / spent


def _order(first: int, last: int, hot: int) -> TransferOrder:
    debit, credit = random.sample(range(first + 1, last + 1), 2)
    return TransferOrder(
        key=f"DEBIT-PAY-EXB{uuid.uuid4().hex}",
        debit_account=debit,
        credit_account=hot or credit,
        amount=Money(random.randint(1, 100_000)),
        purpose="BENCH",
    )


def _prove() -> None:
    """A fast ledger that is wrong would be worth nothing."""
    assert selectors.books_sum() == ZERO
    transfers, keys = Transfer.objects.count(), TransferKey.objects.count()
    assert transfers == keys > 0, f"{transfers} transfers, {keys} keys"


if __name__ == "__main__":
    main()
