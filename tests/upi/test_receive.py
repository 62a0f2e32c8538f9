"""What happens to a message that is accepted, and to its repeats."""

import concurrent.futures

import pytest
import structlog
from django.db import connection
from django.test.utils import CaptureQueriesContext
from lxml import etree

from apps.messaging.models import OutboxEvent
from apps.upi.errors import RefusedError
from apps.upi.models import Exchange, ExchangeRepeat, MessageLog, PinBlock
from tests.upi import routes, wire

EXAMPLE_BLOCK = "U1lOVEhFVElDLVBJTi1CTE9DSy1OT1QtQS1SRUFMLUNSRURFTlRJQUw="


def test_a_debit_request_is_acked_and_handed_to_its_handler(door, changes):
    root = wire.fresh("DEBIT")

    answered = door.send(root)

    assert (answered.status, answered.content_type) == (200, "application/xml")
    assert answered.ack.tag == f"{{{wire.UPI}}}Ack"
    assert answered.ack.get("api") == "ReqPay"
    assert answered.ack.get("reqMsgId") == root.find("Head").get("msgId")
    assert answered.err == ""
    [received] = routes.received
    assert received.organisation == "NPCI"
    assert received.message.payer.amount.paise == 14950
    assert received.message.payer.ac.account_number == "001234567890"
    exchange = Exchange.objects.get()
    assert exchange.pk == received.exchange_id
    assert (exchange.direction, exchange.state) == ("IN", "NONE")
    assert (exchange.api, exchange.type, exchange.sub_type) == ("ReqPay", "DEBIT", "PAY")
    assert changes() == {"upi_exchange": 1, "upi_message_log": 1, "upi_pin_block": 1}


def test_an_accepted_message_is_one_transaction_that_begins_with_the_keys(open_door):
    open_door.send(wire.fresh("CREDIT"))

    with CaptureQueriesContext(connection) as asked:
        assert open_door.send(wire.fresh("CREDIT")).err == ""

    statements = [query["sql"].split()[0] for query in asked]
    assert (statements[0], statements[-1]) == ("BEGIN", "COMMIT")
    assert statements.count("BEGIN") == statements.count("COMMIT") == 1
    assert "upi_peerkey" in asked[1]["sql"]


def test_the_log_keeps_what_was_signed_but_not_the_credential(door):
    door.send(wire.fresh("DEBIT"))

    entry = MessageLog.objects.get()
    assert entry.outcome == "ACCEPTED"
    assert EXAMPLE_BLOCK not in entry.body
    assert '<Data code="NPCI" ki="20150822"></Data>' in entry.body
    assert "001234567890" in entry.body
    assert entry.signed_info.startswith("<SignedInfo")
    assert len(entry.signature_value) == 344
    assert EXAMPLE_BLOCK in PinBlock.objects.get().credentials[0]["data"]


def test_the_log_keeps_neither_card_digits_nor_a_balance(door):
    door.send(wire.fresh("REGISTER"))

    body = MessageLog.objects.get().body
    assert EXAMPLE_BLOCK not in body
    assert '<Detail name="CARDDIGITS" value=""></Detail>' in body
    assert '<Detail name="EXPDATE" value=""></Detail>' in body


def test_a_message_that_is_printed_over_many_lines_is_read_as_well(door):
    def spread(root):
        etree.indent(root)

    assert door.send(wire.fresh("CREDIT", edit=spread)).err == ""


@pytest.mark.parametrize("name", ["DEBIT", "CREDIT", "REVERSAL", "AUTH", "CONFIRMATION", "BALANCE"])
def test_the_same_bytes_again_get_the_same_ack_and_nothing_else_happens(door, changes, name):
    body = wire.sign(wire.fresh(name), door.key)
    first = door.post(body)
    changes()

    second = door.post(body)

    assert second.body == first.body
    assert len(routes.received) == 1
    assert changes() == {"upi_message_log": 1}
    assert [entry.outcome for entry in MessageLog.objects.order_by("pk")] == [
        "ACCEPTED",
        "REPEATED",
    ]


@pytest.mark.parametrize("name", ["DEBIT", "CREDIT", "REVERSAL", "AUTH", "CONFIRMATION", "BALANCE"])
def test_the_same_content_under_a_new_id_is_acked_and_waits_for_the_one_outcome(
    door, changes, name
):
    txn_id = wire.new_id("EXB")
    door.send(wire.fresh(name, txn_id=txn_id))
    changes()

    def other_block(root):
        for data in root.iter("Data"):
            data.text = "2.0|b3RoZXI="
        root.find("Txn").set("note", "another note")

    again = wire.fresh(name, txn_id=txn_id, edit=other_block)

    with structlog.testing.capture_logs() as logs:
        assert door.send(again).err == ""

    [report] = [entry for entry in logs if entry["event"] == "request_repeated"]
    assert report["is_note_other"]
    assert len(routes.received) == 1
    assert changes() == {"upi_message_log": 1, "upi_exchange_repeat": 1}
    repeat = ExchangeRepeat.objects.get()
    assert repeat.exchange == Exchange.objects.get()
    assert (repeat.state, repeat.msg_id) == ("NONE", again.find("Head").get("msgId"))


def test_a_repeat_of_a_repeat_is_the_same_repeat(door, changes):
    txn_id = wire.new_id("EXB")
    door.send(wire.fresh("CREDIT", txn_id=txn_id))
    body = wire.sign(wire.fresh("CREDIT", txn_id=txn_id), door.key)
    first = door.post(body)
    changes()

    assert door.post(body).body == first.body
    assert changes() == {"upi_message_log": 1}


def test_a_request_that_is_repeated_without_end_is_refused_at_last(door):
    txn_id = wire.new_id("EXB")

    errors = [door.send(wire.fresh("CREDIT", txn_id=txn_id)).err for _ in range(22)]

    assert errors == [""] * 21 + ["U01"]


def _amount(root):
    for amount in root.iter("Amount"):
        amount.set("value", "149.51")


def _payee(root):
    root.find("Payees/Payee").set("addr", "store2@smplbank")


def _account(root):
    root.find("Payees/Payee/Ac/Detail[@name='ACNUM']").set("value", "009876543211")


def _rrn(root):
    root.find("Txn").set("custRef", "532610000124")


@pytest.mark.parametrize("edit", [_amount, _payee, _account, _rrn])
def test_another_content_under_a_known_transaction_is_refused(door, changes, edit):
    txn_id = wire.new_id("EXB")
    door.send(wire.fresh("CREDIT", txn_id=txn_id))
    changes()

    answered = door.send(wire.fresh("CREDIT", txn_id=txn_id, edit=edit))

    assert answered.err == "U01"
    assert changes() == {"upi_message_log": 1, "messaging_outboxevent": 1}
    assert len(routes.received) == 1


def test_a_message_id_of_a_repeat_is_not_free_for_another_message(door, changes):
    txn_id, msg_id = wire.new_id("EXB"), wire.new_id()
    door.send(wire.fresh("CREDIT", txn_id=txn_id))
    door.send(wire.fresh("CREDIT", txn_id=txn_id, msg_id=msg_id))
    changes()

    answered = door.send(wire.fresh("CREDIT", msg_id=msg_id))

    assert answered.err == "U01"
    assert changes() == {"upi_message_log": 1, "messaging_outboxevent": 1}


def test_legs_of_one_transaction_do_not_take_each_other_s_keys(door):
    txn_id = wire.new_id("EXB")

    errors = [
        door.send(wire.fresh(name, txn_id=txn_id)).err for name in ("AUTH", "DEBIT", "CREDIT")
    ]

    assert errors == ["", "", ""]
    assert Exchange.objects.count() == 3


def test_a_handler_s_refusal_undoes_everything_and_says_why(door, changes):
    routes.refusal.append(RefusedError("U17", "no such customer"))

    answered = door.send(wire.fresh("DEBIT"))

    assert answered.err == "U17"
    assert answered.ack.findtext("errorMessages/errorCd") == "U17"
    assert answered.ack.findtext("errorMessages/errorDtl") == "no such customer"
    assert changes() == {"upi_message_log": 1, "messaging_outboxevent": 1}
    event = OutboxEvent.objects.get()
    assert (event.type, event.data["ack_code"]) == ("upi.security.refused", "U17")


def test_a_message_refused_once_may_be_sent_again(door):
    body = wire.sign(wire.fresh("DEBIT"), door.key)
    routes.refusal.append(RefusedError("U17", "no such customer"))
    assert door.post(body).err == "U17"
    routes.refusal.clear()

    assert door.post(body).err == ""


def test_twins_at_the_same_moment_are_one_request(open_door):
    body = wire.sign(wire.fresh("DEBIT"), open_door.key)

    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: _post_and_close(open_door, body), range(16)))

    assert {answer.err for answer in answers} == {""}
    assert len({answer.body for answer in answers}) == 1
    assert len(routes.received) == 1
    assert Exchange.objects.count() == 1


def test_the_same_content_under_many_ids_at_the_same_moment_is_one_request(open_door):
    txn_id = wire.new_id("EXB")
    bodies = [wire.sign(wire.fresh("CREDIT", txn_id=txn_id), open_door.key) for _ in range(8)]

    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda body: _post_and_close(open_door, body), bodies))

    assert {answer.err for answer in answers} == {""}
    assert len(routes.received) == 1
    assert (Exchange.objects.count(), ExchangeRepeat.objects.count()) == (1, 7)


def _post_and_close(door, body):
    try:
        return door.post(body)
    finally:
        connection.close()


def test_history_cannot_be_changed_even_by_the_platform_itself(door):
    door.send(wire.fresh("DEBIT"))

    with pytest.raises(Exception, match="upi_message_log"):
        MessageLog.objects.update(reason="it was otherwise")
