"""Without a dependency the API says so at once, and never says yes."""

import threading
import time

import pytest
from django.db import connections

from tests.api.people import BLOCK, enrol_person, new_transaction_id, open_shop

AWAY = "redis://127.0.0.1:1/0"


@pytest.mark.django_db
def test_without_redis_nobody_is_let_in_and_nobody_is_thrown_out(settings):
    person, shop = enrol_person(), open_shop()
    present = settings.CACHES
    settings.CACHES = {"default": {**present["default"], "LOCATION": AWAY}}

    begun = time.monotonic()
    answer = person.client.get("/app/v1/accounts")

    assert time.monotonic() - begun < 2
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer["Retry-After"]) > 0
    assert shop.client.get("/v1/orders").status_code == 200
    settings.CACHES = present
    assert person.client.get("/app/v1/accounts").status_code == 200


@pytest.mark.django_db
def test_without_the_database_a_payment_is_not_accepted():
    """A42."""
    person = enrol_person()
    body = {
        "txn_id": new_transaction_id(),
        "account": person.account_id,
        "payer_vpa": "asha@exbank",
        "payee_vpa": "store1@smplbank",
        "amount": 100,
        "currency": "INR",
        "pin_block": BLOCK,
    }

    begun = time.monotonic()
    answer = _without_database(
        lambda: person.client.post(
            "/app/v1/payments", body, format="json", headers={"Idempotency-Key": "k"}
        )
    )

    assert time.monotonic() - begun < 2
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer["Retry-After"]) > 0


def _without_database(call):
    """Make the call in a thread whose own connection leads nowhere."""
    answers = []

    def run():
        connection = connections["default"]
        connection.settings_dict = {**connection.settings_dict, "PORT": "1"}
        try:
            answers.append(call())
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return answers[0]
