"""
What a payment costs PostgreSQL when its tables are long, against when they are short.

Real payments are made; the rows that they left are copied under new ids, over four months, until
the tables have 100,000 rows, then 10 million, with indexes, statistics and partitions as they are.
Before each measurement payments warm what is kept in memory. The value is PostgreSQL's CPU per
on-us payment with the long tables, the baseline with the short ones; GROWTH_ROWS sets another
length.
"""

import datetime as dt
import os
import sys

import psycopg

from tests.benchmarks import conditions, ground, growth_rows
from tests.benchmarks.ground import Ground
from tests.benchmarks.report import Row, report

PAYERS = conditions.count(60, quick=24)
SHORT = conditions.count(100_000, quick=20_000)
LONG = int(os.environ.get("GROWTH_ROWS", conditions.count(10_000_000, quick=400_000)))
SAMPLE_PAYMENTS = conditions.count(100, quick=40)
PAYMENTS = conditions.count(600, quick=120)
WARM_PAYMENTS = conditions.count(200, quick=60)
RATE = 15.0


def main() -> int:
    """Measure both lengths on one platform, and return 0: what is void has ended before."""
    with ground.opened(payers=PAYERS) as found:
        owner_url = found.platform.environment["DATABASE_OWNER_URL"]
        with psycopg.connect(owner_url, autocommit=True) as owner:
            since = dt.datetime.now(tz=dt.UTC)
            growth_rows.make_months(owner, now=since)
            _pay(found, SAMPLE_PAYMENTS)
            each = growth_rows.take_sample(owner, since=since)
            costs = []
            for rows in (SHORT, LONG):
                there = growth_rows.multiply(owner, rows=rows, each=each, now=since)
                # To make so many rows takes longer than a session lasts.
                for payer in found.payers:
                    payer.phone.login()
                _pay(found, WARM_PAYMENTS)
                cost = _pay(found, PAYMENTS)
                found.page.line(f"{there:,} rows: {cost:.2f} ms of PostgreSQL's CPU a payment")
                costs.append(cost)
    short, long = costs
    report(
        f"On-us payments beside {SHORT:,} and {LONG:,} rows",
        [Row("growth_postgres_cpu", long, "ms CPU", short)],
    )
    return 0


def _pay(found: Ground, count: int) -> float:
    """Pay, and return PostgreSQL's CPU milliseconds of each payment until all were published."""
    orders = found.orders(count)
    before = found.platform.cpu_seconds()
    found.pay(orders, rate=RATE)
    found.require_end([order.txn_id for order in orders])
    return found.cpu_of_each(before, count)["postgres"]


if __name__ == "__main__":
    sys.exit(main())
