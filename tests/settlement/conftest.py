"""The payments' own fixtures: a bank, and a switch whose hand we hold."""

import dataclasses
import datetime as dt

import pytest

from apps.accounts.core_banking.base import core_banking
from apps.payments.services import verify
from apps.payments.states import Role
from apps.upi.timer_models import Timer
from tests.accounts.core_banking.conftest import wait_until
from tests.payments.conftest import (
    gateway,
    gateway_server,
    hand,
    switch,
    switch_key,
    switch_server,
)
from tests.payments.hand import Deal, drain, state
from tests.settlement.files import ABROAD
from tests.settlement.host_days import ENQUIRY, MOVEMENT, OPENING, make_due

__all__ = ["gateway", "gateway_server", "hand", "switch", "switch_key", "switch_server"]


@pytest.fixture(autouse=True)
def old_enough(settings):
    """Let postings of this moment be compared, as if the switch had had its time."""
    settings.UPI_TIMERS_FIXED = settings.UPI_TIMERS_FIXED | {Timer.CHECK_FIRST_AFTER: 0}


@pytest.fixture
def outward(hand):
    return Deal(payer=hand.account(), payee=ABROAD)


@pytest.fixture
def inward(hand):
    return Deal(payer=ABROAD, payee=hand.plain_account("001234567899"))


@pytest.fixture
def host(at_host, settings):
    """A bank's host with its files; what it leaves unknown is due when a test makes it due."""
    settings.CORE_BANKING_FILES_URL = f"http://127.0.0.1:{at_host.control_port}/dayfile"
    settings.HOST_FILE_AT = dt.time.min
    settings.HOST_ENQUIRY_SECONDS = (60.0,) * 4
    settings.HOST_CANCEL_SECONDS = (60.0,) * 4
    return at_host


@pytest.fixture
def payer(host, hand):
    return hand.account(paise=OPENING)


@pytest.fixture
def impatient(host):
    """Let nobody wait long for a host that is told to be silent."""

    def work(role):
        adapter = core_banking()
        patient = adapter._options
        adapter._options = dataclasses.replace(patient, answer_seconds=0.3)
        drain(role)
        adapter._options = patient

    return work


@pytest.fixture
def unknown(host, hand, payer, impatient):
    """Return a maker of debits that the host did, or did not, and said nothing of."""

    def make(*, is_applied):
        deal = Deal(payer=payer, payee=ABROAD)
        before = host.balance(payer.number)
        hand.debit(deal)
        verify.verify_due()
        host.fault("timeout_applied" if is_applied else "timeout_not_applied", match=MOVEMENT)
        impatient(Role.DEBIT)
        assert state(deal, Role.DEBIT) == "UNKNOWN"
        if is_applied:
            wait_until(lambda: host.balance(payer.number) < before)
        return deal

    return make


@pytest.fixture
def enquire_in_vain(host, impatient):
    def enquire(role=Role.DEBIT):
        host.fault("black_hole", match=ENQUIRY)
        make_due()
        impatient(role)
        host.control.delete("/faults").raise_for_status()

    return enquire


@pytest.fixture
def one_try(settings):
    """Let one enquiry be enough, and one cancellation."""
    settings.HOST_ENQUIRY_SECONDS = (60.0,)
    settings.HOST_CANCEL_SECONDS = (60.0,)
