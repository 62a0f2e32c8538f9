"""Messages that the control door sends for a caller: signed or not, tampered, to any path."""

import pytest

from sandbox import codec, messages


def text_of(root) -> str:
    return codec.to_bytes(root).decode()


def send(world, xml: str, **more) -> dict:
    response = world.control.post("/messages", json={"xml": xml, **more})
    assert response.status_code == 200, response.text
    return response.json()


def test_a_message_given_is_signed_acked_and_its_answer_shown(world):
    request = messages.heartbeat_request()
    sent = send(world, text_of(request), wait=10)

    assert (sent["status"], sent["ack"]) == (200, "")
    assert sent["answer"]["api"] == "RespHbt"
    assert sent["answer"]["result"] == "SUCCESS"


def test_a_document_that_is_no_message_needs_a_path(world):
    response = world.control.post("/messages", json={"xml": "<nothing/>"})

    assert response.status_code == 400


@pytest.mark.parametrize("payer", ["", "SMP" + "5" * 32])
def test_a_payment_may_be_given_its_transaction_id(world, payer):
    order = {"payee": "shop@exbank", "amount_paise": 100} | ({"txn_id": payer} if payer else {})

    txn_id = world.control.post("/payments", json=order).json()["txn_id"]

    assert txn_id == payer or (not payer and len(txn_id) == 35)
