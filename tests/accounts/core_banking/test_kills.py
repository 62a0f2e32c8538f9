"""A worker is killed at each step of a call to the host: money moves once, and is found."""

import json
import re
import signal
from pathlib import Path

import pytest

from apps.accounts.core_banking import iso8583
from apps.accounts.core_banking.base import OrderKind, Result
from apps.accounts.models import CoreBankingCall
from apps.common.money import ZERO, Money
from apps.ledger import selectors as ledger
from apps.ledger.contracts import Chart
from tests.accounts.core_banking.conftest import OPENING
from tests.foundry import opened_foundry

# Sets Django up once; each line is a death and an order, and a forked worker dies so.
FOUNDRY = """
import json, os, sys, uuid
import django
django.setup()
from django.conf import settings
from apps.accounts.core_banking.base import Order, OrderKind
from apps.accounts.core_banking.iso8583 import Iso8583CoreBanking
from apps.common.money import Money
settings.HSM_HOST_MAC_KEY, options = json.loads(sys.stdin.readline())
bank = Iso8583CoreBanking(**options)
for line in sys.stdin:
    act, point, leg, key, kind, number, rrn, txn = json.loads(line)
    pid = os.fork()
    if pid == 0:
        settings.FAULT_AT = point
        order = Order(uuid.UUID(leg), key, OrderKind(kind), number, Money(2500), rrn, txn)
        getattr(bank, act)(admit=lambda: [order], still_ours=set, record=list)
        os._exit(0)
    print(os.WTERMSIG(os.waitpid(pid, 0)[1]), flush=True)
"""
WORKING = {
    # Whether the host has it done when the worker dies; None: it may.
    "core_banking.planned": False,
    "core_banking.sent": None,
    "core_banking.answered": True,
    "core_banking.recorded": True,
    "core_banking.committed": True,
}
ENDING = ("core_banking.sent", "core_banking.recorded", "core_banking.committed")
ENQUIRING = ("core_banking.enquiry_planned", "core_banking.enquired", *ENDING)
CANCELLING = ("core_banking.cancel_planned", "core_banking.cancel_answered", *ENDING)


@pytest.fixture(scope="module")
def foundry(django_db_setup, host_options, host_mac_key):
    with opened_foundry(FOUNDRY) as opened:
        opened.tell(json.dumps([host_mac_key, host_options]))
        yield opened


@pytest.fixture
def die(foundry):
    """Let a worker die at a point of an act."""

    def die(act, point, order):
        names = [str(order.leg_id), order.transfer_key, order.kind]
        line = [act, point, *names, order.account_number, order.rrn, order.txn_id]
        assert foundry.fork(json.dumps(line)) == signal.SIGKILL

    return die


def mirror():
    return ledger.account_by_code(Chart.CORE_BANKING).balance


@pytest.mark.parametrize(("point", "reached_the_host"), WORKING.items())
def test_what_a_dead_worker_planned_is_found_or_refused_for_ever(
    bank, die, point, reached_the_host
):
    order = bank.order()
    die("work", point, order)
    is_committed = point == "core_banking.committed"
    assert mirror() == Money(-2_500 * is_committed)

    (found,) = bank.enquire(order)
    if found.result is Result.UNKNOWN:
        (ended,) = bank.cancel(order)
        assert ended.result is Result.DECLINED

    is_posted = found.result is Result.POSTED
    assert reached_the_host in {None, is_posted}
    assert bank.held() == OPENING - 2_500 * is_posted
    assert mirror() == Money(-2_500 * is_posted)
    assert CoreBankingCall.objects.filter(leg_id=order.leg_id, kind="DEBIT").count() == 1


@pytest.mark.parametrize("point", ENQUIRING)
def test_an_enquiry_that_died_is_made_again_and_the_debit_is_mirrored_once(bank, die, point):
    order = bank.order()
    bank.host.fault("timeout_applied", match={"mti": "0200"})
    bank.work_in_vain(order)

    die("enquire", point, order)
    (found,) = bank.enquire(order)

    assert found.result is Result.POSTED
    assert bank.held() == OPENING - 2_500
    assert mirror() == Money(-2_500)


@pytest.mark.parametrize("point", ["core_banking.sent", "core_banking.enquired"])
def test_a_return_whose_repeat_died_is_posted_once(bank, die, point):
    order = bank.order(OrderKind.REVERSAL)
    bank.host.fault("timeout_not_applied", match={"mti": "0200"})
    bank.work_in_vain(order)

    die("enquire", point, order)
    (found,) = bank.enquire(order)

    assert found.result is Result.POSTED
    assert bank.held() == OPENING + 2_500
    assert mirror() == Money(2_500)


@pytest.mark.parametrize("point", CANCELLING)
def test_a_cancellation_that_died_is_repeated_and_undoes_once(bank, die, point):
    order = bank.order()
    bank.host.fault("timeout_applied", match={"mti": "0200"})
    bank.work_in_vain(order)

    die("cancel", point, order)
    (ended,) = bank.cancel(order)

    assert ended.result is Result.DECLINED
    assert bank.held() == OPENING
    assert mirror() == ZERO
    assert CoreBankingCall.objects.filter(leg_id=order.leg_id, kind="CANCEL").count() == 1


def test_a_worker_dies_here_at_every_point_of_the_adapter():
    folder = Path(iso8583.__file__).parent
    points = {
        point
        for file in folder.glob("iso8583*.py")
        for point in re.findall(r'fault_point\("([a-z_.]+)"\)', file.read_text())
    }

    assert points == {*WORKING, *ENQUIRING, *CANCELLING}
