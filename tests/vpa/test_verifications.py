"""Whose an address is: we ask other PSPs before a payment, and answer them about ours."""

import datetime as dt

import pytest
from django.core.cache import cache
from django.test import override_settings

from apps.common import clock
from apps.common.addresses import VpaAddress
from apps.upi import client, codec, liveness, xml
from apps.upi.contracts import Head, Resp, RespValAdd, Txn, ValAddResp
from apps.upi.models import Exchange, Organisation
from apps.upi.services import deliver
from apps.vpa.models import Verification
from apps.vpa.services import register, verify
from tests.api.fingerprint import nothing_written
from tests.api.people import enrol_person, open_shop
from tests.upi import wire
from tests.upi.conftest import Door, peer_key, switch_key  # noqa: F401 - fixtures
from tests.upi.switch import Switch

ROUTES = {
    ("ReqValAdd", "ValAdd"): "apps.vpa.endpoint.receive_verification",
    ("RespValAdd", "ValAdd"): "apps.vpa.endpoint.receive_verification_answer",
}
VERIFY = "/app/v1/vpas/verify"
ABROAD = "store1@smplbank"


@pytest.fixture
def switch(settings):
    with Switch() as server:
        settings.UPI_SWITCH_URL = server.url
        yield server
        client.close()


@pytest.fixture
def door(committed, settings, peer_key, switch_key):  # noqa: F811 - fixtures
    cache.clear()
    liveness.forget()
    settings.UPI_ROUTES = "tests.vpa.test_verifications.ROUTES"
    return Door(switch_key)


def send(door, root):
    """POST to the receiver's own paths, which other services do not serve."""

    with override_settings(ROOT_URLCONF="apps.upi.urls"):
        return door.send(root)


def asked(client_, address=ABROAD, path=VERIFY):
    return client_.post(path, {"address": address}, format="json")


def see(client_, answer, path=VERIFY):
    return client_.get(f"{path}/{answer.json()['id']}").json()


def answer(door, posted, *, result="SUCCESS", err="", **facts) -> str:
    txn = posted.root.find("Txn")
    resp = ValAddResp(
        req_msg_id=posted.root.find("Head").get("msgId"), result=result, err_code=err, **facts
    )
    message = RespValAdd(
        head=Head(ts=clock.now(), org_id="NPCI", msg_id=wire.new_id()),
        resp=resp,
        txn=Txn(id=txn.get("id"), ts=clock.now(), type="ValAdd"),
    )
    assert isinstance(message.resp, Resp)
    return send(door, xml.parse(codec.encode(message))).err


FOUND = {"mask_name": "EXAMPLE STORE", "code": "5411", "type": "ENTITY"}


def test_an_address_abroad_is_verified_by_its_own_psp(door, switch):
    asha = enrol_person()

    told = asked(asha.client)

    assert (told.status_code, told.json()["status"]) == (202, "pending")
    assert verify.advance_due(at=clock.now()) == 1
    [posted] = switch.posted
    payer = posted.root.find("Payer")
    assert posted.path.startswith("/upi/ReqValAdd/2.0/urn:txnid:EXB")
    assert posted.root.find("Payee").get("addr") == ABROAD
    assert (payer.get("name"), payer.get("type")) == ("ASHA RAO", "PERSON")
    assert payer.get("addr") == f"{asha.device.customer.mobile[2:]}@exbank"

    assert answer(door, posted, **FOUND) == ""

    shown = see(asha.client, told)
    assert (shown["status"], shown["finality"]) == ("verified", "final")
    assert (shown["verified_name"], shown["kind"], shown["mcc"]) == (
        "EXAMPLE STORE",
        "ENTITY",
        "5411",
    )


@pytest.mark.parametrize(
    ("code", "failure"), [("ZH", "payee_unknown"), ("U27", "payee_app_unavailable")]
)
def test_an_address_that_is_not_vouched_for_is_failed(door, switch, code, failure):
    asha = enrol_person()
    told = asked(asha.client)
    verify.advance_due(at=clock.now())

    answer(door, switch.posted[0], result="FAILURE", err=code)

    shown = see(asha.client, told)
    assert (shown["status"], shown["upi_code"], shown["failure"]) == ("failed", code, failure)
    assert shown["explanation"]["upi_code"] == code
    assert shown["verified_name"] is None


def test_silence_is_pending_and_a_late_answer_still_counts(door, switch):
    asha = enrol_person()
    told = asked(asha.client)
    verify.advance_due(at=clock.now())
    Verification.objects.update(next_action_at="2000-01-01T00:00:00Z")

    verify.advance_due(at=clock.now())

    assert Verification.objects.get().state == "UNKNOWN"
    assert see(asha.client, told)["status"] == "pending"
    assert answer(door, switch.posted[0], **FOUND) == ""
    assert see(asha.client, told)["status"] == "verified"
    assert len(switch.posted) == 1


@pytest.mark.parametrize(("plan", "code"), [("nack:U10", "U10"), ("404", "HTTP404")])
def test_a_question_that_is_not_acked_has_failed(door, switch, plan, code):
    asha = enrol_person()
    switch.plan = [plan]
    told = asked(asha.client)

    verify.advance_due(at=clock.now())

    assert see(asha.client, told)["upi_code"] == code


def test_an_address_of_ours_needs_no_question(door, switch):
    asha, shop = enrol_person(), open_shop()

    told, nobody = asked(asha.client, shop.address), asked(asha.client, "nobody@exbank")

    assert (told.status_code, told.json()["verified_name"]) == (200, "Nila Books")
    assert (told.json()["kind"], told.json()["mcc"]) == ("ENTITY", "5942")
    assert (nobody.status_code, nobody.json()["failure"]) == (200, "payee_unknown")
    assert verify.advance_due(at=clock.now()) == 0
    assert switch.posted == []


def test_the_same_question_within_a_minute_is_one_call(door, switch):
    asha, ravi = enrol_person(), enrol_person("RAVI IYER")

    first, again = asked(asha.client), asked(asha.client, ABROAD.upper())
    other = asked(ravi.client)
    Verification.objects.update(created_at=clock.now() - dt.timedelta(seconds=61))
    later = asked(asha.client)

    assert again.json()["id"] == first.json()["id"]
    assert len({first.json()["id"], other.json()["id"], later.json()["id"]}) == 3


def test_nobody_reads_anothers_question(door):
    asha, ravi = enrol_person(), enrol_person("RAVI IYER")
    told = asked(asha.client)

    assert ravi.client.get(f"{VERIFY}/{told.json()['id']}").status_code == 404
    assert asha.client.get(f"{VERIFY}/ver_x").status_code == 404


@pytest.mark.parametrize("body", [{}, {"address": "x"}, {"address": ABROAD, "name": "A"}])
def test_a_body_that_is_not_an_address_is_refused_and_writes_nothing(door, body):
    asha = enrol_person()

    with nothing_written():
        refused = asha.client.post(VERIFY, body, format="json")

    assert refused.status_code == 400


def test_while_the_switch_is_down_nothing_is_asked(door):
    asha = enrol_person()
    Organisation.objects.filter(pk="NPCI").update(is_up=False)
    liveness.forget()

    with nothing_written():
        refused = asked(asha.client)

    assert (refused.status_code, refused.json()["code"]) == (503, "switch_down")
    assert int(refused["Retry-After"]) >= 1


def test_a_merchant_asks_in_its_own_name(door, switch):
    shop = open_shop()

    told = asked(shop.client, path="/v1/vpas/verify")
    verify.advance_due(at=clock.now())

    payer = switch.posted[0].root.find("Payer")
    assert (payer.get("addr"), payer.get("type"), payer.get("code")) == (
        shop.address,
        "ENTITY",
        "5942",
    )
    answer(door, switch.posted[0], **FOUND)
    assert see(shop.client, told, "/v1/vpas/verify")["verified_name"] == "EXAMPLE STORE"
    assert enrol_person().client.get(f"{VERIFY}/{told.json()['id']}").status_code == 404


def test_another_psp_is_told_whose_an_address_of_ours_is(door, switch):
    asha, shop = enrol_person(), open_shop()
    address = VpaAddress.parse("asha.pays@exbank")
    register.register_address(address, account=asha.accounts[0], at=clock.now())
    told = {}
    for payee in (str(address), shop.address.upper(), "nobody@exbank", "asha@smplbank"):

        def about(root, payee=payee):
            root.find("Payee").set("addr", payee)

        root = wire.fresh("30_ReqValAdd", edit=about)
        assert send(door, root).err == ""
        deliver.deliver_due()
        told[payee.lower()] = switch.posted[-1].root.find("Resp")
        assert told[payee.lower()].get("reqMsgId") == root.find("Head").get("msgId")

    person = told[str(address)]
    assert (person.get("result"), person.get("maskName")) == ("SUCCESS", "ASHA RAO")
    assert (person.get("code"), person.get("type"), person.get("accType")) == (
        "0000",
        "PERSON",
        "SAVINGS",
    )
    assert asha.accounts[0].account_number not in str(person.attrib)
    store = told[shop.address]
    assert store.find("Merchant/Name").get("brand") == "Nila Books"
    assert [told[one].get("errCode") for one in ("nobody@exbank", "asha@smplbank")] == ["ZH", "ZH"]
    assert Exchange.objects.filter(direction="IN", state="ACKED").count() == 4
