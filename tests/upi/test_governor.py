"""The API budget: no order of calls, no race and no restart makes us call more than is allowed."""

import datetime as dt
import json
import threading
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from apps.common import clock, ids
from apps.upi.budget_models import ApiCap, ApiUse, PeakHours
from apps.upi.contracts import (
    Device,
    Head,
    Party,
    ReqBalEnq,
    ReqChkTxn,
    ReqPay,
    Request,
    SendResult,
    Txn,
)
from apps.upi.errors import ApiBudgetError, PeakHoursError
from apps.upi.models import Exchange
from apps.upi.services import governor, requests
from apps.upi.timer_models import Timer
from tests.upi.test_requests import payment

# A Wednesday, 12:00 UTC: 17:30 in India, which is peak.
NOON = dt.datetime(2026, 11, 18, 12, 0, tzinfo=dt.UTC)
NIGHT = dt.datetime(2026, 11, 18, 20, 30, tzinfo=dt.UTC)
DAY = dt.timedelta(hours=24)
SPAN = DAY + dt.timedelta(seconds=governor.ARRIVAL_SECONDS)
TICK = dt.timedelta(microseconds=1)


def head() -> Head:
    return Head(ts=clock.now(), org_id="900001", msg_id=ids.new_upi_id("EXB"))


def txn(kind: str, **facts) -> Txn:
    return Txn(id=ids.new_upi_id("EXB"), ts=clock.now(), type=kind, note=kind, **facts)


def balance(mobile: str = "919800000001") -> Request:
    payer = Party(
        addr=f"{mobile[2:]}@exbank", type="PERSON", code="0000", device=Device(mobile=mobile)
    )
    message = ReqBalEnq(head=head(), txn=txn("BalEnq"), payer=payer)
    return Request(exchange_id=ids.uuid7(), message=message)


def listing(kind: str = "ListKeys") -> Request:
    """A call that is counted for the bank as a whole; the governor reads its type only."""
    message = ReqChkTxn(head=head(), txn=txn(kind))
    return Request(exchange_id=ids.uuid7(), message=message)


def check(org_txn_id: str, initiated_by: str = "PAYER") -> Request:
    facts = {"org_txn_id": org_txn_id, "initiated_by": initiated_by}
    message = ReqChkTxn(head=head(), txn=txn("ChkTxn", **facts))
    return Request(exchange_id=ids.uuid7(), message=message)


def take(*batch: Request, at: dt.datetime = NIGHT) -> dict:
    with transaction.atomic():
        return governor.take(batch, now=at)


def taken(*batch: Request, at: dt.datetime = NIGHT) -> int:
    return len(batch) - len(take(*batch, at=at))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("make", "cap"),
    [(balance, 50), (lambda: listing("ListAccount"), 25), (listing, 1),
     (lambda: listing("ListVae"), 1), (lambda: listing("ListPsp"), 1)],
    ids=["balance", "accounts", "keys", "merchants", "psps"],
)  # fmt: skip
def test_so_many_calls_are_allowed_in_a_day_and_no_more(make, cap):
    assert taken(*[make() for _ in range(cap + 3)]) == cap
    assert ApiUse.objects.count() == cap


@pytest.mark.django_db
def test_a_use_counts_for_a_sliding_day_and_the_time_a_call_may_be_under_way():
    for minute in range(50):
        assert taken(balance(), at=NIGHT + dt.timedelta(minutes=minute)) == 1

    assert taken(balance(), at=NIGHT + SPAN - TICK) == 0
    assert taken(balance(), at=NIGHT + SPAN) == 1
    assert taken(balance(), at=NIGHT + SPAN) == 0


@pytest.mark.django_db
def test_a_refusal_says_when_the_next_call_is_allowed():
    for minute in range(50):
        take(balance(), at=NIGHT + dt.timedelta(minutes=minute))
    last = NIGHT + dt.timedelta(minutes=50)

    [error] = take(balance(), at=last).values()

    assert (error.code, error.http_status) == ("api_budget_spent", 429)
    assert error.retry_at == NIGHT + SPAN
    assert error.members["retry_after_seconds"] == int((error.retry_at - last).total_seconds()) + 1


@pytest.mark.django_db
def test_each_customer_has_a_budget_of_their_own_whatever_address_they_use():
    take(*[balance() for _ in range(50)])

    assert taken(balance("919800000002")) == 1
    assert taken(balance()) == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("hour", "minute", "is_peak"),
    [
        ( 9, 59, False), (10, 0, True), (12, 59, True), (13, 0, False),
        (16, 59, False), (17, 0, True), (21, 29, True), (21, 30, False),
    ],
)  # fmt: skip
def test_what_no_customer_waits_for_is_not_asked_in_peak_hours(hour, minute, is_peak):
    at = dt.datetime(2026, 11, 18, hour, minute, tzinfo=clock.IST)

    refused = take(listing("ListVae"), balance(), at=at)

    assert [type(error) for error in refused.values()] == [PeakHoursError] * is_peak
    assert ApiUse.objects.count() == 2 - is_peak
    if is_peak:
        [error] = refused.values()
        end = dt.time(13) if hour < 13 else dt.time(21, 30)
        assert error.retry_at.astimezone(clock.IST).time() == end


@pytest.mark.django_db
def test_a_payment_is_asked_about_three_times_by_each_of_our_roles():
    original = ids.new_upi_id("EXB")

    assert taken(*[check(original) for _ in range(5)]) == 3
    assert taken(*[check(original, "PAYEE") for _ in range(5)]) == 3
    assert taken(check(ids.new_upi_id("EXB"))) == 1


@pytest.mark.django_db
def test_a_payment_is_not_asked_about_before_its_first_ninety_seconds(settings):
    settings.UPI_TIMERS_FIXED = settings.UPI_TIMERS_FIXED | {Timer.CHECK_NOT_BEFORE: 90}
    request = payment()
    with transaction.atomic():
        requests.open_requests([request])
    begun = Exchange.objects.get().opened_at
    after = dt.timedelta(seconds=90)

    [error] = take(check(request.message.txn.id), at=begun + after - TICK).values()

    assert error.retry_at == begun + after
    assert taken(check(request.message.txn.id), at=begun + after) == 1


@pytest.mark.django_db
def test_another_row_holds_from_its_day_on():
    ApiCap.objects.filter(api="BalEnq").update(valid_to_date=dt.date(2026, 11, 19))
    ApiCap.objects.create(
        api="BalEnq",
        subject_kind="CUSTOMER",
        cap=2,
        window_seconds=86400,
        peak_rule="NOT_IN_PEAK",
        valid_from_date=dt.date(2026, 11, 19),
        source="test",
    )

    assert taken(*[balance() for _ in range(3)], at=NOON) == 3
    assert taken(balance(), at=NOON + DAY) == 0
    assert taken(*[balance("919800000009") for _ in range(3)], at=NIGHT) == 2
    assert PeakHours.objects.count() == 2


@pytest.mark.django_db
def test_a_call_that_is_over_budget_is_not_opened_and_undoes_what_was_to_go_with_it():
    with time_machine.travel(NIGHT, tick=False):
        batch = [balance() for _ in range(52)]
        with transaction.atomic():
            refused = requests.open_within_budget(batch)
        assert list(refused) == [request.exchange_id for request in batch[50:]]
        assert Exchange.objects.count() == 50

        with pytest.raises(ApiBudgetError), transaction.atomic():
            requests.open_requests([balance("919800000002"), balance()])

    assert Exchange.objects.count() == 50
    assert ApiUse.objects.count() == 50


@pytest.mark.django_db
def test_a_payment_pays_no_statement_for_the_governor():
    batch = [payment() for _ in range(3)]
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        governor.take(batch, now=NIGHT)
        governor.give_back(batch)

    assert all(isinstance(request.message, ReqPay) for request in batch)
    assert len(queries) == 0


def test_messages_leave_only_by_the_counted_door_and_as_answers():
    apps = Path(settings.BASE_DIR, "apps")
    posting = {
        str(file.relative_to(apps))
        for file in apps.rglob("*.py")
        if "post_many(" in file.read_text()
    }

    assert posting == {"upi/client.py", "upi/services/requests.py", "upi/services/deliver.py"}


def test_a_call_of_which_no_byte_left_does_not_count(committed, settings):
    settings.UPI_SWITCH_URL = "http://127.0.0.1:9"
    batch = [balance()]
    with transaction.atomic():
        requests.open_requests(batch)
    assert ApiUse.objects.count() == 1

    [outcome] = requests.send_requests(batch)

    assert outcome.result is SendResult.NOT_SENT
    assert ApiUse.objects.count() == 0


@pytest.mark.django_db
def test_the_question_counts_nothing_and_agrees_with_the_decision():
    take(*[balance() for _ in range(49)])
    governor.allow("BalEnq", "919800000001", NIGHT)
    take(balance())

    with pytest.raises(ApiBudgetError):
        governor.allow("BalEnq", "919800000001", NIGHT)
    with pytest.raises(PeakHoursError):
        governor.allow("ListVae", "900001", NOON)
    governor.allow("Otp", "919800000001", NOON)
    assert ApiUse.objects.count() == 50


RACERS, CALLS = 8, 12


def test_of_racing_calls_only_as_many_as_the_cap_come_through(committed):
    """Eight processes' worth of connections, at once, in batches that overlap in all subjects."""
    ApiCap.objects.filter(api="BalEnq").update(cap=10)
    begin = threading.Barrier(RACERS)
    counts: list[int] = []

    def race(number: int) -> None:
        try:
            begin.wait()
            for place in range(CALLS // 3):
                mobiles = ["919800000001", "919800000002", "919800000003"]
                shift = (number + place) % 3
                batch = [balance(mobile) for mobile in mobiles[shift:] + mobiles[:shift]]
                counts.append(taken(*batch))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=race, args=[number]) for number in range(RACERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(counts) == RACERS * CALLS // 3
    assert sum(counts) == ApiUse.objects.count() == 3 * 10
    for number in (1, 2, 3):
        assert ApiUse.objects.filter(subject=f"91980000000{number}").count() == 10


hours = st.integers(min_value=0, max_value=60)
calls = st.lists(st.tuples(hours, st.integers(min_value=1, max_value=4)), max_size=25)


hours = st.lists(st.integers(min_value=0, max_value=60), max_size=25).map(sorted)
sizes = st.lists(st.integers(min_value=1, max_value=4), min_size=25, max_size=25)


@pytest.mark.django_db
@hypothesis_settings(max_examples=25, deadline=None, derandomize=True)
@given(cap=st.integers(min_value=1, max_value=5), hours=hours, sizes=sizes)
def test_no_window_holds_more_calls_than_the_cap_and_none_is_refused_before_it(cap, hours, sizes):
    instants = [NIGHT + hour * dt.timedelta(hours=1) for hour in hours]
    with transaction.atomic():
        ApiCap.objects.filter(api="BalEnq").update(cap=cap)
        opened = [
            at
            for at, size in zip(instants, sizes, strict=False)
            for _ in range(taken(*[balance() for _ in range(size)], at=at))
        ]
        transaction.set_rollback(True)

    asked = [at for at, size in zip(instants, sizes, strict=False) for _ in range(size)]
    expected: list[dt.datetime] = []
    for at in asked:
        if sum(other > at - SPAN for other in expected) < cap:
            expected.append(at)
    assert opened == expected
    assert all(sum(at - first < SPAN for at in opened[i:]) <= cap for i, first in enumerate(opened))


@pytest.mark.django_db
def test_uses_are_forgotten_when_no_report_reaches_them():
    take(balance(), at=clock.now() - dt.timedelta(days=governor.PURGE_AFTER_DAYS, hours=1))
    take(balance(), at=clock.now())

    assert governor.purge() == 1
    assert governor.purge() == 0
    assert ApiUse.objects.count() == 1


@pytest.mark.django_db
def test_the_report_shows_use_against_cap(capsys):
    with time_machine.travel(NIGHT, tick=False):
        take(*[balance() for _ in range(50)], balance("919800000002"))
        take(balance("919800000003"), at=NIGHT - dt.timedelta(hours=20))

        call_command("api_budget", "--json")
        report = json.loads(capsys.readouterr().out)
        call_command("api_budget")
        text = capsys.readouterr().out

    [line] = [line for line in report["apis"] if line["api"] == "BalEnq"]
    assert (line["cap"], line["used_today"], line["used_in_window"]) == (50, 51, 52)
    assert (line["used_most"], line["subjects_spent"]) == (50, 1)
    assert report["is_peak"] is False
    assert report["peak_hours"] == ["10:00 to 13:00", "17:00 to 21:30"]
    assert "BalEnq" in text
    assert "9198" not in text
