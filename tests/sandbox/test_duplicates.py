"""Messages that come twice, late, or from nobody: each is answered the same and done once."""

import threading

from tests.sandbox import spoken
from tests.sandbox.bank import new_id
from tests.sandbox.conftest import wait_until


def test_the_same_bytes_again_get_the_same_ack_and_pay_once(world):
    request = spoken.pay_request(world.switch_key, "ravi@smplbank")
    txn_id = request.find("Txn").get("id")
    body = world.bank.signer.sign(request)

    acks = [world.bank.post_bytes(body, api="ReqPay", txn_id=txn_id) for _ in range(3)]

    assert acks == ["", "", ""]
    assert world.ended(txn_id)["status"] == "SUCCESS"
    assert world.bank.posted["DEBIT", txn_id] == 1


def test_twins_at_the_same_moment_pay_once(world):
    request = spoken.pay_request(world.switch_key, "ravi@smplbank")
    txn_id = request.find("Txn").get("id")
    body = world.bank.signer.sign(request)
    acks = []
    send = lambda: acks.append(world.bank.post_bytes(body, api="ReqPay", txn_id=txn_id))  # noqa: E731
    threads = [threading.Thread(target=send) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert acks == [""] * 8
    assert world.ended(txn_id)["status"] == "SUCCESS"
    assert world.bank.posted["DEBIT", txn_id] == 1


def test_a_used_transaction_id_is_refused_under_a_new_message_id(world):
    txn_id = world.send_pay("ravi@smplbank")
    again = spoken.pay_request(world.switch_key, "ravi@smplbank", txn_id=txn_id)

    assert world.bank.post(again) == "U01"

    assert world.ended(txn_id)["status"] == "SUCCESS"
    assert world.bank.posted["DEBIT", txn_id] == 1


def test_a_used_message_id_with_other_content_is_refused(world):
    first = spoken.pay_request(world.switch_key, "ravi@smplbank")
    other = spoken.pay_request(world.switch_key, "ravi@smplbank")
    other.find("Head").set("msgId", first.find("Head").get("msgId"))
    assert world.bank.post(first) == ""

    assert world.bank.post(other) == "U01"

    txn_id = other.find("Txn").get("id")
    assert world.control.get(f"/payments/{txn_id}").status_code == 404
    assert world.ended(first.find("Txn").get("id"))["status"] == "SUCCESS"


def test_an_answer_sent_twice_is_acked_twice_and_counts_once(world):
    sent = []

    def answer_twice(bank, request):
        made = spoken.natural(bank, request)
        sent.append((bank.signer.sign(made), request.txn_id))

    world.bank.answers = {("ReqPay", "CREDIT"): answer_twice}
    txn_id = world.send_pay("shop@exbank")
    wait_until(lambda: sent)
    body, _ = sent[0]

    acks = [world.bank.post_bytes(body, api="RespPay", txn_id=txn_id) for _ in range(3)]

    assert acks == ["", "", ""]
    assert world.ended(txn_id)["status"] == "SUCCESS"
    assert world.position(txn_id) == (14950, 14950)


def test_a_second_answer_under_a_new_message_id_is_refused(world):
    requests = []

    def keep(bank, request):
        requests.append(request)
        return spoken.natural(bank, request)

    world.bank.answers = {("ReqPay", "DEBIT"): keep}
    txn_id = world.send_pay("ravi@smplbank")
    assert world.ended(txn_id)["status"] == "SUCCESS"

    assert world.bank.post(spoken.leg_answer(requests[0], "Z9")) == "U35"

    assert world.ended(txn_id)["status"] == "SUCCESS"


def test_an_answer_to_nothing_is_refused(world):
    txn_id = world.send_pay("ravi@smplbank")
    debit = world.bank.wait_for("ReqPay", txn_id, "DEBIT")
    forged = spoken.leg_answer(debit)
    forged.find("Resp").set("reqMsgId", new_id())

    assert world.bank.post(forged) == "U04"

    assert world.ended(txn_id)["status"] == "SUCCESS"


def test_an_answer_about_another_transaction_is_refused(world):
    world.bank.answers = {("ReqPay", "DEBIT"): spoken.silent}
    txn_id = world.send_pay("ravi@smplbank")
    debit = world.bank.wait_for("ReqPay", txn_id, "DEBIT")
    forged = spoken.leg_answer(debit)
    forged.find("Txn").set("id", new_id())

    assert world.bank.post(forged) == "U06"

    world.silence(txn_id, "DEBIT")
    assert world.ended(txn_id)["code"] == "U67"


def test_a_request_that_the_network_doubles_is_answered_once(world):
    for action in ("duplicate", "repeat"):
        world.fault(action, "out", api="ReqPay", type="DEBIT")

        txn_id = world.send_pay("ravi@smplbank")

        assert world.ended(txn_id)["status"] == "SUCCESS"
        wait_until(lambda txn_id=txn_id: world.bank.kinds(txn_id).count("ReqPay:DEBIT") == 2)


def test_an_answer_of_the_switch_without_an_ack_is_sent_again_with_the_same_id(world):
    world.fault("unreachable", "out", api="RespPay", type="PAY", count=2)

    txn_id = world.send_pay("ravi@smplbank")

    for sent, wait_seconds in ((1, 2), (2, 5)):
        wait_until(lambda sent=sent: len(world.messages(txn_id, "out", "RespPay")) == sent)
        world.advance(wait_seconds)
    final = world.bank.wait_for("RespPay", txn_id)
    wait_until(lambda: len(world.messages(txn_id, "out", "RespPay")) == 3)
    rows = world.messages(txn_id, "out", "RespPay")
    assert {row["message_id"] for row in rows} == {final.message_id}
    assert [row["ack"] for row in rows] == ["NONE", "NONE", ""]


def test_a_broken_connection_leaves_no_trace_and_the_resent_message_is_taken(world):
    world.fault("unreachable", "in", api="RespPay", type="DEBIT")
    kept = []

    def keep(bank, request):
        kept.append(spoken.natural(bank, request))
        body = bank.signer.sign(kept[0])
        threading.Thread(target=resend, args=(body, request.txn_id)).start()

    def resend(body, txn_id):
        for _ in range(2):
            try:
                world.bank.post_bytes(body, api="RespPay", txn_id=txn_id)
            except Exception:  # noqa: BLE001 - the fault breaks this connection
                continue

    world.bank.answers = {("ReqPay", "DEBIT"): keep}

    txn_id = world.send_pay("ravi@smplbank")

    assert world.ended(txn_id)["status"] == "SUCCESS"


def test_a_lost_ack_of_an_answer_is_made_good_by_the_resent_answer(world):
    world.fault("lose_ack", "in", api="RespPay", type="DEBIT")
    acks = []

    def respond(bank, request):
        body = bank.signer.sign(spoken.natural(bank, request))
        threading.Thread(target=resend, args=(body, request.txn_id)).start()

    def resend(body, txn_id):
        for _ in range(2):
            try:
                acks.append(world.bank.post_bytes(body, api="RespPay", txn_id=txn_id))
            except Exception:  # noqa: BLE001 - the fault breaks this connection
                acks.append("broken")

    world.bank.answers = {("ReqPay", "DEBIT"): respond}

    txn_id = world.send_pay("ravi@smplbank")

    assert world.ended(txn_id)["status"] == "SUCCESS"
    wait_until(lambda: acks == ["broken", ""])
