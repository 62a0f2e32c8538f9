"""
On-us payments over the whole wire: app API, switch, debit, credit, confirmation, receipt.

First one at a time on an idle platform, then in an open loop at a rate a little above what the
platform can do, so that it is saturated: its rate, latencies, and its CPU, commits and WAL bytes
per payment, PostgreSQL and Redis included (sandbox, router and Kafka are not). The CPU's baseline
is that of the very RSA operations that the payments took, measured in the same run. It is void
unless every payment ended once, was published, and the books are the switch's.
"""

import sys
import time
from collections.abc import Sequence

from deploy.local.demo import proof
from tests.benchmarks import conditions, ground, rsa, saturation
from tests.benchmarks.ground import Counters, Ground, percentile
from tests.benchmarks.load_plan import Answer
from tests.benchmarks.report import Row, report

PAYERS = conditions.count(60, quick=24)
IDLE_PAYMENTS = conditions.count(50, quick=12)
IDLE_RATE = 2.0
PROBE_PAYMENTS = conditions.count(200, quick=80)
PROBE_RATE = 200.0
SATURATED_SECONDS = conditions.seconds(30, quick=8)
IDLE_SECONDS = conditions.seconds(10, quick=5)
RSA_SECONDS = conditions.seconds(4, quick=2)
PERCENTS = (50, 95, 99)
_GAPS = """
    WITH passed AS (
        SELECT txn_id, delivered_at AS at, 'OUT' AS way FROM upi_exchange
         WHERE delivered_at IS NOT NULL AND txn_id = ANY(%(ids)s)
         UNION ALL
        SELECT txn_id, logged_at, 'IN' FROM upi_message_log
         WHERE direction = 'IN' AND txn_id = ANY(%(ids)s)
    ), steps AS (
        SELECT txn_id, way, at - lag(at) OVER (PARTITION BY txn_id ORDER BY at) AS gap,
               lag(way) OVER (PARTITION BY txn_id ORDER BY at) AS before
          FROM passed
    ), sums AS (
        SELECT txn_id, sum(gap) AS spent FROM steps
         WHERE way = 'IN' AND before = 'OUT' GROUP BY txn_id
    )
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM spent)) FROM sums
"""
_MESSAGES = """
    SELECT count(*) FILTER (WHERE direction = 'OUT'), count(*) FILTER (WHERE direction = 'IN'),
           count(*) FILTER (WHERE direction = 'IN' AND api = 'ReqPay' AND type = 'DEBIT')
      FROM upi_message_log WHERE txn_id = ANY(%s)
"""


def main() -> int:
    """Measure, report, and return 0: what is void has ended before."""
    with ground.opened(payers=PAYERS) as found:
        rows = [*_idle(found), *_saturated(found)]
        proof.prove(found.stage, found.page)
        if not found.page.all_held:
            raise SystemExit("void: the books are not the switch's")
    report("On-us payments over the whole wire", rows)
    return 0


def _idle(found: Ground) -> list[Row]:
    """Pay one at a time; the baseline is the sandbox's own time between Ack and next message."""
    _pay(found, 2 * PAYERS, rate=20.0)
    orders = found.orders(IDLE_PAYMENTS)
    answers = found.pay(orders, rate=IDLE_RATE)
    txn_ids = [order.txn_id for order in orders]
    found.require_end(txn_ids)
    (own,) = found.one(_GAPS, {"ids": txn_ids})  # type: ignore[arg-type]
    return [
        Row(f"payment_idle{suffix}", _latency(answers, percent), "ms", float(own) * 1000)
        for percent, suffix in ((50, ""), (95, "_p95"), (99, "_p99"))
    ]


def _saturated(found: Ground) -> list[Row]:
    rate = saturation.rate(
        lambda count, rate: _per_second(_pay(found, count, rate=rate)),
        burst=PROBE_PAYMENTS,
        burst_rate=PROBE_RATE,
    )
    count = int(rate * SATURATED_SECONDS)
    found.page.line(f"saturated: {count} payments at {rate:.1f}/s")
    idle = _idle_commits(found)
    orders = found.orders(count)
    before = found.counters()
    answers = found.pay(orders, rate=rate)
    txn_ids = [order.txn_id for order in orders]
    found.require_end(txn_ids)
    spent = found.cpu_of_each(before.cpu_seconds, count)
    ended_at = time.monotonic()
    time.sleep(ground.STATISTICS_SECONDS)
    after = found.counters()
    commits = after.commits - before.commits - idle[0] * (after.at - before.at)
    writing = after.writing_commits - before.writing_commits - idle[1] * (after.at - before.at)
    wal = after.wal_bytes - before.wal_bytes
    sent, taken, unwrapped = (float(number) / count for number in found.one(_MESSAGES, [txn_ids]))
    mix = {"sign": sent, "verify": taken, "unwrap": unwrapped}
    cost = rsa.measure(found.platform.environment, mix, seconds=RSA_SECONDS)
    found.page.line(
        f"a payment: {sent:.2f} signed, {taken:.2f} verified, {unwrapped:.2f} unwrapped; "
        f"busy for {ended_at - before.at:.0f} s"
    )
    inside = {name: ms for name, ms in spent.items() if name not in ground.OUTSIDE}
    return [
        Row("full_wire_on_us", sum(inside.values()), "ms CPU", cost.cpu_ms),
        Row("payments_per_second", _per_second(answers), "/s", cost.per_second),
        *(
            Row(f"payment_saturated_p{percent}", _latency(answers, percent), "ms")
            for percent in PERCENTS
        ),
        # A payment's messages: one commit for each would be the plain way.
        Row("commits_per_payment", commits / count, "", sent + taken),
        Row("writing_commits_per_payment", writing / count, "", sent + taken),
        Row("wal_bytes_per_payment", wal / count, "bytes"),
        *(
            Row(f"cpu_{name}" + ("_outside" if name in ground.OUTSIDE else ""), ms, "ms")
            for name, ms in sorted(spent.items(), key=lambda part: -part[1])
            if ms >= ground.LEAST_MILLISECONDS
        ),
    ]


def _pay(found: Ground, count: int, *, rate: float) -> list[Answer]:
    orders = found.orders(count)
    answers = found.pay(orders, rate=rate)
    found.require_end([order.txn_id for order in orders])
    return answers


def _idle_commits(found: Ground) -> tuple[float, float]:
    """Return how often an idle platform commits in a second, and how often by writing."""
    time.sleep(ground.STATISTICS_SECONDS)
    before = found.counters()
    time.sleep(max(IDLE_SECONDS, ground.STATISTICS_SECONDS))
    after: Counters = found.counters()
    seconds = after.at - before.at
    return (
        (after.commits - before.commits) / seconds,
        (after.writing_commits - before.writing_commits) / seconds,
    )


def _per_second(answers: Sequence[Answer]) -> float:
    """Return payments a second, from the first that was to leave to the last receipt."""
    begun = min(answer.intended for answer in answers)
    ended = max(answer.intended + answer.last_seconds for answer in answers)
    return len(answers) / (ended - begun)


def _latency(answers: Sequence[Answer], percent: float) -> float:
    lost = [answer for answer in answers if b'"succeeded"' not in answer.last]
    if lost:
        raise SystemExit(f"void: {len(lost)} of {len(answers)} payments did not succeed")
    return percentile([answer.last_seconds for answer in answers], percent) * 1000


if __name__ == "__main__":
    sys.exit(main())
