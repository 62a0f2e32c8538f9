"""
On-us payments over the whole wire: app API, switch, debit, credit, confirmation, receipt.

Run by `make bench`. It prints rate, latencies and the platform's CPU per payment, PostgreSQL and
Redis included (sandbox, phones and Kafka are not), and fails unless every payment ended once and
the books are the switch's.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from deploy.local.demo import load, proof
from deploy.local.demo.page import Page
from deploy.local.demo.stage import Stage
from deploy.local.directory import LocalDirectory
from deploy.local.platform import Platform

PAYMENTS = int(os.environ.get("PAYMENTS", "1000"))
PAYERS = 50
PHONES_AT_ONCE = 16
IDLE_PAYMENTS = 50
LEAST_MILLISECONDS = 0.5
# Not the platform: the world outside, what only routes on one machine, and a JVM that mostly idles.
OUTSIDE = {"switch", "router", "kafka"}


def cpu_seconds(platform: Platform) -> dict[str, float]:
    """Return the CPU time so far of each part of the platform and of its servers."""
    used = platform.cpu_seconds()
    return {name: seconds for name, seconds in used.items() if name not in OUTSIDE}


def main() -> int:
    """Measure, print, append to bench.json, and return 0 only if everything held."""
    page = Page()
    directory = LocalDirectory((Path(os.environ["UPI_LOCAL_DIR"]) / "wire").resolve())
    # The switch keeps a journal: books that begin anew need one that does.
    with directory.held():
        directory.remove()
    with Platform(directory, database="bench_wire") as platform, Stage.open(platform) as stage:
        page.heading(f"{PAYMENTS} on-us payments over the whole wire")
        payers = load.crowd(stage, page, count=PAYERS)
        load.pay_all(page, payers, payments=PAYERS, at_once=PHONES_AT_ONCE)  # warm up
        idle = load.pay_all(page, payers, payments=IDLE_PAYMENTS, at_once=1)
        before = cpu_seconds(platform)
        run = load.pay_all(
            page, payers, payments=PAYMENTS - PAYERS - IDLE_PAYMENTS, at_once=PHONES_AT_ONCE
        )
        cpu = {
            name: (seconds - before[name]) / len(run.results) * 1000
            for name, seconds in cpu_seconds(platform).items()
        }
        results = [*idle.results, *run.results]
        lost = [result.txn_id for result in results if result.status != "succeeded"]
        page.expect("no payment was lost or declined", found=lost, wanted=[])
        page.table(
            ["on-us, whole wire", "payments/s", "p50", "p95", "p99", "platform CPU"],
            [
                [
                    f"{len(run.results)} payments, {PHONES_AT_ONCE} phones at a time",
                    f"{run.per_second:.1f}",
                    *(f"{run.percentile_ms(percent):,.0f} ms" for percent in (50, 95, 99)),
                    f"{sum(cpu.values()):.0f} ms",
                ],
                [
                    f"{len(idle.results)} payments, one at a time",
                    f"{idle.per_second:.1f}",
                    *(f"{idle.percentile_ms(percent):,.0f} ms" for percent in (50, 95, 99)),
                    "",
                ],
            ],
        )
        parts = sorted(cpu.items(), key=lambda part: -part[1])
        page.table(
            ["part", "CPU a payment"],
            [[name, f"{spent:.1f} ms"] for name, spent in parts if spent >= LEAST_MILLISECONDS],
        )
        proof.prove(stage, page)
    page.close()
    return 0 if page.all_held else 1


if __name__ == "__main__":
    sys.exit(main())
