"""
How long the app's API takes to accept a payment: 100 a second in an open loop.

Accepted is durable: the payment, its key and its fact are committed. What works payments off stands
still meanwhile, for on one machine it would take the cores that elsewhere are its own; then it goes
on, and the run is void unless all that was accepted ends and is published. The baseline is /livez
of the same processes, asked just as often in the same run.
"""

import sys

from tests.benchmarks import conditions, ground, open_loop
from tests.benchmarks.ground import Ground, percentile
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
        before = found.platform.cpu_seconds()
        seconds = _accepted(found, port, count)
        after = found.platform.cpu_seconds()
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
    spent = {name: after[name] - before[name] for name in ("api", "postgres", "redis")}
    rows += [Row(f"api_acceptance_cpu_{name}", s / count * 1000, "ms") for name, s in spent.items()]
    report(f"{RATE:.0f} payments/s accepted, open loop; baseline: /livez", rows)
    return 0


def _accepted(found: Ground, port: int, count: int) -> list[float]:
    """Return the seconds of each acceptance, once all that was accepted has ended."""
    orders = found.orders(count)
    answers = found.pay(orders, rate=RATE, port=port)
    refused = [answer for answer in answers if answer.status != ACCEPTED]
    if refused:
        raise SystemExit(f"void: {len(refused)} were not accepted, as {refused[0].content!r}")
    for part in WORKERS:
        found.platform.supervisor.resume(part)
    found.require_end([order.txn_id for order in orders])
    return [answer.seconds for answer in answers]


if __name__ == "__main__":
    sys.exit(main())
