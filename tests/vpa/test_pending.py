"""The switch is asked which collects wait for an address, to find those that never reached us."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from apps.common import clock
from apps.common.addresses import VpaAddress
from apps.common.errors import NotFoundError
from apps.upi import client, codec, liveness, xml
from apps.upi.contracts import Head, Resp, RespPendingMsg, Txn
from apps.upi.models import Exchange
from apps.vpa.services import pending, register
from apps.vpa.services.pending import PendingCollect
from tests.api.people import enrol_person, open_shop
from tests.upi import wire
from tests.upi.conftest import Door, peer_key, switch_key  # noqa: F401 - fixtures
from tests.upi.switch import Switch

ROUTES = {
    ("RespPendingMsg", "PendingMsg"): "apps.vpa.endpoint.receive_pending_answer",
    ("ReqAuthDetails", "PAY"): "tests.upi.routes.receive",
}
ADDRESS = "asha.waits@exbank"


@pytest.fixture
def switch(settings):
    with Switch() as server:
        settings.UPI_SWITCH_URL = server.url
        yield server
        client.close()


@pytest.fixture
def door(committed, settings, peer_key, switch_key):  # noqa: F811 - fixtures
    liveness.forget()
    settings.UPI_ROUTES = "tests.vpa.test_pending.ROUTES"
    return Door(switch_key)


@pytest.fixture
def asha(door):
    person = enrol_person()
    register.register_address(VpaAddress.parse(ADDRESS), account=person.accounts[0], at=clock.now())
    return person


def send(door, root) -> str:
    with override_settings(ROOT_URLCONF="apps.upi.urls"):
        return door.send(root).err


def answer(door, posted, *waiting: Txn) -> str:
    txn = posted.root.find("Txn")
    message = RespPendingMsg(
        head=Head(ts=clock.now(), org_id="NPCI", msg_id=wire.new_id()),
        resp=Resp(req_msg_id=posted.root.find("Head").get("msgId"), result="SUCCESS"),
        txn=Txn(id=txn.get("id"), ts=clock.now(), type="PendingMsg"),
        pen_txns=waiting,
    )
    return send(door, xml.parse(codec.encode(message)))


def test_a_collect_that_never_reached_us_is_found(door, switch, asha):
    here = wire.fresh("AUTH")
    assert send(door, here) == ""
    known, lost = here.find("Txn").get("id"), wire.new_id("SMP")

    exchange_id = pending.ask(ADDRESS, at=clock.now())
    assert pending.answer(exchange_id) is None
    [posted] = switch.posted
    asked = posted.root.find("ReqMsg")
    assert (asked.get("value"), asked.get("addr")) == (asha.device.customer.mobile, ADDRESS)
    waiting = [Txn(id=one, ts=clock.now(), type="COLLECT") for one in (known, lost)]
    assert answer(door, posted, *waiting) == ""

    assert pending.answer(exchange_id) == [
        PendingCollect(known, "COLLECT", is_known=True),
        PendingCollect(lost, "COLLECT", is_known=False),
    ]


def test_nothing_may_wait(door, switch, asha):
    exchange_id = pending.ask(ADDRESS, at=clock.now())

    assert answer(door, switch.posted[0]) == ""

    assert pending.answer(exchange_id) == []


def test_only_a_customers_address_is_asked_about(door, switch):
    shop = open_shop()

    for address in ("nobody@exbank", shop.address):
        with pytest.raises(NotFoundError):
            pending.ask(address, at=clock.now())

    assert switch.posted == []
    assert Exchange.objects.count() == 0


def test_the_command_says_when_the_switch_does_not_answer(door, switch, asha):
    with pytest.raises(CommandError, match="not answered"):
        call_command("pending_collects", ADDRESS, "--wait", "0", stdout=StringIO())
