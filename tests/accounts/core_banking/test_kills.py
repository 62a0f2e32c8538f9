"""A worker is killed between plan, sending, answer and record: money moves once, and is found."""

import json
import os
import signal
import subprocess
import sys

import pytest
from django.db import connection

from apps.accounts.core_banking.base import Result
from apps.accounts.models import CoreBankingCall
from apps.common.money import ZERO, Money
from apps.ledger import selectors as ledger
from apps.ledger.contracts import Chart
from tests.accounts.core_banking.conftest import OPENING

# Sets Django up once; each line is a point and an order, and a forked worker dies there.
FOUNDRY = """
import json, os, sys, uuid
import django
django.setup()
from django.conf import settings
from apps.accounts.core_banking.base import Order, OrderKind
from apps.accounts.core_banking.iso8583 import Iso8583CoreBanking
from apps.common.money import Money
bank = Iso8583CoreBanking(**json.loads(sys.stdin.readline()))
for line in sys.stdin:
    point, leg, key, number, rrn, txn = json.loads(line)
    pid = os.fork()
    if pid == 0:
        settings.FAULT_AT = point
        order = Order(uuid.UUID(leg), key, OrderKind.DEBIT, number, Money(2500), rrn, txn)
        bank.work(admit=lambda: [order], still_ours=set, record=list)
        os._exit(0)
    print(os.WTERMSIG(os.waitpid(pid, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def foundry(django_db_setup, host_server, host_mac_key):
    database = connection.settings_dict
    address = f"{database['HOST']}:{database['PORT']}/{database['NAME']}"
    options = {
        "address": host_server.address,
        "organisation": "EXBHOST",
        "tls_ca": str(host_server.tls / "ca.pem"),
        "tls_certificate": str(host_server.tls / "receiver.pem"),
        "tls_key": str(host_server.tls / "receiver.key"),
        "acquirer": "900001",
        "terminals": ["EXBUPI01", "EXBUPI02"],
        "answer_seconds": 10,
    }
    with subprocess.Popen(
        [sys.executable, "-c", f"{FOUNDRY.replace('bank = ', _KEY.format(host_mac_key))}"],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "upi_platform.settings.test",
            "DATABASE_URL": f"postgresql://{database['USER']}:{database['PASSWORD']}@{address}",
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        process.stdin.write(json.dumps(options) + "\n")
        yield process
        process.stdin.close()


_KEY = "settings.HSM_HOST_MAC_KEY = {!r}\nbank = "


@pytest.mark.parametrize(
    ("point", "reached_the_host"),
    [
        ("core_banking.planned",  False),
        ("core_banking.sent",     None),
        ("core_banking.answered", True),
        ("core_banking.recorded", True),
    ],
)  # fmt: skip
def test_what_a_dead_worker_planned_is_found_or_refused_for_ever(
    bank, foundry, point, reached_the_host
):
    order = bank.order()
    line = [point, str(order.leg_id), order.transfer_key, order.account_number, order.rrn]
    foundry.stdin.write(json.dumps([*line, order.txn_id]) + "\n")
    foundry.stdin.flush()
    assert int(foundry.stdout.readline()) == signal.SIGKILL
    assert ledger.account_by_code(Chart.CORE_BANKING).balance == ZERO

    (found,) = bank.enquire(order)
    if found.result is Result.UNKNOWN:
        (ended,) = bank.cancel(order)
        assert ended.result is Result.DECLINED

    is_posted = found.result is Result.POSTED
    assert reached_the_host in {None, is_posted}
    assert bank.held() == OPENING - 2_500 * is_posted
    assert ledger.account_by_code(Chart.CORE_BANKING).balance == Money(-2_500 * is_posted)
    assert CoreBankingCall.objects.filter(leg_id=order.leg_id, kind="DEBIT").count() == 1


def test_what_was_committed_needs_nothing_more(bank, foundry):
    order = bank.order()
    line = ["core_banking.committed", str(order.leg_id), order.transfer_key]
    more = [order.account_number, order.rrn, order.txn_id]
    foundry.stdin.write(json.dumps([*line, *more]) + "\n")
    foundry.stdin.flush()
    assert int(foundry.stdout.readline()) == signal.SIGKILL

    assert ledger.account_by_code(Chart.CORE_BANKING).balance == Money(-2_500)
    assert bank.held() == OPENING - 2_500
