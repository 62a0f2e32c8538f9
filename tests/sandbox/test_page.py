"""The page that shows the traffic, without secrets, and what it reads."""

import pytest

from tests.sandbox import spoken
from tests.sandbox.conftest import wait_until


def passed(world, txn_id: str) -> list[dict]:
    found = world.control.get("/traffic").json()["messages"]
    return [message for message in found if message["txn_id"] == txn_id]


def test_the_page_loads_nothing_from_elsewhere(world):
    response = world.control.get("/")

    assert response.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "://" not in response.text.replace("http-equiv", "")


def test_messages_are_shown_as_they_pass(world):
    txn_id = world.send_pay("ravi@smplbank")
    world.bank.wait_for("RespPay", txn_id)
    wait_until(lambda: passed(world, txn_id)[-1]["api"] == "RespPay")

    told = [(each["direction"], each["api"], each["type"]) for each in passed(world, txn_id)]

    assert told[0] == ("in", "ReqPay", "PAY")
    assert ("out", "ReqPay", "DEBIT") in told
    last = passed(world, txn_id)[-1]
    shown = world.control.get("/traffic", params={"after": last["number"]}).json()
    assert passed(world, txn_id) and last not in shown["messages"]  # noqa: PT018 - one cut
    payment = next(each for each in shown["payments"] if each["txn_id"] == txn_id)
    assert (payment["status"], payment["payee"]) == ("SUCCESS", "ravi@smplbank")


def test_no_secret_is_shown(world):
    request = spoken.pay_request(world.switch_key, "ravi@smplbank")
    block = request.findtext("Payer/Creds/Cred/Data")
    assert world.bank.post(request) == ""
    txn_id = request.find("Txn").get("id")
    world.ended(txn_id)
    debit = world.bank.wait_for("ReqPay", txn_id, "DEBIT")
    secrets = [block, debit.root.findtext("Payer/Creds/Cred/Data")]
    secrets += [spoken.ACCOUNT, "009876500001", spoken.DEVICE["MOBILE"], spoken.DEVICE["ID"]]

    texts = [world.control.get(f"/traffic/{each['number']}").text for each in passed(world, txn_id)]

    assert any("•••7890" in text for text in texts)
    assert [secret for secret in secrets for text in texts if secret in text] == []
    kept = world.control.get("/traffic/messages").json()["messages"]
    assert [each["xml"] for each in kept if each["txn_id"] == txn_id] == texts
    after = world.control.get("/traffic/messages", params={"after": kept[0]["number"]}).json()
    assert after["messages"][: len(kept) - 1] == kept[1:]


@pytest.mark.parametrize("number", ["0", "999999999"])
def test_a_message_no_longer_kept_is_not_found(world, number):
    assert world.control.get(f"/traffic/{number}").status_code == 404
