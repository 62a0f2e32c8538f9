"""Idempotency keys: one key, one effect, one answer."""

import threading
import time

import pytest
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from apps.messaging import idempotency
from apps.messaging.contracts import StoredAnswer
from apps.messaging.errors import (
    IdempotencyInProgressError,
    IdempotencyKeyInvalidError,
    IdempotencyKeyMissingError,
    IdempotencyMismatchError,
)
from apps.messaging.models import IdempotencyKey
from tests.messaging.factory import at_once

usual = pytest.mark.usefixtures("tables")

BODY = idempotency.fingerprint(method="POST", route="payments", body={"amount": 1})
OTHER = idempotency.fingerprint(method="POST", route="payments", body={"amount": 2})


def pay(reference: str, *, fingerprint: bytes = BODY, hold_seconds: float = 0) -> str:
    """Make a payment as an API does: key and effect in one transaction; return what is answered."""
    with transaction.atomic():
        stored = idempotency.remember(
            client="app", key="k", fingerprint=fingerprint, reference=reference
        )
        if stored is not None:
            return stored.reference
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO test_effect (subject, number) VALUES (%s, 1)", [reference])
        time.sleep(hold_seconds)
    return reference


def made() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT subject FROM test_effect")
        return [subject for (subject,) in cursor.fetchall()]


@usual
def test_fifty_twins_make_one_payment_and_get_one_answer():
    answers: list[str] = []

    def work(number: int) -> None:
        try:
            answers.append(pay(f"pay_{number}"))
        except IdempotencyInProgressError:
            answers.append("in progress")

    at_once(50, work)

    (payment,) = made()
    assert len(answers) == 50
    assert set(answers) - {"in progress"} == {payment}


@usual
def test_a_repeat_gets_the_stored_answer():
    assert pay("pay_1") == "pay_1"
    assert pay("pay_2") == "pay_1"

    assert made() == ["pay_1"]
    assert idempotency.lookup(client="app", key="k", fingerprint=BODY) == StoredAnswer("pay_1", 201)


@usual
def test_another_body_under_the_key_is_refused_and_writes_nothing():
    pay("pay_1")

    with pytest.raises(IdempotencyMismatchError):
        pay("pay_2", fingerprint=OTHER)
    with pytest.raises(IdempotencyMismatchError):
        idempotency.lookup(client="app", key="k", fingerprint=OTHER)

    assert made() == ["pay_1"]
    assert IdempotencyKey.objects.count() == 1


@usual
def test_a_twin_waits_half_a_second_and_is_told_that_the_first_is_in_progress():
    began = threading.Event()

    def first() -> None:
        began.set()
        pay("pay_1", hold_seconds=1.2)
        connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    began.wait()
    time.sleep(0.2)
    begun = time.monotonic()
    with pytest.raises(IdempotencyInProgressError) as refused:
        pay("pay_2")
    waited = time.monotonic() - begun
    thread.join()

    assert 0.4 < waited < 1
    assert refused.value.members == {"retry_after_seconds": 1}
    assert made() == ["pay_1"]


@usual
def test_a_key_is_free_again_when_its_transaction_goes():
    with transaction.atomic():
        idempotency.remember(client="app", key="k", fingerprint=BODY, reference="pay_1")
        transaction.set_rollback(True)

    assert pay("pay_2") == "pay_2"


@usual
def test_the_rest_of_the_transaction_waits_for_locks_as_before():
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        before = cursor.fetchone()
        idempotency.remember(client="app", key="k", fingerprint=BODY, reference="pay_1")
        cursor.execute("SHOW lock_timeout")

        assert cursor.fetchone() == before


@usual
def test_keys_are_compared_byte_for_byte_and_belong_to_their_client():
    with transaction.atomic():
        for client, key in [("app", "k"), ("app", "K"), ("app", "k2"), ("merchant", "k")]:
            assert (
                idempotency.remember(client=client, key=key, fingerprint=BODY, reference=key)
                is None
            )

    assert IdempotencyKey.objects.count() == 4


@usual
def test_a_key_is_taken_only_inside_a_transaction():
    with pytest.raises(AssertionError):
        idempotency.remember(client="app", key="k", fingerprint=BODY, reference="pay_1")


@pytest.mark.parametrize(
    ("header", "error"),
    [
        (None,        IdempotencyKeyMissingError),
        ("",          IdempotencyKeyMissingError),
        (" ",         IdempotencyKeyInvalidError),
        ("a b",       IdempotencyKeyInvalidError),
        ("k\n",       IdempotencyKeyInvalidError),
        ("k\x00",     IdempotencyKeyInvalidError),
        ("schlüssel", IdempotencyKeyInvalidError),
        ("k" * 256,   IdempotencyKeyInvalidError),
    ],
)  # fmt: skip
def test_a_header_that_is_no_key_is_refused(header, error):
    with pytest.raises(error):
        idempotency.require_key(header)


@pytest.mark.parametrize("header", ["k", "k" * 255, "5f0c-~!"])
def test_a_header_that_is_a_key_is_taken_as_it_is(header):
    assert idempotency.require_key(header) == header


@given(body=st.dictionaries(st.text(max_size=8), st.integers(-(2**53), 2**53), max_size=6))
def test_the_order_of_members_does_not_matter(body):
    backwards = dict(reversed(body.items()))

    assert idempotency.fingerprint(method="POST", route="r", body=body) == idempotency.fingerprint(
        method="POST", route="r", body=backwards
    )


@pytest.mark.parametrize(
    "changes", [{"method": "PUT"}, {"route": "orders"}, {"body": {"amount": "1"}}, {"body": {}}]
)
def test_method_route_and_every_value_matter(changes):
    same = {"method": "POST", "route": "payments", "body": {"amount": 1}}

    assert idempotency.fingerprint(**{**same, **changes}) != BODY


@usual
def test_keys_past_their_time_are_removed_and_others_stay(settings):
    settings.MESSAGING_IDEMPOTENCY_KEY_LIFE_HOURS = 72
    with transaction.atomic():
        for key in ("old", "new"):
            idempotency.remember(client="app", key=key, fingerprint=BODY, reference=key)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_idempotencykey SET created_at = created_at - interval '73 hours'"
            " WHERE key = 'old'"
        )

    assert [idempotency.purge(), idempotency.purge()] == [1, 0]
    assert IdempotencyKey.objects.get().key == "new"
