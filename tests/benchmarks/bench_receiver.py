"""
Messages of the switch at the receiver: 100 a second in an open loop, over mutual TLS.

A third each ask for an address, debit and credit; they are signed beforehand, and a process of its
own sends them. The baseline is /livez of the same process, asked just as often in the same run.
Beside the latencies it prints the processor time of a message: receiver and servers. It fails
unless every message was acked and each left its rows.
"""

import json
import os
import secrets
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from deploy.local.directory import LocalDirectory
from deploy.local.platform import Platform
from tests.benchmarks import conditions, open_loop
from tests.benchmarks.load_plan import Answer, Plan
from tests.benchmarks.report import Row, report
from tests.upi import wire

RATE = float(os.environ.get("RATE", "100"))
SECONDS = conditions.seconds(20, quick=5)
WARM_UP_SECONDS = 5.0
KINDS = ("AUTH", "DEBIT", "CREDIT")
SERVERS = ("postgres", "redis")
ACCEPTED = b' err=""'


@dataclass(frozen=True)
class Run:
    """What came back after the warm-up, and the milliseconds of CPU that a request took."""

    answers: Sequence[Answer]
    cpu: dict[str, float]

    def percentile(self, percent: float) -> float:
        """Return a percentile of the latency in milliseconds."""
        cuts = statistics.quantiles([answer.seconds for answer in self.answers], n=1000)
        return cuts[round(percent * 10) - 1] * 1000


def messages(platform: Platform, *, count: int) -> list[bytes]:
    """Sign messages as the switch would send them now."""
    pem = (platform.directory.root / "switch" / "NPCI.signing.private.pem").read_bytes()
    key = load_pem_private_key(pem, password=None)
    roots = [wire.fresh(KINDS[place % len(KINDS)]) for place in range(count)]
    # One RRN for many transactions would make each of them a duplicate, which is slower.
    first = secrets.randbelow(10**12 - count)
    for place, root in enumerate(roots):
        root.find("Txn").set("custRef", f"{first + place:012}")
    signed = [wire.sign(root, key) for root in roots]
    return [open_loop.post(wire.path_of(body), body) for body in signed]


def cpu_seconds(platform: Platform) -> dict[str, float]:
    """Return the processor time so far of the receiver and of the servers it uses."""
    used = platform.cpu_seconds()
    return {name: used[name] for name in ("receiver", *SERVERS) if name in used}


def drive(platform: Platform, requests: Sequence[bytes]) -> Run:
    """Send the requests from another process; count its CPU to nobody."""
    ports = json.loads((platform.directory.root / "ports.json").read_text())
    folder = platform.directory.root / "tls"
    warm = int(RATE * WARM_UP_SECONDS)
    sent = []
    before: dict[str, float] = {}
    for part in (requests[:warm], requests[warm:]):
        before = cpu_seconds(platform)
        plan = Plan(ports["receiver"], RATE, part, certificates=folder)
        sent = open_loop.drive(plan)
    after = cpu_seconds(platform)
    cpu = {name: (after[name] - before[name]) / len(sent) * 1000 for name in after}
    return Run(sent, cpu)


def rows(platform: Platform) -> int:
    """Return how many requests of the switch the database holds."""
    with psycopg.connect(platform.environment["DATABASE_URL"]) as connection:
        row = connection.execute("SELECT count(*) FROM upi_exchange WHERE direction = 'IN'")
        return row.fetchone()[0]


def main() -> int:
    """Measure, print, append to bench.json, and return 0 only if every message was acked."""
    count = int(RATE * (SECONDS + WARM_UP_SECONDS))
    directory = LocalDirectory.from_environment()
    parts = ["receiver", "keys"]
    with Platform(directory, database="bench_receiver", parts=parts) as platform:
        with psycopg.connect(platform.environment["DATABASE_URL"]) as connection:
            conditions.require_durability(connection)
        bare = drive(platform, [open_loop.LIVE] * count)
        requests = messages(platform, count=count)
        before = rows(platform)
        run = drive(platform, requests)
        written = rows(platform) - before
    acked = sum(ACCEPTED in answer.content for answer in run.answers)
    print(f"{acked} of {len(run.answers)} acked, {written} of {count} written")
    title = f"{RATE:.0f} messages/s, open loop, mutual TLS; baseline: /livez"
    latencies = [
        Row(f"receiver_p{percent:g}", run.percentile(percent), "ms", bare.percentile(percent))
        for percent in (50, 95, 99)
    ]
    asked = sum(bare.cpu.values())
    used = [Row(f"receiver_cpu_{name}", spent, "ms") for name, spent in run.cpu.items()]
    total = Row("receiver_cpu", sum(run.cpu.values()), "ms", asked)
    report(title, [*latencies, total, *used])
    return 0 if acked == len(run.answers) and written == count else 1


if __name__ == "__main__":
    sys.exit(main())
