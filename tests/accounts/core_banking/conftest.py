"""A bank's host as a real process, the platform's adapter before it, and orders to send."""

import contextlib
import dataclasses
import itertools
import secrets
import time
from dataclasses import dataclass

import psycopg
import pytest
from django.conf import settings
from django.core.cache import cache

from apps.accounts.core_banking.base import Order, OrderKind, Outcome
from apps.accounts.core_banking.iso8583 import Iso8583CoreBanking
from apps.accounts.core_banking.iso8583_link import Timing
from apps.accounts.models import CoreBankingCall
from apps.accounts.states import CallKind
from apps.common import ids
from apps.common.money import Money
from tests import core_banking_host

OPENING = 100_000
_NUMBERS = itertools.count(1)


def wait_until(condition, *, seconds=30.0):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
    return found


@dataclass
class Bank:
    """The adapter with a host behind it, and the legs of a test."""

    adapter: Iso8583CoreBanking
    host: core_banking_host.HostProcess
    account: str

    def order(self, kind=OrderKind.DEBIT, *, paise=2_500, account=None) -> Order:
        number = next(_NUMBERS)
        return Order(
            leg_id=ids.uuid7(),
            transfer_key=f"{kind}/{number}/{secrets.token_hex(8)}",
            kind=kind,
            account_number=account or self.account,
            amount=Money(paise),
            rrn=f"{number:012}",
            txn_id=f"EXB{secrets.token_hex(16)}",
        )

    def work(self, *orders: Order) -> list[Outcome]:
        return self.adapter.work(admit=lambda: orders, still_ours=set, record=list)

    def enquire(self, *orders: Order) -> list[Outcome]:
        return self.adapter.enquire(admit=lambda: orders, still_ours=set, record=list)

    def cancel(self, *orders: Order) -> list[Outcome]:
        return self.adapter.cancel(admit=lambda: orders, still_ours=set, record=list)

    def work_in_vain(self, *orders: Order) -> list[Outcome]:
        """Order what the host is told to keep silent about, and do not wait long."""
        with self._impatient():
            return self.work(*orders)

    def enquire_in_vain(self, *orders: Order) -> list[Outcome]:
        with self._impatient():
            return self.enquire(*orders)

    def cancel_in_vain(self, *orders: Order) -> list[Outcome]:
        with self._impatient():
            return self.cancel(*orders)

    @contextlib.contextmanager
    def _impatient(self):
        patient = self.adapter._options
        self.adapter._options = dataclasses.replace(patient, answer_seconds=0.3)
        try:
            yield
        finally:
            self.adapter._options = patient

    def held(self) -> int:
        return self.host.balance(self.account)

    def call(self, order: Order, kind: CallKind | None = None) -> CoreBankingCall:
        return CoreBankingCall.objects.get(leg_id=order.leg_id, kind=kind or order.kind)


@pytest.fixture
def make_bank(committed, host_server, options):
    """Return a maker of banks whose options differ; all are closed at the end."""
    with contextlib.ExitStack() as stack:
        host_server.control.delete("/faults").raise_for_status()
        host_server.order("/settings", refuses_after_reversal=True, recognises_repeats=True)

        def make(**changes) -> Bank:
            timing = {
                name: changes.pop(name)
                for name in [each.name for each in dataclasses.fields(Timing)]
                if name in changes
            }
            changes["timing"] = dataclasses.replace(options["timing"], **timing)
            adapter = Iso8583CoreBanking(**options | changes)
            stack.callback(adapter.close)
            number = f"{secrets.randbelow(10**12):012}"
            host_server.open_account(number, OPENING)
            return Bank(adapter, host_server, number)

        yield make
    cache.clear()


@pytest.fixture
def bank(make_bank) -> Bank:
    return make_bank()


@pytest.fixture
def draw_from(committed):
    """Set the sequence, as its owner: the next number drawn is this one."""

    def draw_from(number):
        entry = settings.DATABASES["owner"]
        with psycopg.connect(
            host=entry["HOST"], port=entry["PORT"], user=entry["USER"],
            password=entry["PASSWORD"], dbname=entry["NAME"], autocommit=True,
        ) as owner:  # fmt: skip
            owner.execute("SELECT setval('accounts_core_banking_trace', %s, false)", [number])

    return draw_from
