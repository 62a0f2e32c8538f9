"""
How long the app's API takes to accept a payment: 100 a second in an open loop.

Accepted is durable: the payment, its key and its fact are committed. What works payments off stands
still meanwhile, for on one machine it would take the cores that elsewhere are its own; then it goes
on, and the run is void unless all that was accepted ends and is published. The baseline is /livez
of the same processes, asked just as often in the same run.
"""

import sys
from collections.abc import Sequence

from tests.benchmarks import conditions, ground, open_loop
from tests.benchmarks.ground import Ground, Order, percentile
from tests.benchmarks.load_plan import Plan
from tests.benchmarks.report import Row, report

PAYERS = conditions.count(60, quick=24)
RATE = 100.0
WARM_UP_SECONDS = 2
SECONDS = conditions.seconds(10, quick=4)
WORKERS = ("payments", "worker", "sweep-1", "sweep-2", "relay", "consumer")
ACCEPTED = 202


def main() -> int:
    """Measure, report, and return 0: what is void has ended before."""
    with ground.opened(payers=PAYERS) as found:
        for part in WORKERS:
            found.platform.supervisor.halt(part)
        port = found.port("api")
        count = int(RATE * (WARM_UP_SECONDS + SECONDS))
        livez = open_loop.drive(Plan(port, RATE, [open_loop.LIVE] * count))
        orders = found.orders(count)
        before = found.platform.cpu_seconds()
        seconds = _accepted(found, port, orders)
        spent = found.cpu_of_each(before, count)
        _work_off(found, orders)
    trimmed = int(RATE * WARM_UP_SECONDS)
    bare = [answer.seconds for answer in livez[trimmed:]]
    rows = [
        Row(
            name,
            percentile(seconds[trimmed:], percent) * 1000,
            "ms",
            percentile(bare, percent) * 1000,
        )
        for name, percent in (
            ("api_acceptance", 99),
            ("api_acceptance_p95", 95),
            ("api_acceptance_p50", 50),
        )
    ]
    rows += [
        Row(f"api_acceptance_cpu_{name}", spent[name], "ms")
        for name in ("api", "postgres", "redis")
    ]
    report(f"{RATE:.0f} payments/s accepted, open loop; baseline: /livez", rows)
    return 0


def _accepted(found: Ground, port: int, orders: Sequence[Order]) -> list[float]:
    """Return the seconds of each acceptance."""
    answers = found.pay(orders, rate=RATE, port=port)
    refused = [answer for answer in answers if answer.status != ACCEPTED]
    if refused:
        raise SystemExit(f"void: {len(refused)} were not accepted, as {refused[0].content!r}")
    return [answer.seconds for answer in answers]


def _work_off(found: Ground, orders: Sequence[Order]) -> None:
    for part in WORKERS:
        found.platform.supervisor.resume(part)
    found.require_end([order.txn_id for order in orders])


if __name__ == "__main__":
    sys.exit(main())
