"""We say that we are there, and notice when the switch is not."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.common import clock
from apps.messaging.models import OutboxEvent
from apps.upi import liveness
from apps.upi.contracts import SendResult
from apps.upi.errors import SwitchDownError
from apps.upi.models import Exchange, Organisation
from apps.upi.services import deliver, heartbeat
from tests.upi import wire


def test_a_heartbeat_is_answered(open_door, switch):
    root = wire.fresh("HEARTBEAT")

    assert open_door.send(root).err == ""
    deliver.deliver_due()

    [posted] = switch.posted
    assert posted.path.startswith("/upi/RespHbt/2.0/urn:txnid:")
    assert posted.root.find("Resp").get("reqMsgId") == root.find("Head").get("msgId")
    assert posted.root.find("Resp").get("result") == "SUCCESS"
    assert posted.root.find("Txn").get("id") == root.find("Txn").get("id")


def answer(posted) -> object:
    def fit(root):
        root.find("Resp").set("reqMsgId", posted.root.find("Head").get("msgId"))

    return wire.fresh("HEARTBEAT_ANSWER", txn_id=posted.root.find("Txn").get("id"), edit=fit)


def test_a_heartbeat_that_is_answered_keeps_the_peer_up(open_door, switch):
    for _ in range(5):
        assert heartbeat.beat(now=clock.now()).result is SendResult.ACKED
        assert open_door.send(answer(switch.posted[-1])).err == ""

    peer = Organisation.objects.get()
    assert (peer.is_up, peer.heartbeats_missed) == (True, 0)
    assert peer.heartbeat_answered_at is not None
    assert Exchange.objects.filter(api="ReqHbt", answer_id=None).count() == 0


def test_a_peer_that_misses_three_heartbeats_is_down_until_it_answers(open_door, switch):
    states = []
    for _ in range(5):
        heartbeat.beat(now=clock.now())
        peer = Organisation.objects.get()
        states.append((peer.heartbeats_missed, peer.is_up))
    open_door.send(answer(switch.posted[-1]))

    assert states == [(0, True), (1, True), (2, True), (3, False), (4, False)]
    assert Organisation.objects.get().is_up


def miss(times: int = 4) -> None:
    for _ in range(times):
        heartbeat.beat(now=clock.now())


def test_going_down_and_coming_up_again_are_told_once_each(open_door, switch):
    miss(6)
    open_door.send(answer(switch.posted[-1]))
    miss(1)
    open_door.send(answer(switch.posted[-1]))

    down, up = OutboxEvent.objects.order_by("sequence")
    assert (down.type, up.type) == ("upi.switch.down", "upi.switch.up")
    assert (down.data["heartbeats_missed"], down.data["answered_at"]) == (3, None)
    assert up.data["down_at"] == down.data["down_at"]
    peer = Organisation.objects.get()
    assert peer.state_changed_at.isoformat() == up.data["up_at"]


def test_while_the_switch_is_down_what_needs_it_is_refused_at_once(open_door, switch):
    liveness.require_switch()
    miss()
    liveness.forget()

    with pytest.raises(SwitchDownError) as refusal:
        liveness.require_switch()
    assert (refusal.value.code, refusal.value.http_status) == ("switch_down", 503)
    assert refusal.value.members == {"retry_after_seconds": 90}

    open_door.send(answer(switch.posted[-1]))
    liveness.require_switch()


def test_that_the_switch_is_up_is_not_asked_for_each_payment(open_door, switch):
    liveness.forget()
    with CaptureQueriesContext(connection) as queries:
        for _ in range(5):
            liveness.require_switch()

    assert len(queries) <= 2


def test_a_readiness_probe_tells_of_the_switch_and_stays_ready(open_door, switch, settings):
    settings.ROOT_URLCONF = "upi_platform.urls"
    states = [Client().get("/readyz").json()]
    miss()
    states.append(Client().get("/readyz").json())

    assert [state["details"]["switch"] for state in states] == ["up", "down"]
    assert [state["status"] for state in states] == ["ready", "ready"]


def test_heartbeats_of_long_ago_are_not_counted(open_door, switch, settings):
    heartbeat.beat(now=clock.now())
    Exchange.objects.update(opened_at="2020-01-01T00:00:00Z")

    heartbeat.beat(now=clock.now())

    assert Organisation.objects.get().heartbeats_missed == 0


def test_the_command_sends_one_and_says_how_it_went(open_door, switch, capsys):
    call_command("heartbeat", "--once")

    assert "heartbeat ACKED" in capsys.readouterr().out
    assert len(switch.posted) == 1


@pytest.mark.parametrize("name", ["HEARTBEAT"])
def test_a_repeated_heartbeat_is_answered_once(open_door, switch, name):
    body = wire.sign(wire.fresh(name), open_door.key)

    open_door.post(body)
    open_door.post(body)
    deliver.deliver_due()

    assert len(switch.posted) == 1
