"""The numbers: many on-us payments at once over the full wire, and how long each took."""

import json
import secrets
import statistics
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from deploy.local import environment, host_accounts
from deploy.local.demo.page import Page
from deploy.local.demo.stage import Customer, Stage
from deploy.local.directory import REPOSITORY
from deploy.local.process_file import PYTHON
from sandbox.phone import Handset

PAYERS = 8
PAYMENTS = 80
PHONES_AT_ONCE = 8
_MILLISECONDS = 1000
_PIN_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Result:
    """How one payment ended, and after how many seconds."""

    txn_id: str
    status: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Run:
    """What a load did: every payment's end, and how long all of it took."""

    results: Sequence[Result]
    seconds: float

    @property
    def per_second(self) -> float:
        """Return payments per second."""
        return len(self.results) / self.seconds

    def percentile_ms(self, percent: int) -> float:
        """Return a percentile of the latency, from the app's call to its receipt."""
        cuts = statistics.quantiles([each.seconds for each in self.results], n=100)
        return cuts[percent - 1] * _MILLISECONDS


def measure(stage: Stage, page: Page) -> None:
    """Pay from several phones at once and print the rate and the latencies."""
    payers = crowd(stage, page, count=PAYERS)
    run = pay_all(page, payers, payments=PAYMENTS, at_once=PHONES_AT_ONCE)
    succeeded = sum(result.status == "succeeded" for result in run.results)
    page.expect(f"{PAYMENTS} payments succeeded", found=succeeded, wanted=PAYMENTS)
    page.table(
        [f"the whole wire, {PHONES_AT_ONCE} phones at a time", "payments/s", "p50", "p99"],
        [
            [
                f"{PAYMENTS} on-us payments, app API to receipt",
                f"{run.per_second:.1f}",
                f"{run.percentile_ms(50):,.0f} ms",
                f"{run.percentile_ms(99):,.0f} ms",
            ]
        ],
    )


def crowd(stage: Stage, page: Page, *, count: int) -> list[Customer]:
    """Return so many further customers with phones, each with a PIN set through the wire."""
    phones = stage.platform.directory.root / "phones"
    subprocess.run(
        [PYTHON, "manage.py", "seed_demo", "--phones", phones, "--customers", str(count)],
        cwd=REPOSITORY,
        env=environment.inherited() | stage.platform.environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    host_accounts.fill(stage.platform.environment)
    lines = (phones / "load.jsonl").read_text().splitlines()[:count]
    customers = [_customer(stage, json.loads(line)) for line in lines]

    def prepare(customer: Customer) -> str:
        customer.phone.login()
        return stage.register_pin(customer)

    with page.progress() as progress, ThreadPoolExecutor(PHONES_AT_ONCE) as pool:
        states = list(
            progress.track(
                pool.map(prepare, customers), total=count, description="more customers, with PINs"
            )
        )
    page.expect(
        f"{count} more customers have a UPI PIN", found=set(states) or None, wanted={"succeeded"}
    )
    return customers


def pay_all(page: Page, payers: Sequence[Customer], *, payments: int, at_once: int) -> Run:
    """Let every payer pay the next one, in turn, until so many payments have ended."""
    share = payments // len(payers)
    assert share * len(payers) == payments, "every payer pays the same number of times"
    begun = time.monotonic()
    with page.progress() as progress, ThreadPoolExecutor(at_once) as pool:
        task = progress.add_task("on-us payments", total=payments)

        def play(position: int) -> list[Result]:
            payer, payee = payers[position], payers[(position + 1) % len(payers)]
            results = []
            for _ in range(share):
                results.append(_pay(payer, payee))
                progress.advance(task)
            return results

        parts = list(pool.map(play, range(len(payers))))
    seconds = time.monotonic() - begun
    return Run(results=[result for part in parts for result in part], seconds=seconds)


def _pay(payer: Customer, payee: Customer) -> Result:
    begun = time.monotonic()
    payment = payer.pay(payee.vpa, 1_00)
    return Result(
        txn_id=payment["txn_id"], status=payment["status"], seconds=time.monotonic() - begun
    )


def _customer(stage: Stage, facts: dict[str, str]) -> Customer:
    return Customer(
        name=facts["name"],
        phone=stage.phone(Handset.from_document(facts)),
        account_id=facts["account_id"],
        vpa=facts["vpa"],
        pin="".join(secrets.choice("0123456789") for _ in range(_PIN_DIGITS)),
        card=(facts["card_digits"], facts["card_expiry"]),
    )
