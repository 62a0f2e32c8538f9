"""Claims: work is taken for a while, by one, and comes back by itself."""

import datetime as dt
import time

import pytest
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from apps.messaging import claims
from apps.messaging.models import DeadLetter
from tests.messaging import processes
from tests.messaging.factory import at_once, make_work, work_row

usual = pytest.mark.usefixtures("tables")


def claim(limit: int = 10, *, lease_seconds: float = 5) -> claims.Claim:
    return claims.claim_due(
        table="test_work", states=["DUE"], limit=limit, lease_seconds=lease_seconds
    )


@usual
def test_a_claim_takes_what_is_due_in_order_and_no_more_than_asked():
    for number in (3, 1, 2):
        make_work(number, due_in=dt.timedelta(seconds=-number))
    make_work(4, state="OTHER")
    make_work(5, due_in=dt.timedelta(seconds=60))

    first = claim(2)
    second = claim(2)
    third = claim(2)

    assert (set(first.ids), set(second.ids), third.ids) == ({2, 3}, {1}, ())
    assert bool(second)
    assert not third


@usual
def test_a_claimed_row_carries_the_token_and_is_due_when_the_lease_ends():
    make_work(1)

    taken = claim(lease_seconds=5)

    row = work_row(1)
    assert row["claim"] == taken.token
    assert 4 < row["due_in"] <= 5


@usual
def test_claimers_at_once_never_share_a_row():
    make_work(*range(200))
    taken: list[int] = []

    def work(_number: int) -> None:
        while batch := claim(7, lease_seconds=60):
            taken.extend(batch.ids)

    at_once(8, work)

    assert sorted(taken) == list(range(200))


@usual
def test_a_row_that_somebody_has_locked_is_passed_over():
    make_work(1, 2)

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT FROM test_work WHERE id = 1 FOR UPDATE")
        taken: list[int] = []
        at_once(1, lambda _number: taken.extend(claim().ids))

    assert taken == [2]


@usual
def test_the_rows_of_a_killed_claimer_are_due_again():
    make_work(1, 2)

    code = processes.run(
        "import os, signal\n"
        "from apps.messaging import claims\n"
        "taken = claims.claim_due("
        "table='test_work', states=['DUE'], limit=9, lease_seconds=1)\n"
        "assert len(taken.ids) == 2\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    early = claim()
    time.sleep(1)
    late = claim()

    assert code == -9
    assert early.ids == ()
    assert set(late.ids) == {1, 2}


@usual
def test_released_rows_are_due_at_once_or_after_the_delay():
    make_work(1, 2)
    taken = claim()

    claims.release(taken, [1])
    claims.release(taken, [2], delay_seconds=30)

    assert work_row(2)["claim"] is None
    assert claim().ids == (1,)


@usual
def test_a_claim_that_was_lost_changes_nothing():
    make_work(1)
    lost = claim(lease_seconds=0)
    taken = claim()

    claims.release(lost, [1])
    assert claims.fail(lost, [1], reason="late") == []

    row = work_row(1)
    assert (row["claim"], row["attempts"]) == (taken.token, 0)


@usual
def test_a_row_that_fails_waits_longer_each_time_and_is_parked_with_an_owner_after_five():
    make_work(1)
    waits = []
    for _ in range(4):
        taken = claim()
        assert claims.fail(taken, [1], reason="it does not work") == []
        waits.append(round(work_row(1)["due_in"]))
        _make_due(1)

    parked = claims.fail(claim(), [1], reason="it does not work")

    assert waits == [1, 2, 4, 8]
    assert parked == [1]
    assert work_row(1)["next_action_at"] is None
    letter = DeadLetter.objects.get()
    assert (letter.source, letter.item_id, letter.owner) == ("test_work", "1", "operations")
    assert letter.reason == "it does not work"
    assert claim().ids == ()


@usual
def test_an_unparked_row_begins_anew():
    make_work(1)
    for _ in range(5):
        _make_due(1)
        claims.fail(claim(), [1], reason="x")

    assert claims.unpark(table="test_work", row_ids=[1, 2]) == [1]

    assert work_row(1)["attempts"] == 0
    assert DeadLetter.objects.get().resolved_at is not None
    assert claim().ids == (1,)


@usual
def test_a_claim_is_bounded():
    with pytest.raises(AssertionError):
        claim(0)
    with pytest.raises(AssertionError):
        claim(claims.CLAIM_ROWS_MAX + 1)


@usual
def test_a_claim_uses_the_partial_index():
    make_work(*range(5000), due_in=dt.timedelta(days=1))
    make_work(9999)
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        try:
            cursor.execute(
                "EXPLAIN SELECT id FROM test_work"
                " WHERE next_action_at <= (SELECT clock_timestamp())"
                " AND state = ANY(ARRAY['DUE']) AND parked_at IS NULL"
                " ORDER BY next_action_at LIMIT 10 FOR NO KEY UPDATE SKIP LOCKED"
            )
            plan = "\n".join(line for (line,) in cursor.fetchall())
        finally:
            cursor.execute("RESET enable_seqscan")

    assert "Index Cond: (next_action_at <=" in plan


class AwayError(Exception):
    """A dependency does not answer."""


@given(size=st.integers(0, 40), poison=st.sets(st.integers(0, 39)))
def test_a_batch_is_halved_until_only_what_fails_alone_has_failed(size, poison):
    def work(part):
        if poison & set(part):
            raise ValueError("poison")
        return list(part)

    done = claims.bisect(range(size), work, outages=(AwayError,))

    failed = [item for item, _ in done.failures]
    worked = [item for result in done.results for item in result]
    assert set(failed) == poison & set(range(size))
    assert sorted(failed + worked) == list(range(size))


def test_an_outage_is_not_halved():
    calls = []

    def work(part):
        calls.append(part)
        raise AwayError

    with pytest.raises(AwayError):
        claims.bisect([1, 2, 3, 4], work, outages=(AwayError,))

    assert len(calls) == 1


def _make_due(row_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE test_work SET next_action_at = clock_timestamp() WHERE id = %s", [row_id]
        )
