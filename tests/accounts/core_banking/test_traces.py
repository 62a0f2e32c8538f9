"""Trace numbers, and the cap of cancellations, among processes that know nothing of each other."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection, transaction

from apps.accounts.core_banking import iso8583_calls as calls
from apps.accounts.core_banking.iso8583_calls import Wish
from apps.accounts.models import CoreBankingCall
from apps.accounts.states import CallKind
from apps.common import ids

TERMINALS = ("EXBUPI01", "EXBUPI02")


def wish(kind=CallKind.DEBIT, leg=None):
    return Wish(kind, "532610000123", 100, leg or ids.uuid7())


@transaction.atomic
def plan(*wishes, terminals=TERMINALS):
    return calls.plan(wishes, acquirer="900001", terminals=terminals)


def names(planned):
    return [(call.terminal, call.trace) for call in planned]


def test_b12_after_the_last_stan_comes_the_next_terminal(draw_from):
    draw_from(999_997)

    assert names(plan(*[wish() for _ in range(4)])) == [
        ("EXBUPI01", "999998"),
        ("EXBUPI01", "999999"),
        ("EXBUPI02", "000001"),
        ("EXBUPI02", "000002"),
    ]


def test_b12_a_stan_that_the_day_has_already_is_not_used_again(draw_from):
    draw_from(999_998)
    first = plan(wish(), wish(), wish(), terminals=TERMINALS[:1])
    draw_from(999_998)

    second = plan(wish(), wish(), terminals=TERMINALS[:1])

    assert names(first) == [("EXBUPI01", n) for n in ("999999", "000001", "000002")]
    assert not set(names(first)) & set(names(second))
    assert len(set(names(second))) == 2


def test_movements_and_cancellations_number_apart(draw_from):
    draw_from(0)
    (movement,) = plan(wish())
    draw_from(0)

    (cancel,) = plan(Wish(CallKind.CANCEL, "1", 100, movement.wish.leg_id, movement.id))

    assert names([movement]) == names([cancel])


def test_a_movement_is_planned_once_for_ever(committed):
    leg = ids.uuid7()
    plan(wish(leg=leg))

    with pytest.raises(IntegrityError):
        plan(wish(leg=leg))

    assert CoreBankingCall.objects.count() == 1


def test_processes_draw_at_once_and_never_the_same(committed):
    def draw(_):
        try:
            return names(plan(*[wish() for _ in range(25)]))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        drawn = [name for part in threads.map(draw, range(8)) for name in part]

    assert len(set(drawn)) == 200


def test_b11_the_cap_holds_among_all_who_ask(committed):
    @transaction.atomic
    def ask(_):
        return calls.take_allowance(3, per_second=10)

    def asked(number):
        try:
            return ask(number)
        finally:
            connection.close()

    with transaction.atomic():
        # All that asked before us are over a second ago, for this is a row of the migrations.
        first = calls.take_allowance(4, per_second=10)
    with ThreadPoolExecutor(4) as threads:
        granted = list(threads.map(asked, range(4)))

    assert first == 4
    assert all(count <= 3 for count in granted)
    assert calls_of_the_last_second() <= 10


def test_a_clock_that_was_set_back_holds_no_cancellation_up(committed):
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_cancellation_pace "
            "SET sent_at = array_fill(clock_timestamp() + interval '1 hour', ARRAY[10])"
        )

    with transaction.atomic():
        assert calls.take_allowance(3, per_second=10) == 3


def calls_of_the_last_second():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(n) FROM (SELECT (SELECT count(*) FROM unnest(sent_at) AS other "
            "WHERE other > s - interval '1 second' AND other <= s) AS n "
            "FROM accounts_cancellation_pace, unnest(sent_at) AS s) counted"
        )
        return cursor.fetchone()[0]
