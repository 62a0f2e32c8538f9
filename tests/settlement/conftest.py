"""The payments' own fixtures: a bank, and a switch whose hand we hold."""

import pytest

from apps.upi.timer_models import Timer
from tests.payments.conftest import (
    gateway,
    gateway_server,
    hand,
    switch,
    switch_key,
    switch_server,
)
from tests.payments.hand import Deal
from tests.settlement.files import ABROAD

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
