"""
Legs as an issuer and a beneficiary have them: a signed request in, a signed answer out.

The switch's signed ReqPay come in an open loop over the real receiver, a little faster than the
platform can take them at most; the answers go to a peer in another process that acks and counts.
A DEBIT has a PIN. The baseline is how often a second the RSA operations of such a leg can be done
on all cores by the same token, in the same run. It is void unless each was answered once, with
SUCCESS, and each left its transfer and its published fact. Its CPU is shown by the bank's own
parts.
"""

import functools
import sys
import time
from collections.abc import Mapping, Sequence

from tests.benchmarks import conditions, counting_peer, ground, open_loop, rsa, saturation
from tests.benchmarks.ground import Ground, percentile
from tests.benchmarks.load_plan import Heard, Plan
from tests.benchmarks.report import Row, report
from tests.benchmarks.switch_hand import Hand, Sent

PAYERS = conditions.count(60, quick=24)
PROBE_LEGS = conditions.count(300, quick=100)
PROBE_RATE = 400.0
WARM_UP_RATE = 40.0
SECONDS = conditions.seconds(15, quick=4)
# A message says when it left, and is too old soon: it is signed ahead for its own instant.
LEAD_SECONDS = 2.0
SIGNING_SECONDS = 0.006
RSA_SECONDS = conditions.seconds(4, quick=2)
ANSWERED_SECONDS_MAX = 30.0
MIXES = {
    "DEBIT": {"unwrap": 1.0, "sign": 1.0, "verify": 1.0},
    "CREDIT": {"sign": 1.0, "verify": 1.0},
}
_ENDS = """
    SELECT count(*) FILTER (WHERE transfer_id IS NOT NULL AND state = 'POSTED'), count(*)
      FROM payments_leg WHERE role = %s AND transaction_id = ANY(%s)
"""
_SPENT = """
    SELECT extract(epoch FROM max(delivered_at) - min(opened_at)) FROM upi_exchange
     WHERE direction = 'IN' AND txn_id = ANY(%s)
"""
_STATES = """
    SELECT state, code, count(*) FROM payments_leg WHERE role = %s AND transaction_id = ANY(%s)
     GROUP BY state, code
"""
_PUBLISHED = """
    SELECT count(*) FROM messaging_outboxevent
     WHERE type = %s AND subject = ANY(%s) AND published_at IS NOT NULL
"""


def main() -> int:
    """Measure, report, and return 0: what is void has ended before."""
    runs, costs, spent = {}, {}, {}
    with ground.opened(payers=PAYERS) as found:
        hand = Hand(found)
        with counting_peer.started(found.platform.directory.root / "tls") as peer:
            changes = {"SWITCH_URL": f"https://127.0.0.1:{peer.port}"}
            for part in ("payments", "worker"):
                found.platform.supervisor.restart(part, changes=changes)
            for kind, mix in MIXES.items():
                # Processes that have just begun would be probed as slower than they are.
                _play(found, hand, kind, count=PROBE_LEGS, rate=WARM_UP_RATE)
                probe = functools.partial(_probe, found, hand, kind)
                rate = saturation.rate(probe, burst=PROBE_LEGS, burst_rate=PROBE_RATE)
                count = int(rate * SECONDS)
                before = found.platform.cpu_seconds()
                runs[kind] = _play(found, hand, kind, count=count, rate=rate)
                spent[kind] = _cpu_rows(kind, found.cpu_of_each(before, count))
                costs[kind] = rsa.measure(found.platform.environment, mix, seconds=RSA_SECONDS)
            heard = [each for each in peer.heard() if each.api == "RespPay"]
    rows = []
    for kind, sent_at in runs.items():
        per_second, latencies = _judged(sent_at, heard)
        name = f"{kind.lower()}_leg"
        rows.append(Row(name, per_second, "/s", costs[kind].per_second))
        rows += [
            Row(f"{name}_p{percent}", percentile(latencies, percent), "ms") for percent in (50, 99)
        ]
        whole = sum(row.value for row in spent[kind])
        rows += [Row(f"{name}_cpu", whole, "ms", costs[kind].cpu_ms), *spent[kind]]
    report("Legs: signed request in, signed answer out", rows)
    return 0


def _play(found: Ground, hand: Hand, kind: str, *, count: int, rate: float) -> dict[str, float]:
    """Send so many, wait for their end, and return when each transaction's was to leave."""
    begins_at = time.monotonic() + LEAD_SECONDS + count * SIGNING_SECONDS
    messages = hand.messages(kind, count, rate=rate, begins_at=begins_at)
    requests = [message.request for message in messages]
    certificates = found.platform.directory.root / "tls"
    plan = Plan(found.port("receiver"), rate, requests, (), certificates, begins_at)
    answers = open_loop.drive(plan)
    _await(found, kind, messages)
    return {
        message.txn_id: answer.intended for message, answer in zip(messages, answers, strict=True)
    }


def _cpu_rows(kind: str, spent: Mapping[str, float]) -> list[Row]:
    """Return what each part of the platform spent on a leg, the most first."""
    return [
        Row(f"{kind.lower()}_leg_cpu_{name}", ms, "ms")
        for name, ms in sorted(spent.items(), key=lambda part: -part[1])
        if ms >= ground.LEAST_MILLISECONDS and name not in ground.OUTSIDE
    ]


def _probe(found: Ground, hand: Hand, kind: str, count: int, rate: float) -> float:
    sent = _play(found, hand, kind, count=count, rate=rate)
    (seconds,) = found.one(_SPENT, [list(sent)])
    return len(sent) / float(seconds)


def _await(found: Ground, kind: str, messages: list[Sent]) -> None:
    """Wait until each leg has ended and was published; else the run is void."""
    txn_ids = [message.txn_id for message in messages]
    until = time.monotonic() + ANSWERED_SECONDS_MAX
    while True:
        ended, kept = found.one(_ENDS, [kind, txn_ids])
        (published,) = found.one(_PUBLISHED, [f"payments.{kind.lower()}.posted", txn_ids])
        if ended == kept == published == len(txn_ids):
            found.page.line(f"{kind}: {kept} accepted = {ended} terminal = {published} published")
            return
        if time.monotonic() > until:
            states = found.connection.execute(_STATES, [kind, txn_ids]).fetchall()
            raise SystemExit(
                f"void: of {len(txn_ids)} {kind} legs {kept} were accepted, {ended} have ended "
                f"well, {published} were published: {states}"
            )
        time.sleep(0.1)


def _judged(sent_at: Mapping[str, float], heard: Sequence[Heard]) -> tuple[float, list[float]]:
    """Return legs a second, and the milliseconds of each from its intended start to its answer."""
    answers = [each for each in heard if each.txn_id in sent_at]
    well = {each.txn_id: each.at for each in reversed(answers) if each.result == "SUCCESS"}
    # An answer whose Ack is late is said again, as the wire demands: the first of each counts.
    if len(well) != len(sent_at) or len({each.txn_id for each in answers}) != len(sent_at):
        raise SystemExit(
            f"void: {len(sent_at)} legs had {len(answers)} answers, {len(well)} of them well"
        )
    latencies = [(at - sent_at[txn_id]) * 1000 for txn_id, at in well.items()]
    return len(well) / (max(well.values()) - min(sent_at.values())), latencies


if __name__ == "__main__":
    sys.exit(main())
