"""Debits, credits, returns and balances over the line to a real host."""

import pytest
from django.db import transaction

from apps.accounts.core_banking.base import OrderKind, Result
from apps.accounts.errors import AccountNotFoundError, CoreBankingUnavailableError
from apps.accounts.models import CoreBankingCall
from apps.accounts.services import credentials
from apps.accounts.states import CallState
from apps.common.money import ZERO, Money
from apps.ledger import selectors as ledger
from apps.ledger.contracts import Chart
from tests.accounts.core_banking.conftest import OPENING

MISSING = "999999999999"


def our(code):
    return ledger.account_by_code(code).balance


def test_a_debit_is_posted_by_the_host_and_mirrored_in_our_books(bank):
    order = bank.order()

    (outcome,) = bank.work(order)

    assert (outcome.result, outcome.code) == (Result.POSTED, "00")
    assert outcome.balance_after == Money(OPENING - 2_500)
    assert bank.held() == OPENING - 2_500
    assert (our(Chart.CORE_BANKING), our(Chart.SWITCH_PAYABLE)) == (Money(-2_500), Money(2_500))
    assert ledger.transfer_by_key(order.transfer_key).pk == outcome.transfer_id
    call = bank.call(order)
    assert (call.state, call.response_code) == (CallState.ANSWERED, "00")
    assert call.settlement_date is not None


def test_credits_and_returns_go_the_other_way(bank):
    orders = [bank.order(OrderKind.CREDIT, paise=700), bank.order(OrderKind.REVERSAL, paise=50)]

    outcomes = bank.work(*orders)

    assert [outcome.result for outcome in outcomes] == [Result.POSTED] * 2
    assert bank.held() == OPENING + 750
    assert (our(Chart.CORE_BANKING), our(Chart.SWITCH_RECEIVABLE)) == (Money(750), Money(-700))
    assert ledger.books_sum() == ZERO


def test_a_batch_goes_over_one_link_and_each_order_has_its_own_answer(bank):
    orders = [bank.order(paise=100 + place) for place in range(60)]
    orders[7] = bank.order(paise=OPENING * 2)
    orders[9] = bank.order(account=MISSING)
    orders[11] = bank.order(OrderKind.CREDIT, account=MISSING)

    outcomes = bank.work(*orders)

    assert [outcome.order for outcome in outcomes] == orders
    refused = {7: "Z9", 9: "XH", 11: "XI"}
    assert [outcome.code for outcome in outcomes] == [refused.get(n, "00") for n in range(60)]
    posted = [100 + place for place in range(60) if place not in refused]
    assert bank.held() == OPENING - sum(posted)
    assert our(Chart.CORE_BANKING) == Money(-sum(posted))
    assert len({(c.terminal, c.stan) for c in CoreBankingCall.objects.all()}) == 60


def test_b12_a_batch_goes_on_over_the_last_stan(bank, draw_from):
    draw_from(999_990)
    orders = [bank.order(paise=100 + place) for place in range(20)]

    outcomes = bank.work(*orders)

    assert [outcome.code for outcome in outcomes] == ["00"] * 20
    assert bank.held() == OPENING - sum(range(100, 120))
    assert {bank.call(order).stan for order in orders} == {
        *range(999_991, 1_000_000),
        *range(1, 12),
    }


def test_an_account_that_may_not_move_is_a_refusal(bank):
    frozen = "77" + bank.account[2:]
    bank.host.open_account(frozen, OPENING, "FROZEN")

    outcomes = bank.work(bank.order(account=frozen), bank.order(OrderKind.CREDIT, account=frozen))

    assert [(each.result, each.code) for each in outcomes] == [
        (Result.DECLINED, "YE"),
        (Result.DECLINED, "YF"),
    ]
    assert our(Chart.CORE_BANKING) == ZERO


def test_the_call_is_planned_with_the_legs_and_made_with_no_transaction_open(bank):
    order, seen = bank.order(), []

    def admit():
        seen.append(transaction.get_connection().in_atomic_block)
        return [order]

    def record(outcomes):
        # The row says what was recorded only once this transaction ends.
        seen.append(bank.call(order).state)
        return outcomes

    bank.adapter.work(admit=admit, still_ours=set, record=record)

    assert seen == [True, "PLANNED"]


def test_what_was_taken_over_during_the_call_reaches_neither_the_record_nor_our_books(bank):
    lost, kept = bank.order(paise=100), bank.order(paise=2_000)

    outcomes = bank.adapter.work(
        admit=lambda: [lost, kept],
        still_ours=lambda leg_ids: set(leg_ids) - {lost.leg_id},
        record=list,
    )

    assert [each.order for each in outcomes] == [kept]
    assert our(Chart.SWITCH_PAYABLE) == Money(2_000)
    assert bank.call(lost).state == "ANSWERED"


def test_nothing_is_sent_when_admission_fails(bank):
    def admit():
        raise RuntimeError

    with pytest.raises(RuntimeError):
        bank.adapter.work(admit=admit, still_ours=set, record=list)

    assert not CoreBankingCall.objects.exists()
    assert bank.held() == OPENING


def test_no_orders_need_no_host(make_bank):
    bank = make_bank(address="127.0.0.1:1")

    assert bank.work() == []


def test_a_balance_is_the_hosts(bank):
    assert bank.adapter.balance(bank.account) == Money(OPENING)
    with pytest.raises(AccountNotFoundError):
        bank.adapter.balance(MISSING)


def test_a_balance_is_asked_once_more_of_a_silent_host(make_bank):
    bank = make_bank(answer_seconds=4.0)
    bank.host.fault("timeout_applied", match={"mti": "0200", "processing_code": "310000"})

    assert bank.adapter.balance(bank.account) == Money(OPENING)

    states = CoreBankingCall.objects.order_by("pk").values_list("kind", "state")
    assert list(states) == [("BALANCE", CallState.SILENT), ("BALANCE", CallState.ANSWERED)]


def test_nobody_there_is_a_decline_at_once_but_a_return_stays_owed(make_bank):
    bank = make_bank(address="127.0.0.1:1")
    orders = [bank.order(), bank.order(OrderKind.CREDIT), bank.order(OrderKind.REVERSAL)]

    outcomes = bank.work(*orders)

    assert [(each.result, each.code) for each in outcomes] == [
        (Result.DECLINED, "XY"),
        (Result.DECLINED, "Y1"),
        (Result.UNKNOWN, ""),
    ]
    assert {bank.call(order).state for order in orders} == {CallState.NOT_SENT}
    with pytest.raises(CoreBankingUnavailableError):
        bank.adapter.balance(bank.account)


def test_a_return_that_never_left_is_sent_when_it_is_enquired(make_bank):
    away, there = make_bank(address="127.0.0.1:1"), make_bank()
    order = there.order(OrderKind.REVERSAL)
    away.work(order)

    (outcome,) = there.enquire(order)

    assert outcome.result is Result.POSTED
    assert there.held() == OPENING + 2_500


def test_b18_a_host_of_another_organisation_is_nobody(make_bank):
    bank = make_bank(organisation="EXBOTHER")

    (outcome,) = bank.work(bank.order())

    assert (outcome.result, outcome.code) == (Result.DECLINED, "XY")
    assert bank.held() == OPENING


def test_a_customer_whose_balance_the_host_does_not_tell_gets_a_technical_answer(
    issuer, make_bank, monkeypatch
):
    bank = make_bank(address="127.0.0.1:1")
    monkeypatch.setattr(credentials, "core_banking", lambda: bank.adapter)
    issuer.open_with_pin("123456")

    assert issuer.ask_balance("123456") == "IR"
