"""
Five hundred wrong PINs at once: three reach the token, and the account is locked.

Real threads, PostgreSQL and token; the only thing added is a count of what the token is asked.
"""

import threading
from concurrent.futures import ThreadPoolExecutor

from django.db import connection, transaction

from apps.accounts.contracts import TryState
from apps.accounts.models import CredentialRequest
from apps.accounts.services import credentials, pin
from apps.common import ids
from hsm import pin as hsm_pin

REQUESTS = 500
WORKERS = 8
WRONG = "000000"


class Counted:
    """Passes on to the token, and counts."""

    def __init__(self, monkeypatch):
        self.asks = 0
        self._lock = threading.Lock()
        self._ask = hsm_pin.verify_many
        monkeypatch.setattr(hsm_pin, "verify_many", self)

    def __call__(self, asks):
        with self._lock:
            self.asks += len(asks)
        return self._ask(asks)


def in_threads(work):
    def run(number):
        try:
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as threads:
        return list(threads.map(run, range(WORKERS)))


def test_500_wrong_pins_at_once_lock_after_three_verifications(issuer, monkeypatch):
    account = issuer.open_with_pin("123456")
    counted = Counted(monkeypatch)
    asks = [issuer.store_debit_block(WRONG) for _ in range(REQUESTS)]
    start = threading.Barrier(WORKERS)

    def work(number):
        """Ask for every eighth exchange until each has its answer."""
        mine = asks[number::WORKERS]
        codes = []
        start.wait()
        while mine:
            claim = ids.uuid7()
            with transaction.atomic():
                tries = pin.take_tries(mine[:64], claim=claim)
            results = pin.verify(tries)
            with transaction.atomic():
                outcomes = pin.record_verdicts(results, claim=claim)
            codes += [outcome.code for outcome in outcomes]
            codes += [each.code for each in tries if each.state is TryState.REFUSED]
            waiting = {each.exchange_id for each in tries if each.state is TryState.WAITING}
            mine = [ask for ask in mine[:64] if ask.exchange_id in waiting] + mine[64:]
        return codes

    codes = [code for part in in_threads(work) for code in part]

    assert counted.asks == 3
    assert sorted(codes) == ["Z6"] * (REQUESTS - 3) + ["ZM"] * 3
    row = issuer.pin_state(account)
    assert (row.tries_left, row.holder) == (0, None)
    assert row.locked_at is not None


def test_many_balance_enquiries_with_wrong_pins_lock_after_three(issuer, monkeypatch):
    account = issuer.open_with_pin("123456")
    counted = Counted(monkeypatch)
    for _ in range(100):
        issuer.send_balance_enquiry(WRONG)

    def work(_number):
        while (
            credentials.work_due() or CredentialRequest.objects.exclude(state="ANSWERED").exists()
        ):
            pass

    in_threads(work)

    codes = sorted(
        CredentialRequest.objects.filter(kind="BALANCE").values_list("result_code", flat=True)
    )
    assert counted.asks == 3
    assert codes == ["Z6"] * 97 + ["ZM"] * 3
    assert issuer.pin_state(account).tries_left == 0
