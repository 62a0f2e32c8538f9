"""Our merchants are announced to the network: each change once, and what was refused anew."""

import datetime as dt
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import override_settings

from apps.common import clock
from apps.merchants.models import Announcement, Merchant
from apps.upi import client, codec, liveness, xml
from apps.upi.contracts import Head, ManageVaeResp, RespManageVae, Txn, VaeRef
from apps.upi.models import Exchange
from tests.api.people import open_shop
from tests.upi import wire
from tests.upi.conftest import Door, peer_key, switch_key  # noqa: F401 - fixtures
from tests.upi.switch import Switch

ROUTES = {
    ("RespManageVae", "ManageVae"): "apps.merchants.endpoint.receive_announcement_answer",
}
# 02:30 in India, and 17:30.
NIGHT = dt.datetime(2026, 11, 18, 21, 0, tzinfo=dt.UTC)
EVENING = dt.datetime(2026, 11, 18, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def night():
    with time_machine.travel(NIGHT, tick=False) as travelled:
        yield travelled


@pytest.fixture
def switch(settings):
    with Switch() as server:
        settings.UPI_SWITCH_URL = server.url
        yield server
        client.close()


@pytest.fixture
def door(committed, night, settings, peer_key, switch_key):  # noqa: F811 - fixtures
    liveness.forget()
    settings.UPI_ROUTES = "tests.merchants.test_announce.ROUTES"
    return Door(switch_key)


def announce() -> str:
    shown = StringIO()
    call_command("announce_merchants", stdout=shown)
    return shown.getvalue()


def answer(door, posted, codes: dict[str, str]) -> str:
    """Answer as the switch, each merchant with its code."""
    txn = posted.root.find("Txn")
    refs = tuple(
        VaeRef(
            op=vae.get("op"),
            seq_num=vae.get("seqNum"),
            addr=vae.get("addr"),
            resp_code=codes.get(vae.get("addr"), "00"),
            result="FAILURE" if vae.get("addr") in codes else "SUCCESS",
        )
        for vae in posted.root.iter("Vae")
    )
    message = RespManageVae(
        head=Head(ts=clock.now(), org_id="NPCI", msg_id=wire.new_id()),
        txn=Txn(id=txn.get("id"), ts=clock.now(), type="ManageVae"),
        resp=ManageVaeResp(
            req_msg_id=posted.root.find("Head").get("msgId"),
            result="FAILURE" if codes else "SUCCESS",
            err_code="U72" if codes else "",
            vae_refs=refs,
        ),
    )
    with override_settings(ROOT_URLCONF="apps.upi.urls"):
        return door.send(xml.parse(codec.encode(message))).err


def announced(posted) -> list[tuple[str, str]]:
    return [(vae.get("op"), vae.get("addr")) for vae in posted.root.iter("Vae")]


def test_a_new_merchant_is_announced_once_with_our_link_keys(door, switch):
    shop = open_shop()

    assert "sent: ACKED" in announce()
    [posted] = switch.posted
    assert announced(posted) == [("ADD", shop.address)]
    assert [key.get("code") for key in posted.root.iter("key")] == ["900001", "900001"]
    assert answer(door, posted, {}) == ""

    assert announce() == "nothing to announce\nLISTED   1\n"
    assert Announcement.objects.get().result_code == "00"


def test_a_change_is_an_update_and_a_suspension_a_removal(door, switch):
    shop = open_shop()
    announce()
    answer(door, switch.posted[-1], {})

    Merchant.objects.update(name="Nila Books and Maps")
    announce()
    assert announced(switch.posted[-1]) == [("UPDATE", shop.address)]
    answer(door, switch.posted[-1], {})
    Merchant.objects.update(state="SUSPENDED")
    announce()
    assert announced(switch.posted[-1]) == [("REMOVE", shop.address)]
    answer(door, switch.posted[-1], {})

    assert announce() == "nothing to announce\nREMOVED  1\n"


def test_what_was_refused_or_never_answered_is_announced_anew(door, switch):
    good, bad = open_shop(), open_shop()
    announce()
    answer(door, switch.posted[-1], {bad.address: "U55"})
    assert Announcement.objects.get(merchant=bad.merchant).result_code == "U55"

    announce()
    announce()

    assert announced(switch.posted[1]) == announced(switch.posted[2]) == [("ADD", bad.address)]
    assert Announcement.objects.get(merchant=good.merchant).state == "LISTED"


def test_nothing_is_announced_in_peak_hours(door, switch, night):
    open_shop()
    night.move_to(EVENING)

    with pytest.raises(CommandError, match="not made in peak hours"):
        announce()

    assert Announcement.objects.count() == Exchange.objects.count() == 0
