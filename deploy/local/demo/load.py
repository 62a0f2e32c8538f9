"""The numbers: many on-us payments at once over the full wire, and how long each took."""

import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from deploy.local.demo.page import Page
from deploy.local.demo.stage import Customer, Stage

PAYMENTS = 60
_PAYERS = ("asha", "ravi", "meera")
_MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class Result:
    """How one payment ended, and after how many seconds."""

    status: str
    seconds: float


def measure(stage: Stage, page: Page) -> None:
    """Pay from three phones at once and print the rate and the latencies."""
    payers = [stage[name] for name in _PAYERS]
    share = PAYMENTS // len(payers)
    begun = time.monotonic()
    with page.progress() as progress, ThreadPoolExecutor(len(payers)) as pool:
        task = progress.add_task("on-us payments", total=share * len(payers))

        def play(payer: Customer) -> list[Result]:
            results = []
            for number in range(share):
                results.append(_pay(payer, payers, number))
                progress.advance(task)
            return results

        results = [result for part in pool.map(play, payers) for result in part]
    seconds = time.monotonic() - begun
    ended_well = sum(result.status == "succeeded" for result in results)
    page.expect(f"{len(results)} payments succeeded", found=ended_well, wanted=len(results))
    _print(page, results, seconds)


def _pay(payer: Customer, payers: Sequence[Customer], number: int) -> Result:
    payee = payers[(payers.index(payer) + 1 + number % (len(payers) - 1)) % len(payers)]
    begun = time.monotonic()
    payment = payer.pay(payee.vpa, 1_00)
    return Result(status=payment["status"], seconds=time.monotonic() - begun)


def _print(page: Page, results: Sequence[Result], seconds: float) -> None:
    cuts = statistics.quantiles([result.seconds * _MILLISECONDS for result in results], n=100)
    page.table(
        ["over the whole wire, three phones at a time", "payments/s", "p50", "p99"],
        [
            [
                f"{len(results)} payments, app API to receipt",
                f"{len(results) / seconds:.1f}",
                f"{cuts[49]:,.0f} ms",
                f"{cuts[98]:,.0f} ms",
            ]
        ],
    )
