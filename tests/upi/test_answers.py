"""Our answers: recorded with the decision, delivered until acked, given up in time."""

import datetime as dt

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from lxml import etree

from apps.common import clock, ids
from apps.common.money import Money
from apps.messaging import hints
from apps.upi import selectors
from apps.upi.contracts import (
    Answer,
    Balance,
    DeliveryState,
    Head,
    Party,
    Received,
    Resp,
    RespBalEnq,
)
from apps.upi.models import Exchange, ExchangeRepeat, MessageLog, PinBlock
from apps.upi.services import answers, deliver
from apps.upi.tasks import deliver_due_answers
from tests.upi import wire
from tests.upi.answering import answer_to, make_due, receive, record, record_claimed, state

pytestmark = pytest.mark.usefixtures("switch")


def test_an_answer_is_due_at_once_and_sent_by_the_drainer(open_door, switch):
    received = receive(open_door)
    answer = record(answer_to(received))
    assert state() == ("DUE", "", 0)
    assert selectors.delivery_is_due()

    assert deliver.deliver_due() == 1

    assert state() == ("ACKED", "", 1)
    assert not selectors.delivery_is_due()
    assert deliver.deliver_due() == 0
    [posted] = switch.posted
    assert posted.path == f"/upi/RespPay/2.0/urn:txnid:{received.message.txn.id}"
    assert posted.root.find("Head").get("msgId") == answer.message.head.msg_id
    assert posted.root.find("Resp").get("reqMsgId") == received.message.head.msg_id
    assert posted.root[-1].tag == f"{{{wire.DSIG}}}Signature"
    delivery = selectors.deliveries([received.exchange_id])[received.exchange_id]
    assert (delivery.state, delivery.code) == (DeliveryState.ACKED, "")
    assert delivery.delivered_at is not None


def test_an_answer_that_is_claimed_with_its_decision_is_sent_by_who_decided(open_door, switch):
    received = receive(open_door)
    due = record_claimed(answer_to(received))
    assert deliver.deliver_due() == 0

    answers.send_answers(due)

    assert state() == ("ACKED", "", 1)
    assert len(switch.posted) == 1


def test_the_first_look_of_a_drain_is_for_answers_and_a_repeat_is_not_passed_by(open_door, switch):
    received = receive(open_door)
    record(answer_to(received))
    hints.begin("upi.deliver")

    with CaptureQueriesContext(connection) as captured:
        deliver_due_answers()

    assert state() == ("ACKED", "", 1)
    assert not [one for one in captured if "SELECT EXISTS" in one["sql"]]

    open_door.send(wire.fresh("CREDIT", txn_id=received.message.txn.id))
    deliver_due_answers()
    assert len(switch.posted) == 2


def test_what_was_just_recorded_is_sent_without_being_read_again(open_door, switch):
    received = receive(open_door)
    due = record_claimed(answer_to(received))

    with CaptureQueriesContext(connection) as captured:
        answers.send_answers(due)

    assert state() == ("ACKED", "", 1)
    assert not [one for one in captured if "upi_message_log" in one["sql"]]


def test_an_answer_that_came_too_late_is_not_sent_by_who_recorded_it(open_door, switch):
    received = receive(open_door)
    due = record_claimed(answer_to(received, seconds=-60))
    assert due == []

    answers.send_answers(due)

    assert switch.posted == []
    assert state() == ("EXPIRED", "", 0)


def test_an_answer_whose_sender_died_is_sent_when_its_lease_has_ended(open_door, switch):
    received = receive(open_door)
    record(answer_to(received), claim=ids.uuid7())
    make_due()

    assert deliver.deliver_due() == 1
    assert state() == ("ACKED", "", 1)


def test_without_an_ack_the_same_bytes_go_again_after_two_and_five_seconds(open_door, switch):
    switch.plan = ["silent", "garbage", "other"]
    received = receive(open_door)
    record(answer_to(received))
    began = clock.now()

    deliver.deliver_due()
    first = Exchange.objects.get()
    make_due()
    deliver.deliver_due()
    second = Exchange.objects.get()
    make_due()
    deliver.deliver_due()
    third = Exchange.objects.get()

    assert len({posted.body for posted in switch.posted}) == 1
    assert len(switch.posted) == 3
    assert [first.state, second.state, third.state] == ["DUE", "DUE", "DUE"]
    assert 1.5 < (first.next_action_at - began).total_seconds() < 4
    assert 4.5 < (second.next_action_at - began).total_seconds() < 8
    assert third.next_action_at == third.expires_at


def test_an_answer_that_nobody_acked_expires(open_door, switch):
    received = receive(open_door)
    record(answer_to(received))
    Exchange.objects.update(expires_at=clock.now(), next_action_at=clock.now())

    assert deliver.deliver_due() == 1

    assert state() == ("EXPIRED", "", 0)
    assert switch.posted == []
    assert deliver.deliver_due() == 0


def test_an_answer_that_comes_too_late_is_kept_but_never_sent(open_door, switch):
    received = receive(open_door)

    record(answer_to(received, seconds=-1))

    assert state() == ("EXPIRED", "", 0)
    assert deliver.deliver_due() == 0
    assert MessageLog.objects.filter(direction="OUT").count() == 1


def test_a_negative_ack_ends_the_delivery(open_door, switch):
    switch.plan = ["nack:U70"]
    received = receive(open_door)
    record(answer_to(received))

    deliver.deliver_due()

    assert state() == ("NACKED", "U70", 1)
    assert deliver.deliver_due() == 0


@pytest.mark.parametrize(("plan", "expected"), [("503", "NACKED"), ("500", "DUE"), ("502", "DUE")])
def test_a_status_that_refuses_ends_the_delivery_and_any_other_is_silence(
    open_door, switch, plan, expected
):
    switch.plan = [plan]
    received = receive(open_door)
    record(answer_to(received))

    deliver.deliver_due()

    assert state()[0] == expected


def test_while_the_switch_is_away_the_answer_waits(open_door, settings):
    settings.UPI_SWITCH_URL = "http://127.0.0.1:9"
    received = receive(open_door)
    record(answer_to(received))

    deliver.deliver_due()

    assert state() == ("DUE", "", 1)


def test_many_answers_go_out_together(open_door, switch):
    batch = [answer_to(receive(open_door)) for _ in range(40)]
    with transaction.atomic():
        answers.record_answers(batch, claim=None)

    assert deliver.deliver_due() == 32
    assert deliver.deliver_due() == 8
    assert set(Exchange.objects.values_list("state", flat=True)) == {"ACKED"}
    assert len(switch.posted) == 40


def test_an_exchange_is_answered_once(open_door):
    received = receive(open_door)
    record(answer_to(received))

    with pytest.raises(AssertionError, match="exactly once"):
        record(answer_to(received))

    assert MessageLog.objects.filter(direction="OUT").count() == 1


def test_an_answer_is_part_of_the_decision_s_transaction(open_door):
    received = receive(open_door)

    with pytest.raises(AssertionError, match="transaction"):
        answers.record_answers([answer_to(received)], claim=None)

    with transaction.atomic():
        answers.record_answers([answer_to(received)], claim=None)
        transaction.set_rollback(True)
    assert state()[0] == "NONE"


def test_nothing_is_posted_with_a_transaction_open(open_door, switch):
    received = receive(open_door)
    due = record_claimed(answer_to(received))

    with pytest.raises(AssertionError, match="transaction open"), transaction.atomic():
        answers.send_answers(due)

    assert switch.posted == []


def test_a_repeat_that_comes_after_the_answer_gets_it_under_its_own_id(open_door, switch):
    received = receive(open_door)
    answer = record(answer_to(received))
    deliver.deliver_due()
    again = wire.fresh("CREDIT", txn_id=received.message.txn.id)

    open_door.send(again)
    assert deliver.deliver_due() == 1

    first, second = switch.posted
    assert second.root.find("Resp").get("reqMsgId") == again.find("Head").get("msgId")
    assert second.root.find("Head").get("msgId") != answer.message.head.msg_id
    assert etree.tostring(second.root.find("Resp/Ref")) == etree.tostring(
        first.root.find("Resp/Ref")
    )
    assert second.root.find("Txn").attrib == first.root.find("Txn").attrib
    assert ExchangeRepeat.objects.get().state == "ACKED"
    assert state() == ("ACKED", "", 1)


def test_a_repeat_that_comes_before_the_answer_gets_it_as_well(open_door, switch):
    received = receive(open_door)
    open_door.send(wire.fresh("CREDIT", txn_id=received.message.txn.id))
    assert ExchangeRepeat.objects.get().state == "NONE"
    assert deliver.deliver_due() == 0

    record(answer_to(received))
    assert deliver.deliver_due() == 2

    assert len(switch.posted) == 2
    assert ExchangeRepeat.objects.get().state == "ACKED"


def test_a_repeat_s_answer_is_sent_again_with_the_same_bytes(open_door, switch):
    received = receive(open_door)
    record(answer_to(received))
    deliver.deliver_due()
    open_door.send(wire.fresh("CREDIT", txn_id=received.message.txn.id))
    switch.plan = ["silent"]

    deliver.deliver_due()
    make_due(ExchangeRepeat)
    deliver.deliver_due()

    assert switch.posted[1].body == switch.posted[2].body
    assert (ExchangeRepeat.objects.get().state, ExchangeRepeat.objects.get().sends) == ("ACKED", 2)


def balance_answer(received: Received) -> Answer:
    request = received.message
    payer = Party(addr=request.payer.addr, type="PERSON", code="0000")
    message = RespBalEnq(
        head=Head(ts=clock.now(), org_id="900001", msg_id=ids.new_upi_id("EXB")),
        txn=request.txn,
        resp=Resp(req_msg_id=request.head.msg_id, result="SUCCESS"),
        payer=Party(
            addr=payer.addr,
            type="PERSON",
            code="0000",
            bal=Balance.of(Money(1234567), ki="20150822"),
        ),
    )
    return Answer(
        exchange_id=received.exchange_id,
        message=message,
        expires_at=received.received_at + dt.timedelta(seconds=12),
    )


def test_a_balance_is_sent_but_never_stored_where_it_lasts(open_door, switch):
    received = receive(open_door, "BALANCE")
    record(balance_answer(received))

    entry = MessageLog.objects.get(direction="OUT")
    assert "MTIzNDUuNjc=" not in entry.body
    assert PinBlock.objects.get(pk=entry.pk).credentials == ["MTIzNDUuNjc="]
    deliver.deliver_due()

    assert switch.posted[0].root.findtext("Payer/Bal/Data") == "MTIzNDUuNjc="
    assert state() == ("ACKED", "", 1)


def test_an_answer_whose_balance_is_gone_is_not_sent_hollow(open_door, switch):
    received = receive(open_door, "BALANCE")
    record(balance_answer(received))
    PinBlock.objects.all().delete()

    deliver.deliver_due()

    assert switch.posted == []
    assert state()[0] == "DUE"


def test_a_late_ack_of_one_sender_ends_what_another_gave_up(open_door, switch):
    due = record_claimed(answer_to(receive(open_door)))
    Exchange.objects.update(state="EXPIRED", next_action_at=None, claim=None)

    answers.send_answers(due)

    assert state()[0] == "ACKED"


def test_a_late_failure_of_one_sender_is_not_counted_against_another(open_door, switch):
    switch.plan = ["silent"]
    due = record_claimed(answer_to(receive(open_door)))
    Exchange.objects.update(claim=ids.uuid7(), sends=1)
    before = Exchange.objects.get()

    answers.send_answers(due)

    after = Exchange.objects.get()
    assert len(switch.posted) == 1
    assert state() == ("DUE", "", 1)
    assert (after.claim, after.next_action_at) == (before.claim, before.next_action_at)


def test_a_look_at_nothing_due_is_one_statement(db):
    with CaptureQueriesContext(connection) as looked:
        assert deliver.deliver_due() == 0

    assert len(looked) == 1
