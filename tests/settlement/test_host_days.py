"""What the host never answered its files prove: done by a line, not done by two without one."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from apps.accounts.core_banking.base import core_banking
from apps.accounts.models import BankAccount
from apps.accounts.states import CallState
from apps.common import clock
from apps.common.money import ZERO, Money
from apps.ledger import selectors as ledger
from apps.ledger.contracts import Chart
from apps.messaging.models import DeadLetter
from apps.payments.states import Role
from apps.risk.selectors import used_on
from apps.settlement.contracts import BreakKind
from apps.settlement.errors import (
    HostDayOpenError,
    HostFileDiffersError,
)
from apps.settlement.models import HostFile, HostFileLine
from apps.settlement.services.host_days import fetch_host_file
from apps.settlement.services.reconcile_host import reconcile_host
from apps.settlement.services.take_host_file import take_host_file
from tests.accounts.core_banking.conftest import wait_until
from tests.payments.hand import Deal, drain, history, leg, state
from tests.settlement.files import ABROAD
from tests.settlement.host_days import (
    DAY,
    OPENING,
    RETURN,
    again,
    call_of,
    lines_of,
    make_due,
    take,
    write,
)


def posted(hand, payer, paise=14950):
    deal = Deal(payer=payer, payee=ABROAD, paise=paise)
    hand.debit(deal)
    drain(Role.DEBIT)
    assert state(deal, Role.DEBIT) == "POSTED"
    return deal


def mirror():
    return ledger.account_by_code(Chart.CORE_BANKING).balance


def breaks(date):
    return [(each.kind, each.transaction_id) for each in reconcile_host(date=date).breaks]


def used():
    return used_on(BankAccount.objects.get().pk, clock.business_date(clock.now()))


def test_a_debit_whose_enquiries_are_silent_is_proved_done_by_a_line(
    host, payer, unknown, enquire_in_vain
):
    deal = unknown(is_applied=True)
    enquire_in_vain()
    assert state(deal, Role.DEBIT) == "UNKNOWN"
    assert mirror() == ZERO
    date = call_of(deal).business_date
    host.order("/cutover")

    ended = take(date)

    assert ended == 1
    assert history(deal, Role.DEBIT)[-2:] == ["UNKNOWN", "POSTED"]
    assert mirror() == Money(-14950)
    assert host.balance(payer.number) == OPENING - 14950
    call = call_of(deal)
    assert (call.state, call.response_code, call.settlement_date) == (CallState.LATE, "00", date)
    assert breaks(date) == []
    assert take(date) == 0
    assert (HostFile.objects.count(), HostFileLine.objects.count()) == (1, 1)


def test_absence_proves_nothing_until_the_files_of_both_days_lack_it(
    host, payer, unknown, enquire_in_vain
):
    deal = unknown(is_applied=False)
    enquire_in_vain()
    date = call_of(deal).business_date
    host.order("/cutover")

    assert take(date) == 0
    assert state(deal, Role.DEBIT) == "UNKNOWN"
    assert breaks(date) == [(BreakKind.OPEN_ITEM, deal.id)]
    host.order("/cutover")
    assert take(date + DAY) == 1

    assert history(deal, Role.DEBIT)[-3:] == ["UNKNOWN", "CANCELLING", "DECLINED"]
    assert leg(deal, Role.DEBIT).code == "XY"
    assert used() == (ZERO, 0)
    assert mirror() == ZERO
    assert host.balance(payer.number) == OPENING
    assert breaks(date) == breaks(date + DAY) == []


def test_the_later_file_alone_proves_no_absence(host, unknown):
    deal = unknown(is_applied=False)
    date = call_of(deal).business_date
    for _ in range(2):
        host.order("/cutover")

    assert take(date + DAY) == 0
    assert state(deal, Role.DEBIT) == "UNKNOWN"
    assert take(date) == 1
    assert state(deal, Role.DEBIT) == "DECLINED"


def test_a_debit_after_an_early_cut_over_is_in_the_next_days_file(host, payer, unknown):
    host.order("/cutover")
    deal = unknown(is_applied=True)
    date = call_of(deal).business_date
    host.order("/cutover")

    assert take(date) == 0
    assert state(deal, Role.DEBIT) == "UNKNOWN"
    assert take(date + DAY) == 1

    assert state(deal, Role.DEBIT) == "POSTED"
    assert call_of(deal).settlement_date == date + DAY
    assert mirror() == Money(-14950)
    assert breaks(date) == breaks(date + DAY) == []


def test_what_a_host_of_another_calendar_does_not_name_proves_nothing(host, hand, payer, unknown):
    for _ in range(2):
        host.order("/cutover")
    strange = posted(hand, payer)
    deal = unknown(is_applied=False)
    date = call_of(deal).business_date
    host.order("/cutover")

    assert call_of(strange).settlement_date == date + 2 * DAY
    assert [take(date + DAY * number) for number in range(3)] == [0, 0, 0]
    assert state(deal, Role.DEBIT) == "UNKNOWN"


def test_b13_a_cut_over_between_debit_and_cancellation_breaks_neither_day(
    host, payer, unknown, enquire_in_vain, one_try
):
    """B13: the cancellation undoes on the next day what the host posted on the day before."""
    deal = unknown(is_applied=True)
    enquire_in_vain()
    assert state(deal, Role.DEBIT) == "CANCELLING"
    date = call_of(deal).business_date
    host.order("/cutover")
    again(Role.DEBIT)
    assert state(deal, Role.DEBIT) == "DECLINED"
    host.order("/cutover")

    assert take(date) == 0
    assert breaks(date) == []
    assert take(date + DAY) == 0

    assert breaks(date) == breaks(date + DAY) == []
    assert host.balance(payer.number) == OPENING
    assert mirror() == ZERO


def test_a_cancellation_that_nobody_acknowledged_is_proved_by_the_line_that_undid_it(
    host, payer, unknown, enquire_in_vain, impatient, one_try
):
    deal = unknown(is_applied=True)
    enquire_in_vain()
    host.fault("timeout_applied", match={"mti": "0420"})
    make_due()
    impatient(Role.DEBIT)
    assert DeadLetter.objects.get().resolved_at is None
    wait_until(lambda: host.balance(payer.number) == OPENING)
    date = call_of(deal).business_date
    host.order("/cutover")

    assert take(date) == 1

    assert state(deal, Role.DEBIT) == "DECLINED"
    assert leg(deal, Role.DEBIT).parked_at is None
    assert DeadLetter.objects.get().resolved_at is not None
    assert breaks(date) == []


def test_what_is_being_cancelled_is_never_posted_by_a_line(host, unknown, enquire_in_vain, one_try):
    deal = unknown(is_applied=True)
    enquire_in_vain()
    date = call_of(deal).business_date
    host.order("/cutover")

    assert take(date) == 0

    assert state(deal, Role.DEBIT) == "CANCELLING"
    assert mirror() == ZERO
    assert breaks(date) == [
        (BreakKind.OPEN_ITEM, deal.id),
        (BreakKind.STANDS_AT_HOST, deal.id),
    ]


@pytest.mark.parametrize(
    ("fault", "stands"),
    [
        ({"kind": "timeout_not_applied"}, CallState.SILENT),
        ({"kind": "unknown_code", "code": "96", "applied": False}, CallState.ANSWERED),
    ],
)
def test_a_return_that_was_never_done_is_sent_again_when_two_files_prove_it(
    host, hand, payer, impatient, fault, stands
):
    deal = posted(hand, payer)
    adapter = core_banking()
    adapter._options = dataclasses.replace(adapter._options, recognises_repeats=False)
    hand.reversal(deal, "DEBIT")
    host.fault(**fault, match=RETURN)
    impatient(Role.REVERSAL)
    again(Role.REVERSAL)
    assert state(deal, Role.REVERSAL) == "UNKNOWN"
    date = call_of(deal).business_date
    for _ in range(2):
        host.order("/cutover")

    take(date)
    assert call_of(deal, Role.REVERSAL).state == stands
    take(date + DAY)
    assert call_of(deal, Role.REVERSAL).state == CallState.NOT_SENT
    again(Role.REVERSAL)

    assert state(deal, Role.REVERSAL) == "POSTED"
    assert host.balance(payer.number) == OPENING
    assert mirror() == ZERO
    assert call_of(deal, Role.REVERSAL).repeated_at is not None


def test_a_return_of_unknown_outcome_is_proved_done_by_a_line(host, hand, payer, impatient):
    deal = posted(hand, payer)
    hand.reversal(deal, "DEBIT")
    host.fault("timeout_applied", match=RETURN)
    impatient(Role.REVERSAL)
    wait_until(lambda: host.balance(payer.number) == OPENING)
    date = call_of(deal).business_date
    host.order("/cutover")

    assert take(date) == 1

    assert state(deal, Role.REVERSAL) == "POSTED"
    assert mirror() == ZERO
    assert breaks(date) == []


def test_a_credit_of_unknown_outcome_is_proved_done_by_a_line(host, hand, impatient):
    payee = hand.plain_account("001234567899")
    deal = Deal(payer=ABROAD, payee=payee)
    hand.credit(deal)
    host.fault("timeout_applied", match={"processing_code": "210000"})
    impatient(Role.CREDIT)
    assert state(deal, Role.CREDIT) == "UNKNOWN"
    wait_until(lambda: host.balance(payee.number) == 14950)
    date = call_of(deal, Role.CREDIT).business_date
    host.order("/cutover")

    assert take(date) == 1

    assert state(deal, Role.CREDIT) == "POSTED"
    assert mirror() == Money(14950)
    assert breaks(date) == []


def test_every_way_in_which_a_day_may_differ_is_found(host, hand, payer):
    names = ("amount", "rrn", "account", "movement", "missing", "twice", "undone", "agrees")
    deals = {name: posted(hand, payer, paise=100 + place) for place, name in enumerate(names)}
    date = call_of(deals["agrees"]).business_date
    host.order("/cutover")
    real = {row["upi_id"]: row for row in lines_of(fetch_host_file(date))}
    row = {name: real[deal.id] for name, deal in deals.items()}
    lines = [
        row["amount"] | {"amount_paise": "1"},
        row["rrn"] | {"rrn": "999999999999"},
        row["account"] | {"account": "009999999999"},
        row["movement"] | {"processing_code": "210000"},
        row["twice"],
        row["twice"] | {"at": f"{date}T23:59:59.999+05:30"},
        row["undone"],
        row["undone"] | {"kind": "UNDONE", "sign": "C"},
        row["agrees"],
        row["agrees"] | {"stan": "999999", "upi_id": "SMPGHOST"},
    ]

    take(date, write(date, *lines))

    expected = {
        "amount": BreakKind.AMOUNT_DIFFERS,
        "rrn": BreakKind.RRN_DIFFERS,
        "account": BreakKind.ACCOUNT_DIFFERS,
        "movement": BreakKind.MOVEMENT_DIFFERS,
        "missing": BreakKind.ONLY_WITH_US,
        "twice": BreakKind.TWICE_AT_HOST,
        "undone": BreakKind.UNDONE_AT_HOST,
    }
    found = {(kind, deals[name].id) for name, kind in expected.items()}
    assert set(breaks(date)) == found | {(BreakKind.ONLY_AT_HOST, "SMPGHOST")}
    assert reconcile_host(date=date).matched == 1
    assert {state(deal, Role.DEBIT) for deal in deals.values()} == {"POSTED"}
    assert "009999999999" not in str(reconcile_host(date=date).breaks)


def test_a_line_about_something_else_proves_nothing(host, unknown):
    deal = unknown(is_applied=True)
    date = call_of(deal).business_date
    host.order("/cutover")
    (real,) = lines_of(fetch_host_file(date))

    assert take(date, write(date, real | {"amount_paise": "1"})) == 0

    assert state(deal, Role.DEBIT) == "UNKNOWN"
    assert mirror() == ZERO
    assert (BreakKind.AMOUNT_DIFFERS, deal.id) in breaks(date)


def test_an_enquiry_that_is_overtaken_by_the_file_moves_nothing_twice(host, unknown, monkeypatch):
    deal = unknown(is_applied=True)
    date = call_of(deal).business_date
    host.order("/cutover")
    adapter = core_banking()
    ask = adapter._exchange

    def ask_late(requests):
        if not ended:
            ended.append(take(date))
        return ask(requests)

    ended = []
    monkeypatch.setattr(adapter, "_exchange", ask_late)
    again(Role.DEBIT)

    assert ended == [1]
    assert history(deal, Role.DEBIT)[-2:] == ["UNKNOWN", "POSTED"]
    assert mirror() == Money(-14950)
    assert breaks(date) == []


def test_two_who_take_the_same_file_at_once_take_it_once(host, unknown):
    deal = unknown(is_applied=True)
    date = call_of(deal).business_date
    host.order("/cutover")

    def take_alone(_):
        try:
            return take(date)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        ended = list(threads.map(take_alone, range(4)))

    assert sum(ended) == 1
    assert (HostFile.objects.count(), HostFileLine.objects.count()) == (1, 1)
    assert mirror() == Money(-14950)


def test_a_day_has_one_file_for_ever(host, unknown):
    deal = unknown(is_applied=True)
    date = call_of(deal).business_date
    take(date, write(date))
    host.order("/cutover")

    with pytest.raises(HostFileDiffersError):
        take(date)

    assert state(deal, Role.DEBIT) == "UNKNOWN"
    assert HostFile.objects.get().rows == 0
    assert not HostFileLine.objects.exists()


def test_a_day_that_lasts_has_no_file(host):
    today = clock.business_date(clock.now())

    with pytest.raises(HostDayOpenError):
        fetch_host_file(today)
    host.order("/cutover")
    with pytest.raises(HostDayOpenError):
        take_host_file(fetch_host_file(today), date=today, now=clock.now())

    assert not HostFile.objects.exists()
