"""The platform as the benchmarks of payments find it: all parts, durable, customers with PINs."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg

from apps.common import clock, ids
from deploy.local.demo import load
from deploy.local.demo.page import Page
from deploy.local.demo.stage import Customer, Stage
from deploy.local.directory import LocalDirectory
from deploy.local.platform import Platform
from tests.benchmarks import conditions, open_loop
from tests.benchmarks.load_plan import Answer, Plan

# Many payments by few payers: what a day allows one of them is not what is measured.
PAYMENTS_A_DAY = 10_000
# The world outside, what only routes on one machine, and a JVM that mostly idles.
OUTSIDE = frozenset({"switch", "router", "kafka"})
# A part that spends less on a payment is not shown.
LEAST_MILLISECONDS = 0.05
PAYMENT_PATH = "/app/v1/payments"
SETTLED_SECONDS_MAX = 240.0
# PostgreSQL's backends tell what they counted once they have been idle for so long.
STATISTICS_SECONDS = 10.5
_TERMINAL = ("SUCCESS", "FAILED", "DEEMED")


@dataclass(frozen=True)
class Counters:
    """What PostgreSQL and the processes have done so far, at an instant."""

    at: float
    commits: int
    writing_commits: int
    wal_bytes: int
    cpu_seconds: Mapping[str, float]


@dataclass(frozen=True)
class Order:
    """A payment that is ready to be sent, and how its sender asks for the receipt."""

    txn_id: str
    request: bytes
    follow: bytes


@dataclass(frozen=True)
class Ground:
    """A platform that runs, its payers, and a connection that only looks."""

    platform: Platform
    stage: Stage
    page: Page
    payers: Sequence[Customer]
    connection: psycopg.Connection
    since: UUID

    def port(self, part: str) -> int:
        ports: dict[str, int] = json.loads(self.platform.directory.ports_file.read_text())
        return ports[part]

    def orders(self, count: int) -> list[Order]:
        """Return payments of one rupee, each payer to the next in turn, PIN blocks made."""
        return [self._order(number) for number in range(count)]

    def _order(self, number: int) -> Order:
        payer = self.payers[number % len(self.payers)]
        payee = self.payers[(number + 1) % len(self.payers)]
        body = payer.phone.payment_order(
            account_id=payer.account_id,
            payer=payer.vpa,
            payee=payee.vpa,
            amount_paise=1_00,
            pin=payer.pin,
        )
        bearer = {"Authorization": f"Bearer {payer.phone._token}"}
        headers = {"Idempotency-Key": str(uuid4()), **bearer}
        content = json.dumps(body).encode()
        request = open_loop.post(PAYMENT_PATH, content, kind="application/json", **headers)
        follow = open_loop.get(f"/live/v1/payments/{body['txn_id']}?wait=30", **bearer)
        return Order(body["txn_id"], request, follow)

    def pay(self, orders: Sequence[Order], *, rate: float, port: int | None = None) -> list[Answer]:
        """Send payments from another process; with no port of one part, each waits for its end."""
        follows = [order.follow for order in orders] if port is None else []
        requests = [order.request for order in orders]
        answers = open_loop.drive(Plan(port or self.port("public"), rate, requests, follows))
        refused = Counter(answer.status for answer in answers if answer.status // 100 != 2)
        if refused:
            self.page.line(f"not accepted, by HTTP status (0: no answer): {dict(refused)}")
        return answers

    def cpu_of_each(self, before: Mapping[str, float], count: int) -> dict[str, float]:
        """Return the CPU milliseconds that each part spent on one of `count` since `before`."""
        return {
            name: (seconds - before[name]) / count * 1000
            for name, seconds in self.platform.cpu_seconds().items()
        }

    def counters(self) -> Counters:
        """Return what was done so far; the platform has been idle for STATISTICS_SECONDS."""
        row = self.one(
            "SELECT xact_commit, pg_current_wal_lsn() - '0/0'::pg_lsn, "
            "pg_snapshot_xmax(pg_current_snapshot())::text::bigint "
            "FROM pg_stat_database WHERE datname = current_database()"
        )
        spent = self.platform.cpu_seconds()
        return Counters(time.monotonic(), int(row[0]), int(row[2]), int(row[1]), spent)

    def one(self, statement: str, values: Sequence[Any] = ()) -> tuple[Any, ...]:
        row = self.connection.execute(statement, values).fetchone()
        assert row is not None
        return row

    def await_end(self, txn_ids: Sequence[str]) -> tuple[int, int, int]:
        """Wait until every accepted payment has ended and was published; return what there is."""
        until = time.monotonic() + SETTLED_SECONDS_MAX
        while True:
            found = self._ends(list(txn_ids))
            if set(found) == {len(txn_ids)} or time.monotonic() > until:
                return found
            time.sleep(0.25)

    def require_end(self, txn_ids: Sequence[str]) -> None:
        """End the benchmark unless accepted = terminal = published."""
        accepted, terminal, published = self.await_end(txn_ids)
        if not accepted == terminal == published == len(txn_ids):
            raise SystemExit(
                f"void: {len(txn_ids)} payments were accepted, {accepted} are kept, "
                f"{terminal} have ended, {published} were published"
            )
        self.page.line(f"{accepted} accepted = {terminal} terminal = {published} published")

    def _ends(self, txn_ids: list[str]) -> tuple[int, int, int]:
        # By what was made since the ground was opened: it must not read long tables whole.
        accepted, terminal = self.one(
            "SELECT count(*), count(*) FILTER (WHERE state = ANY(%s)) FROM payments_leg "
            "WHERE role = 'PAYER_PSP' AND transaction_id = ANY(%s) AND id >= %s",
            [list(_TERMINAL), txn_ids, self.since],
        )
        (published,) = self.one(
            "SELECT count(*) FROM messaging_outboxevent WHERE subject = ANY(%s) "
            "AND type = 'payments.transaction.completed' AND published_at IS NOT NULL "
            "AND id >= %s",
            [txn_ids, self.since],
        )
        return int(accepted), int(terminal), int(published)


@contextmanager
def opened(*, payers: int) -> Iterator[Ground]:
    """Start the platform on fresh servers, with so many customers who have a PIN."""
    page = Page()
    directory = LocalDirectory.from_environment()
    with Platform(directory) as platform, Stage.open(platform) as stage:
        url = platform.environment["DATABASE_URL"]
        with psycopg.connect(url, autocommit=True) as connection:
            conditions.require_durability(connection)
            _lift_day_limit(platform.environment["DATABASE_OWNER_URL"])
            crowd = load.crowd(stage, page, count=payers)
            yield Ground(platform, stage, page, crowd, connection, ids.uuid7_floor(clock.now()))
    if not page.all_held:
        raise SystemExit("void: not everything held")


def _lift_day_limit(owner_url: str) -> None:
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE risk_limit_rule SET value = %s WHERE rule = 'DAY_COUNT'", [PAYMENTS_A_DAY]
        )


def percentile(values: Sequence[float], percent: float) -> float:
    """Return a percentile by the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
