"""A line of the host's file outlives its time while it may still end what is unknown."""

import datetime as dt
import hashlib

import pytest

from apps.accounts.models import CoreBankingCall
from apps.common import clock
from apps.operators.services import old_rows
from apps.payments.models import Leg
from apps.payments.services import host_calls
from apps.payments.states import Role
from apps.settlement import host_file
from apps.settlement.models import HostFileLine
from apps.settlement.services import take_host_file
from apps.settlement.services.host_days import fetch_host_file
from tests.payments.hand import Deal, drain, history, state
from tests.settlement.files import ABROAD
from tests.settlement.host_days import OPENING, call_of, take
from upi_platform.retention import ROW_RETENTIONS

YEARS = dt.timedelta(days=1000)


@pytest.fixture
def after_years(monkeypatch):
    """Remove what is old, first calls and then lines, as if years had passed."""
    # Before a day that is yet to come is every call of today.
    monkeypatch.setattr(host_calls, "KEPT_DAYS", -YEARS.days)

    def remove():
        host_calls.purge()
        old_rows.remove_old(ROW_RETENTIONS, now=clock.now() + YEARS)
        return {*HostFileLine.objects.values_list("stan", flat=True)}

    return remove


def keep_without_ending(content, date):
    """Take a file as one who is killed before he ends anything by it."""
    lines = host_file.read(content, date=date)
    take_host_file._keep(lines, date=date, digest=hashlib.sha256(content).digest())


def test_a_line_stays_for_the_unknown_debit_that_it_then_ends(
    host, hand, payer, unknown, after_years
):
    ended = Deal(payer=payer, payee=ABROAD, paise=100)
    hand.debit(ended)
    drain(Role.DEBIT)
    deal = unknown(is_applied=True)
    stan, date = call_of(deal).stan, call_of(deal).business_date
    host.order("/cutover")
    content = fetch_host_file(date)
    keep_without_ending(content, date)
    assert HostFileLine.objects.count() == 2

    assert after_years() == {stan}
    assert not CoreBankingCall.objects.exclude(leg_id=call_of(deal).leg_id).exists()
    assert take(date, content) == 1

    assert history(deal, Role.DEBIT)[-2:] == ["UNKNOWN", "POSTED"]
    assert host.balance(payer.number) == OPENING - 14950 - 100
    assert after_years() == set()


def test_a_file_whose_lines_are_gone_ends_nothing_more(host, hand, payer, unknown, after_years):
    deal = unknown(is_applied=True)
    date = call_of(deal).business_date
    host.order("/cutover")
    content = fetch_host_file(date)
    assert take(date, content) == 1
    assert after_years() == set()

    assert take(date, content) == 0

    assert state(deal, Role.DEBIT) == "POSTED"
    assert Leg.objects.filter(state="UNKNOWN").count() == 0
