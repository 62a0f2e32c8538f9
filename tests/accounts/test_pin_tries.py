"""How tries are taken and given back, whoever asks and whoever dies in between."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from apps.accounts.contracts import TryState
from apps.accounts.models import BankAccount, PinState
from apps.accounts.services import pin
from apps.accounts.states import HoldState
from apps.common import ids
from apps.common.secret import Secret
from apps.upi.contracts import Credential
from apps.upi.models import PinBlock
from apps.upi.services import pin_blocks
from hsm import ceremony
from hsm.configuration import configuration
from hsm.pin import PinVerdict
from tests.accounts.issuer import verify

RIGHT, WRONG = "123456", "000000"


@pytest.fixture
def account(issuer):
    return issuer.open_with_pin(RIGHT)


def take(*asks, claim=None):
    with transaction.atomic():
        return pin.take_tries(asks, claim=claim or ids.uuid7())


def record(tries, claim):
    results = pin.verify(tries)
    with transaction.atomic():
        return pin.record_verdicts(results, claim=claim)


def tries_left(account):
    return PinState.objects.get(pk=account.pk).tries_left


def test_a_right_pin_is_verified_and_its_block_forgotten(issuer, account):
    ask = issuer.store_debit_block(RIGHT)

    assert verify([ask]) == [""]

    assert tries_left(account) == 3
    assert not PinBlock.objects.filter(exchange_id=ask.exchange_id).exists()


def test_a_try_is_taken_at_the_claim(issuer, account):
    take(issuer.store_debit_block(RIGHT))

    row = issuer.pin_state(account)
    assert row.tries_left == 2
    assert row.state == HoldState.HELD


def test_one_exchange_of_an_account_is_verified_at_a_time(issuer, account):
    first, second = issuer.store_debit_block(WRONG), issuer.store_debit_block(RIGHT)

    taken, waiting = take(first, second)

    assert (taken.state, waiting.state) == (TryState.TAKEN, TryState.WAITING)
    assert waiting.holder == first.exchange_id
    assert tries_left(account) == 2
    assert PinBlock.objects.filter(exchange_id=second.exchange_id).exists()


def test_a_locked_account_refuses_the_next_only_after_the_verdict_of_the_third(issuer, account):
    verify([issuer.store_debit_block(WRONG)])
    verify([issuer.store_debit_block(WRONG)])
    third, fourth = issuer.store_debit_block(RIGHT), issuer.store_debit_block(WRONG)
    claim = ids.uuid7()

    tries = take(third, fourth, claim=claim)
    (outcome,) = record(tries, claim)

    # The third could be right and was: the fourth must wait for it, not be told Z6.
    assert tries[1].state is TryState.WAITING
    assert outcome.code == ""
    assert tries_left(account) == 3


def test_three_wrong_pins_lock_and_the_fourth_is_not_verified(issuer, account):
    codes = [verify([issuer.store_debit_block(WRONG)]) for _ in range(4)]

    assert codes == [["ZM"], ["ZM"], ["ZM"], ["Z6"]]
    assert tries_left(account) == 0


def test_a_refused_exchange_loses_its_block_and_no_try(issuer, account):
    for _ in range(3):
        verify([issuer.store_debit_block(WRONG)])
    late = issuer.store_debit_block(RIGHT)

    (refused,) = take(late)

    assert (refused.state, refused.code) == (TryState.REFUSED, "Z6")
    assert not PinBlock.objects.filter(exchange_id=late.exchange_id).exists()


def test_a_claim_after_a_death_takes_no_second_try(issuer, account):
    ask = issuer.store_debit_block(WRONG)
    take(ask)
    claim = ids.uuid7()

    tries = take(ask, claim=claim)
    (outcome,) = record(tries, claim)

    assert outcome.code == "ZM"
    assert tries_left(account) == 2


def test_a_claim_that_was_overtaken_records_nothing(issuer, account):
    ask = issuer.store_debit_block(RIGHT)
    old, new = ids.uuid7(), ids.uuid7()
    slow = take(ask, claim=old)
    quick = take(ask, claim=new)

    (late,) = record(slow, old)

    assert not late.is_ours
    assert tries_left(account) == 2
    assert PinBlock.objects.filter(exchange_id=ask.exchange_id).exists()
    (outcome,) = record(quick, new)
    assert (outcome.is_ours, outcome.code) == (True, "")
    assert tries_left(account) == 3


def _unavailable(tries):
    """What `verify` says when the token does not answer."""
    return [
        pin.PinResult(each.exchange_id, each.account_id, PinVerdict.UNAVAILABLE) for each in tries
    ]


def test_a_technical_answer_gives_the_try_back(issuer, account):
    claim = ids.uuid7()
    tries = take(issuer.store_debit_block(WRONG), claim=claim)

    with transaction.atomic():
        (outcome,) = pin.record_verdicts(_unavailable(tries), claim=claim)

    assert outcome.code == "HS"
    assert tries_left(account) == 3


def test_a_technical_answer_after_an_earlier_claim_gives_nothing_back(issuer, account):
    ask = issuer.store_debit_block(WRONG)
    take(ask)
    claim = ids.uuid7()
    tries = take(ask, claim=claim)

    with transaction.atomic():
        pin.record_verdicts(_unavailable(tries), claim=claim)

    assert tries_left(account) == 2


def test_a_technical_answer_at_the_last_try_opens_the_lock_again(issuer, account):
    verify([issuer.store_debit_block(WRONG)])
    verify([issuer.store_debit_block(WRONG)])
    claim = ids.uuid7()
    tries = take(issuer.store_debit_block(RIGHT), claim=claim)
    assert issuer.pin_state(account).locked_at is not None

    with transaction.atomic():
        pin.record_verdicts(_unavailable(tries), claim=claim)

    assert (tries_left(account), issuer.pin_state(account).locked_at) == (1, None)


def test_other_content_costs_no_try(issuer, account):
    ask = issuer.store_debit_block(WRONG, amount="149.50")
    forged = type(ask)(
        ask.exchange_id,
        ask.account_number,
        ask.mobile,
        type(ask.binding)("ReqPay", "DEBIT", ask.binding.txn_id, "149.51", *_parties(ask)),
    )

    assert verify([forged]) == ["B6"]
    assert tries_left(account) == 3


def _parties(ask):
    return ask.binding.payer, ask.binding.payee


def test_a_block_of_another_form_costs_no_try(issuer, account):
    ask = issuer.store_debit_block(WRONG)
    pin_blocks.store(
        ask.exchange_id,
        [
            Credential(
                type="PIN", sub_type="MPIN", code="NPCI", ki="20261101", data=Secret("1.0|AAAA")
            )
        ],
    )

    assert verify([ask]) == ["XF"]
    assert tries_left(account) == 3


def test_a_block_lost_after_the_claim_costs_a_try_until_the_next_right_pin(issuer, account):
    ask = issuer.store_debit_block(WRONG)
    take(ask)
    pin_blocks.delete([ask.exchange_id])

    (again,) = take(ask)

    assert (again.state, again.code) == (TryState.REFUSED, "HS")
    assert tries_left(account) == 2
    assert verify([issuer.store_debit_block(RIGHT)]) == [""]
    assert tries_left(account) == 3


def test_a_leg_refused_while_it_is_verified_still_pays_for_its_pin(issuer, account):
    ask = issuer.store_debit_block(WRONG)
    claim = ids.uuid7()
    tries = take(ask, claim=claim)
    with transaction.atomic():
        pin.leave([ask.exchange_id])

    (outcome,) = record(tries, claim)

    assert outcome.code == "ZM"
    assert tries_left(account) == 2


@pytest.mark.parametrize(("digits", "left"), [(WRONG, 2), (RIGHT, 3)])
def test_a_leg_refused_whose_worker_died_is_verified_for_the_try_alone(
    issuer, account, digits, left
):
    ask = issuer.store_debit_block(digits)
    take(ask)
    with transaction.atomic():
        pin.leave([ask.exchange_id])
    assert pin.finish_left() == 0, "the worker has its lease"

    PinState.objects.update(next_action_at=issuer.pin_state(account).next_action_at - LEASE)
    assert pin.finish_left() == 1

    row = issuer.pin_state(account)
    assert (row.tries_left, row.state) == (left, HoldState.FREE)
    assert not PinBlock.objects.filter(exchange_id=ask.exchange_id).exists()


LEASE = dt.timedelta(seconds=6)


def test_leaving_an_exchange_that_holds_nothing_forgets_its_block(issuer, account):
    ask = issuer.store_debit_block(RIGHT)

    with transaction.atomic():
        pin.leave([ask.exchange_id])

    assert not PinBlock.objects.filter(exchange_id=ask.exchange_id).exists()
    assert issuer.pin_state(account).state == HoldState.FREE


def test_a_hold_that_everybody_forgot_frees_itself_and_keeps_the_try(issuer, account):
    take(issuer.store_debit_block(RIGHT))
    PinBlock.objects.all().delete()
    PinState.objects.update(next_action_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))

    assert pin.finish_left() == 1

    row = issuer.pin_state(account)
    assert (row.tries_left, row.state) == (2, HoldState.FREE)


def test_an_account_frozen_between_claim_and_verdict_still_pays_for_its_pin(issuer, account):
    ask = issuer.store_debit_block(WRONG)
    take(ask)
    BankAccount.objects.update(state="FROZEN")
    claim = ids.uuid7()

    (outcome,) = record(take(ask, claim=claim), claim)

    assert outcome.code == "ZM"
    assert tries_left(account) == 2


def test_a_verifier_of_an_older_key_is_renewed_by_a_right_pin(issuer, account, settings):
    settings.HSM_PIN_KEY = "pin-verification-2"
    configuration.cache_clear()
    try:
        ceremony.create_key("pin-verification-2")
        assert verify([issuer.store_debit_block(RIGHT)]) == [""]
        assert issuer.pin_state(account).verifier_key == "pin-verification-2"
        assert verify([issuer.store_debit_block(RIGHT)]) == [""]
        assert verify([issuer.store_debit_block(WRONG)]) == ["ZM"]
    finally:
        settings.HSM_PIN_KEY = "pin-verification-1"
        configuration.cache_clear()


@pytest.mark.parametrize(
    "change",
    [
        {"tries_left": -1},
        {"tries_left": 4},
        {"tries_left": 0},
        {"state": "HELD"},
        {"verifier": None},
        {"claims": 1},
    ],
)
def test_the_database_refuses_a_pin_row_that_cannot_be(account, change):
    with pytest.raises(IntegrityError), transaction.atomic():
        PinState.objects.update(**change)
