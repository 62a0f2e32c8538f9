"""
On-us payments over the whole wire: app API, switch, debit, credit, confirmation, receipt.

Run by `make bench`. It prints rate, latencies and the platform's CPU per payment (sandbox and
phones excluded), and fails unless every payment ended once and the books are the switch's.
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
# Not the platform: the world outside, and what only routes on one machine.
OUTSIDE = {"switch", "router"}
_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(platform: Platform) -> float:
    """Return the CPU time that the platform's processes have used so far, children included."""
    supervisor = platform.supervisor
    return sum(
        _cpu_of(pid) for name in supervisor.states() if name not in OUTSIDE
        for pid in supervisor.pids(name)
    )  # fmt: skip


def _cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(fields[place]) for place in (11, 12)) / _TICKS


def main() -> int:
    """Measure, print, append to bench.json, and return 0 only if everything held."""
    page = Page()
    directory = LocalDirectory((Path(os.environ["UPI_LOCAL_DIR"]) / "wire").resolve())
    with Platform(directory, database="bench_wire") as platform, Stage.open(platform) as stage:
        page.heading(f"{PAYMENTS} on-us payments over the whole wire")
        payers = load.crowd(stage, page, count=PAYERS)
        load.pay_all(page, payers, payments=PAYERS, at_once=PHONES_AT_ONCE)  # warm up
        before = cpu_seconds(platform)
        run = load.pay_all(page, payers, payments=PAYMENTS - PAYERS, at_once=PHONES_AT_ONCE)
        cpu = (cpu_seconds(platform) - before) / len(run.results) * 1000
        lost = [result.txn_id for result in run.results if result.status != "succeeded"]
        page.expect("no payment was lost or declined", found=lost, wanted=[])
        page.table(
            ["on-us, whole wire", "payments/s", "p50", "p95", "p99", "platform CPU"],
            [
                [
                    f"{len(run.results)} payments, {PHONES_AT_ONCE} phones at a time",
                    f"{run.per_second:.1f}",
                    *(f"{run.percentile_ms(percent):,.0f} ms" for percent in (50, 95, 99)),
                    f"{cpu:.0f} ms",
                ]
            ],
        )
        proof.prove(stage, page)
    page.close()
    return 0 if page.all_held else 1


if __name__ == "__main__":
    sys.exit(main())
