"""Several at the back office's door at once."""

import threading

import pytest
from django.db import connections
from django.test import Client

from apps.operators.services import guard
from tests.operators.factory import PASSWORD, code_of, enrolled_device, make_account

pytestmark = pytest.mark.usefixtures("committed")


def test_one_code_typed_in_four_browsers_opens_one():
    operator = make_account("Auditor")
    code = code_of(enrolled_device(operator))
    clients = [Client() for _ in range(4)]
    barrier = threading.Barrier(len(clients))

    def enter(client):
        barrier.wait()
        client.post(
            "/admin/login/", {"username": operator.email, "password": PASSWORD, "code": code}
        )
        connections.close_all()

    threads = [threading.Thread(target=enter, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(client.get("/admin/").status_code == 200 for client in clients) == 1


def test_twenty_guesses_at_once_get_five_looks():
    operator = make_account("Auditor")
    looks = []
    barrier = threading.Barrier(20)

    def guess():
        barrier.wait()
        looks.append(guard.take_try(operator.email))
        connections.close_all()

    threads = [threading.Thread(target=guess) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(looks) == [0] * 15 + [1, 2, 3, 4, 5]
