"""The token away in the midst of payments: a technical decline, and no try of anybody's PIN."""

import ctypes
import os

import pytest
from django.conf import settings

from apps.accounts.models import PinState
from apps.common import clock
from apps.ledger.models import Transfer
from apps.payments.states import Role
from apps.upi.models import Exchange
from hsm import signing
from hsm.sessions import pool
from tests.hsm.test_sessions import until_it_works
from tests.payments.hand import Deal, drain, history
from tests.payments.test_debit import ABROAD


@pytest.fixture
def deal(hand) -> Deal:
    return Deal(payer=hand.account(paise=100_000), payee=ABROAD)


@pytest.fixture
def cable(monkeypatch, tmp_path):
    """Restart the token behind the back of this process; with its keys, or without."""
    empty = tmp_path / "softhsm2.conf"
    empty.write_text(f"directories.tokendir = {tmp_path}\nobjectstore.backend = file\n")
    there = os.environ["SOFTHSM2_CONF"]

    def plug(*, is_in):
        monkeypatch.setenv("SOFTHSM2_CONF", there if is_in else str(empty))
        if pool._token is not None:
            ctypes.CDLL(settings.PKCS11_MODULE).C_CloseAllSessions(
                ctypes.c_ulong(pool._token.slot.slot_id)
            )

    return plug


def tries():
    return PinState.objects.get().tries_left


def test_a_token_lost_before_a_pin_is_a_technical_decline_that_costs_no_try(hand, deal, cable):
    sent = hand.debit(deal, pin="000000")
    cable(is_in=False)

    drain(Role.DEBIT)

    assert history(deal, Role.DEBIT) == ["RECEIVED", "VERIFYING", "DECLINED"]
    assert tries() == 3
    assert not hand.answers(sent), "an answer needs a signature"

    cable(is_in=True)
    until_it_works(lambda: signing.sign(settings.HSM_SIGNING_KEY, b"x"))
    Exchange.objects.update(next_action_at=clock.now())
    drain(Role.DEBIT)

    assert sent.code == "HS"
    assert not Transfer.objects.filter(purpose="UPI_DEBIT").exists()


def test_after_the_token_came_back_the_right_pin_is_right(hand, deal, cable):
    hand.debit(deal)
    cable(is_in=False)
    drain(Role.DEBIT)
    cable(is_in=True)
    until_it_works(lambda: signing.sign(settings.HSM_SIGNING_KEY, b"x"))

    sent = hand.debit(Deal(payer=deal.payer, payee=ABROAD))
    drain(Role.DEBIT)

    assert (sent.code, tries()) == ("00", 3)


def test_sessions_that_died_between_receipt_and_pin_cost_no_payment(hand, deal, cable):
    sent = hand.debit(deal)
    cable(is_in=True)

    drain(Role.DEBIT)

    assert (sent.code, tries()) == ("00", 3)
