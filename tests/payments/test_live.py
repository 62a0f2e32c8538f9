"""Whoever waits for a payment hears of its end at once, and holds nothing while waiting."""

import os
import threading
import time

import pytest
from django.db import connection, connections

from apps.messaging import notices
from apps.payments.services import live, waiting
from apps.payments.states import Role
from tests.api.people import enrol_person, open_shop
from tests.payments.hand import Deal, Side, drain
from tests.payments.payer import enrol_payer, shop_side

ABROAD = Side(address="ravi@smplbank", number="009876500001", ifsc="SMPL0000002", name="RAVI IYER")


@pytest.fixture(autouse=True)
def listener(hand):
    """One for each test, closed at its end: the database is dropped in the end."""
    waiting.listener_of.cache_clear()
    yield
    waiting.listener_of(os.getpid()).close()


@pytest.fixture
def asha(hand):
    return enrol_payer(hand)


@pytest.fixture
def no_second_look(monkeypatch):
    """Without it a word that is lost would be made good, and nobody would notice."""
    monkeypatch.setattr(waiting, "LOOK_AGAIN_SECONDS", 60.0)


class Waiter:
    """A client that waits in a thread of its own, as a web worker does."""

    def __init__(self, client, path):
        self.answer = None
        self.took = None
        self._client, self._path = client, path
        self._thread = threading.Thread(target=self._wait)
        self._thread.start()
        time.sleep(0.3)

    def _wait(self):
        begun = time.monotonic()
        try:
            self.answer = self._client.get(self._path)
        finally:
            self.took = time.monotonic() - begun
            connections.close_all()

    def result(self):
        self._thread.join(40)
        assert self.answer.status_code == 200, self.answer.content
        return self.answer.json()


def test_the_payer_hears_of_the_end_at_once(hand, asha, no_second_look):
    deal = asha.pay(ABROAD)
    drain(Role.PAYER_PSP)
    waiter = Waiter(asha.client, f"/live/v1/payments/{deal.id}?wait=30")

    hand.answer_payment(deal)

    assert waiter.result()["status"] == "succeeded"
    assert waiter.took < 10


def test_the_merchant_hears_of_the_end_at_once(hand, no_second_look):
    shop = open_shop()
    deal = Deal(payer=ABROAD, payee=shop_side(hand, shop))
    hand.authorise(deal)
    drain(Role.PAYEE_PSP)
    (shown,) = shop.client.get("/v1/payments").json()["data"]
    assert shown["status"] == "pending"
    waiter = Waiter(shop.client, f"/live/v1/payments/{shown['id']}?wait=30")

    hand.confirm(deal)

    ended = waiter.result()
    assert (ended["status"], ended["id"]) == ("succeeded", shown["id"])
    assert ended["upi"]["payer_vpa"] == "ra***@smplbank"
    assert waiter.took < 10


def test_who_waits_for_one_side_does_not_look_again_for_the_other(no_second_look):
    def looks_when_told(role):
        looks = []

        def look():
            if not looks:
                notices.notify_on_commit(live.CHANNEL, [live.word_of(role, "EXB1")])
            looks.append(1)

        waiting.wait_until(
            look,
            is_over=lambda _: False,
            role=Role.PAYER_PSP,
            transaction_id="EXB1",
            seconds=1.5,
        )
        return len(looks)

    # A connection that is new makes everybody look.
    looks_when_told(Role.PAYER_PSP)

    # The last look is the one at the end of the time.
    assert looks_when_told(Role.PAYER_PSP) == 3
    assert looks_when_told(Role.PAYEE_PSP) == 2


def test_no_database_connection_is_held_while_waiting(hand, asha):
    deal = asha.pay(ABROAD)
    drain(Role.PAYER_PSP)
    before = _connections()

    waiters = [Waiter(asha.client, f"/live/v1/payments/{deal.id}?wait=30") for _ in range(3)]
    held = _connections() - before

    hand.answer_payment(deal)
    assert {waiter.result()["status"] for waiter in waiters} == {"succeeded"}
    assert held <= 0


def _connections():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return cursor.fetchone()[0]


def test_a_payment_that_does_not_end_is_shown_as_it_stands(asha):
    deal = asha.pay(ABROAD)
    begun = time.monotonic()

    answer = asha.client.get(f"/live/v1/payments/{deal.id}?wait=1")

    assert answer.json()["status"] == "created"
    assert 1 <= time.monotonic() - begun < 10


def test_a_word_that_is_lost_costs_a_second_look(hand, asha, monkeypatch):
    monkeypatch.setattr(notices, "notify_on_commit", lambda *_: None)
    monkeypatch.setattr(waiting, "LOOK_AGAIN_SECONDS", 0.5)
    deal = asha.pay(ABROAD)
    drain(Role.PAYER_PSP)
    waiter = Waiter(asha.client, f"/live/v1/payments/{deal.id}?wait=30")

    hand.answer_payment(deal)

    assert waiter.result()["status"] == "succeeded"


@pytest.mark.parametrize("wait", ["31", "-1", "x", "1.5", ""])
def test_a_bad_wait_is_refused(asha, wait):
    answer = asha.client.get(f"/live/v1/payments/EXB{'0' * 32}?wait={wait}")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")


def test_nobody_waits_for_what_is_anothers(hand, asha):
    deal = asha.pay(ABROAD)
    stranger, shop = enrol_person("KIRAN"), open_shop()

    assert stranger.client.get(f"/live/v1/payments/{deal.id}").status_code == 404
    assert shop.client.get(f"/live/v1/payments/{deal.id}").status_code == 404
    anybody = stranger.client
    anybody.credentials()
    assert anybody.get(f"/live/v1/payments/{deal.id}").status_code == 401
