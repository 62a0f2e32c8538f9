"""Our requests: opened with their decision, sent once, and what we know afterwards."""

import dataclasses
import socket

import pytest
from django.db import connection, connections, transaction

from apps.common import clock, ids
from apps.common.secret import Secret
from apps.upi import client, codec
from apps.upi.contracts import Credential, Head, ReqPay, Request, SendResult
from apps.upi.models import Exchange, MessageLog
from apps.upi.services import pin_blocks, requests
from apps.upi.timer_models import Timer
from hsm.errors import HsmUnavailableError
from tests.upi import routes, wire
from tests.upi.conftest import row_counts

BLOCK = "2.0|Y2FuYXJ5LXBpbi1ibG9jay0x"


def payment(txn_id: str | None = None) -> Request:
    golden = codec.decode(wire.vector("01_ReqPay_PAY"))
    assert isinstance(golden, ReqPay)
    credential = Credential(
        type="PIN", sub_type="MPIN", code="NPCI", ki="20150822", data=Secret(BLOCK)
    )
    message = dataclasses.replace(
        golden,
        head=Head(ts=clock.now(), org_id="900001", msg_id=ids.new_upi_id("EXB")),
        txn=dataclasses.replace(golden.txn, id=txn_id or ids.new_upi_id("EXB")),
        payer=dataclasses.replace(golden.payer, creds=(credential,)),
    )
    return Request(exchange_id=ids.uuid7(), message=message)


def opened(*batch: Request) -> list[Request]:
    with transaction.atomic():
        requests.open_requests(batch)
    return list(batch)


def test_a_request_is_written_before_it_is_sent(committed, switch):
    [request] = opened(payment())

    exchange = Exchange.objects.get()
    assert (exchange.pk, exchange.direction, exchange.state) == (request.exchange_id, "OUT", "NONE")
    assert exchange.msg_id == request.message.head.msg_id
    assert (exchange.organisation, exchange.api, exchange.type) == ("NPCI", "ReqPay", "PAY")
    assert BLOCK not in MessageLog.objects.get().body
    assert switch.posted == []


def test_a_request_reaches_the_switch_signed_and_whole(committed, switch):
    batch = opened(payment())

    [outcome] = requests.send_requests(batch)

    assert (outcome.result, outcome.code) == (SendResult.ACKED, "")
    assert Exchange.objects.get().state == "ACKED"
    [posted] = switch.posted
    assert posted.path == f"/upi/ReqPay/2.0/urn:txnid:{batch[0].message.txn.id}"
    assert posted.root.findtext("Payer/Creds/Cred/Data") == BLOCK


def test_only_the_four_headers_that_the_switch_allows_are_sent(committed, switch):
    requests.send_requests(opened(payment()))

    assert set(switch.posted[0].headers) == {
        "Host",
        "Content-Type",
        "Content-Length",
        "User-Agent",
    }
    assert switch.posted[0].headers["Content-Type"] == "application/xml"


@pytest.mark.parametrize(
    ("plan", "result", "code"),
    [
        ("ack",      "ACKED",  ""),
        ("nack:U30", "NACKED", "U30"),
        ("503",      "NACKED", "HTTP503"),
        ("404",      "NACKED", "HTTP404"),
        ("500",      "SILENT", ""),
        ("504",      "SILENT", ""),
        ("301",      "SILENT", ""),
        ("silent",   "SILENT", ""),
        ("garbage",  "SILENT", ""),
        ("other",    "SILENT", ""),
    ],
)  # fmt: skip
def test_what_the_switch_answers_is_what_we_know(committed, switch, plan, result, code):
    switch.plan = [plan]

    [outcome] = requests.send_requests(opened(payment()))

    assert (outcome.result.value, outcome.code) == (result, code)
    exchange = Exchange.objects.get()
    assert (exchange.state, exchange.delivery_code) == (result, code)
    assert len(switch.posted) == 1


def test_a_request_that_found_no_connection_was_not_sent(committed, settings):
    settings.UPI_SWITCH_URL = "http://127.0.0.1:9"

    [outcome] = requests.send_requests(opened(payment()))

    assert outcome.result is SendResult.NOT_SENT
    assert Exchange.objects.get().state == "NOT_SENT"


def test_a_request_that_the_token_did_not_sign_was_not_sent(committed, switch, monkeypatch):
    def away(*_):
        raise HsmUnavailableError

    monkeypatch.setattr("hsm.signing.sign_many", away)

    [outcome] = requests.send_requests(opened(payment()))

    assert (outcome.result, outcome.code) == (SendResult.NOT_SENT, "HSM")
    assert switch.posted == []


def test_a_silent_switch_is_waited_for_no_longer_than_the_limit(committed, settings):
    settings.UPI_TIMERS_FIXED = settings.UPI_TIMERS_FIXED | {Timer.ACK_READ: 0.2}
    client.close()
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        settings.UPI_SWITCH_URL = f"http://127.0.0.1:{deaf.getsockname()[1]}"

        [outcome] = requests.send_requests(opened(payment()))

    client.close()
    assert outcome.result is SendResult.SILENT


def test_outcomes_come_in_the_order_of_the_requests(committed, switch):
    batch = opened(*[payment() for _ in range(40)])

    outcomes = requests.send_requests(batch)

    assert [outcome.exchange_id for outcome in outcomes] == [one.exchange_id for one in batch]
    assert {outcome.result for outcome in outcomes} == {SendResult.ACKED}
    assert len(switch.posted) == 40


def test_a_request_is_opened_in_the_transaction_that_decides_it(committed):
    with pytest.raises(AssertionError, match="transaction"):
        requests.open_requests([payment()])


def test_nothing_is_sent_with_a_transaction_open(committed):
    batch = opened(payment())

    with pytest.raises(AssertionError, match="transaction open"), transaction.atomic():
        requests.send_requests(batch)


def answer(request: Request, edit=None, **facts):
    def fit(root):
        root.find("Resp").set("reqMsgId", request.message.head.msg_id)
        if edit:
            edit(root)

    return wire.fresh("PAY_ANSWER", txn_id=request.message.txn.id, edit=fit, **facts)


def test_the_answer_is_handed_over_with_the_exchange_it_answers(door, changes):
    [request] = opened(payment())
    changes()

    assert door.send(answer(request)).err == ""

    [received] = routes.received
    assert received.exchange_id == request.exchange_id
    assert received.message.resp.result == "SUCCESS"
    exchange = Exchange.objects.get()
    assert exchange.answer_id == MessageLog.objects.get(direction="IN").pk
    assert changes() == {"upi_message_log": 1}


def test_the_answer_may_come_before_the_ack_was_read(open_door, switch):
    batch = opened(payment())
    assert open_door.send(answer(batch[0])).err == ""

    requests.send_requests(batch)

    exchange = Exchange.objects.get()
    assert exchange.state == "ACKED"
    assert exchange.answer_id is not None


def test_the_same_answer_again_is_acked_without_a_second_effect(door, changes):
    [request] = opened(payment())
    body = wire.sign(answer(request), door.key)
    first = door.post(body)
    changes()

    assert door.post(body).body == first.body
    assert door.send(answer(request)).err == ""
    assert len(routes.received) == 1
    assert changes() == {"upi_message_log": 2}


def failed(root):
    root.find("Resp").set("result", "FAILURE")
    root.find("Resp").set("errCode", "U30~Z9")
    for ref in root.iter("Ref"):
        ref.set("settAmount", "0.00")


def other_amount(root):
    for ref in root.iter("Ref"):
        ref.set("settAmount", "149.51")


@pytest.mark.parametrize("edit", [failed, other_amount])
def test_another_answer_to_the_same_request_is_refused(door, changes, edit):
    [request] = opened(payment())
    door.send(answer(request))
    changes()

    assert door.send(answer(request, edit)).err == "U35"
    assert len(routes.received) == 1
    assert changes() == {"upi_message_log": 1, "messaging_outboxevent": 1}


def other_txn(root):
    root.find("Txn").set("id", wire.new_id("EXB"))


def other_request(root):
    root.find("Resp").set("reqMsgId", wire.new_id("EXB"))


@pytest.mark.parametrize("edit", [other_txn, other_request])
def test_an_answer_must_fit_transaction_and_request(door, edit):
    [request] = opened(payment())

    assert door.send(answer(request, edit)).err == "U06"
    assert Exchange.objects.get().answer_id is None


def test_an_answer_of_another_type_is_refused(door, settings):
    [request] = opened(payment())
    settings.UPI_ROUTES = "tests.upi.test_requests.COLLECT_ROUTES"

    def collect(root):
        root.find("Txn").set("type", "COLLECT")

    assert door.send(answer(request, collect)).err == "T17"
    assert Exchange.objects.get().answer_id is None


COLLECT_ROUTES = {("RespPay", "COLLECT"): "tests.upi.routes.receive"}


def test_one_message_id_cannot_answer_two_requests(door):
    one, two = opened(payment(), payment())
    msg_id = wire.new_id()
    assert door.send(answer(one, msg_id=msg_id)).err == ""

    assert door.send(answer(two, msg_id=msg_id)).err == "U01"
    assert Exchange.objects.get(pk=two.exchange_id).answer_id is None


def test_a_credential_is_nowhere_after_a_request_was_sent(committed, switch):
    requests.send_requests(opened(payment()))

    assert row_counts()["upi_pin_block"] == 0
    assert not MessageLog.objects.filter(body__contains="Y2FuYXJ5").exists()


def test_a_credential_is_not_in_the_statement_that_the_server_sees(committed):
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (process,) = cursor.fetchone()
        pin_blocks.store(ids.uuid7(), payment().message.payer.creds)

        with connections["replica"].cursor() as cursor:
            cursor.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", [process])
            (statement,) = cursor.fetchone()

    assert "INSERT INTO upi_pin_block" in statement
    assert BLOCK not in statement
