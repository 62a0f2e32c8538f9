"""Without the database a message gets no Ack, and the switch is told to come again."""

import threading

import pytest
from django.db import connections
from django.test import Client


@pytest.mark.django_db
def test_without_the_database_a_message_gets_no_ack():
    answers = []

    def post_without_database():
        connection = connections["default"]
        connection.settings_dict = {**connection.settings_dict, "PORT": "1"}
        try:
            path = "/upi/ReqPay/2.0/urn:txnid:NPC1"
            answers.append(Client().post(path, b"<a/>", content_type="application/xml"))
        finally:
            connection.close()

    thread = threading.Thread(target=post_without_database)
    thread.start()
    thread.join()

    (answer,) = answers
    assert (answer.status_code, answer.content) == (503, b"")
    assert int(answer["Retry-After"]) > 0
