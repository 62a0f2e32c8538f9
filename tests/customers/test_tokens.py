"""A phone's common library registers with the switch: its challenge out, a check value back."""

import datetime as dt

import pytest
import time_machine
from django.core.cache import cache
from django.test import override_settings

from apps.common import clock
from apps.customers.models import DeviceToken
from apps.customers.services import tokens
from apps.upi import client, codec, liveness, xml
from apps.upi.contracts import Head, Key, Resp, RespListKeys, Txn
from apps.upi.models import ApiUse, MessageLog, Organisation, PinBlock
from sandbox import listings as sandbox_switch
from tests.api.fingerprint import nothing_written
from tests.api.people import enrol_person
from tests.upi import wire
from tests.upi.conftest import Door, peer_key, switch_key  # noqa: F401 - fixtures
from tests.upi.switch import Switch

ROUTES = {("RespListKeys", "GetToken"): "apps.customers.endpoint.receive_token_answer"}
TOKENS = "/app/v1/device-tokens"
CHALLENGE = {"ki": "20261101", "data": "U1lOVEhFVElDLUNIQUxMRU5HRQ=="}


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
    settings.UPI_ROUTES = "tests.customers.test_tokens.ROUTES"
    return Door(switch_key)


def asked(person, kind="initial", **changes):
    body = {"kind": kind, "challenge": CHALLENGE, **changes}
    return person.client.post(TOKENS, body, format="json")


def see(person, told):
    return person.client.get(f"{TOKENS}/{told.json()['id']}").json()


def listed(posted) -> Key:
    """Return what the sandbox's switch lists for the challenge that it got."""
    key = sandbox_switch.token(posted.root.findtext("Creds/Cred/Data")).find("key")
    value = key.findtext("keyValue")
    return Key(code="NPCI", owner="NPCI", type="TOKEN", ki=key.get("ki"), key_value=value)


def answer(door, posted, *keys, err="") -> str:
    txn = posted.root.find("Txn")
    message = RespListKeys(
        head=Head(ts=clock.now(), org_id="NPCI", msg_id=wire.new_id()),
        resp=Resp(
            req_msg_id=posted.root.find("Head").get("msgId"),
            result="FAILURE" if err else "SUCCESS",
            err_code=err,
        ),
        txn=Txn(id=txn.get("id"), ts=clock.now(), type="GetToken"),
        key_list=keys,
    )
    with override_settings(ROOT_URLCONF="apps.upi.urls"):
        return door.send(xml.parse(codec.encode(message))).err


@pytest.mark.parametrize("kind", ["initial", "rotate", "reset"])
def test_a_challenge_goes_out_with_the_phone_and_its_check_value_comes_back(door, switch, kind):
    asha = enrol_person()
    told = asked(asha, kind)
    assert (told.status_code, told.json()["status"], told.json()["check_value"]) == (
        202,
        "pending",
        None,
    )

    assert tokens.advance_due(at=clock.now()) == 1

    [posted] = switch.posted
    device, credential = asha.device, posted.root.find("Creds/Cred")
    assert posted.root.find("Txn").get("type") == "GetToken"
    assert (credential.get("type"), credential.get("subType")) == ("Challenge", kind)
    assert credential.find("Data").get("ki") == "20261101"
    assert credential.findtext("Data") == (
        f"{device.identifier}|{device.app}|{device.customer.mobile}|{CHALLENGE['data']}"
    )
    key = listed(posted)
    assert answer(door, posted, key) == ""
    shown = see(asha, told)
    assert (shown["status"], shown["finality"], shown["upi_code"]) == ("succeeded", "final", "00")
    assert shown["check_value"] == key.key_value
    renew_at = dt.datetime.fromisoformat(shown["rotate_by"])
    assert renew_at - DeviceToken.objects.get().ended_at < dt.timedelta(days=45, seconds=1)
    assert ApiUse.objects.count() == 0


def test_neither_the_challenge_nor_the_token_is_kept_or_logged(door, switch):
    asha = enrol_person()
    asked(asha)
    assert PinBlock.objects.count() == 1
    tokens.advance_due(at=clock.now())
    key = listed(switch.posted[0])

    answer(door, switch.posted[0], key)

    assert PinBlock.objects.count() == 0
    logged = "".join(MessageLog.objects.values_list("body", flat=True))
    assert "GetToken" in logged
    assert CHALLENGE["data"] not in logged
    assert key.key_value not in logged


@pytest.mark.parametrize(
    ("code", "failure"),
    [("U64", "challenge_refused"), ("U66", "device_refused"), ("U63", "switch_refused")],
)
def test_a_switch_that_registers_nothing_says_why(door, switch, code, failure):
    asha = enrol_person()
    told = asked(asha)
    tokens.advance_due(at=clock.now())

    assert answer(door, switch.posted[0], err=code) == ""

    shown = see(asha, told)
    assert (shown["status"], shown["upi_code"], shown["failure"]) == ("failed", code, failure)
    assert (shown["check_value"], shown["rotate_by"]) == (None, None)


@pytest.mark.parametrize("value", ["U1lOVEhFVElDLVRPS0VO", None])
def test_a_check_value_that_is_not_the_phones_registers_nothing(door, switch, value):
    asha = enrol_person()
    told = asked(asha)
    tokens.advance_due(at=clock.now())
    kind = "TOKEN" if value else "PKI"
    key = Key(code="NPCI", type=kind, ki="20261101", key_value=value or "QUJD")

    answer(door, switch.posted[0], key)

    shown = see(asha, told)
    assert (shown["status"], shown["failure"]) == ("failed", "check_differs")
    assert shown["check_value"] is None


def test_silence_is_pending_and_a_late_answer_still_counts(door, switch):
    asha = enrol_person()
    told = asked(asha)
    tokens.advance_due(at=clock.now())
    DeviceToken.objects.update(next_action_at="2000-01-01T00:00:00Z")
    tokens.advance_due(at=clock.now())
    assert see(asha, told)["status"] == "pending"

    answer(door, switch.posted[0], listed(switch.posted[0]))

    assert see(asha, told)["status"] == "succeeded"


def test_a_challenge_that_waited_too_long_is_not_sent(door, switch):
    asha = enrol_person()
    told = asked(asha)
    PinBlock.objects.all().delete()

    tokens.advance_due(at=clock.now())

    assert switch.posted == []
    assert (see(asha, told)["status"], see(asha, told)["upi_code"]) == ("failed", "GONE")


def test_the_eleventh_token_of_a_day_is_refused_until_the_first_is_a_day_old(door):
    asha, ravi = enrol_person(), enrol_person("RAVI IYER")
    begun = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)
    with time_machine.travel(begun, tick=False) as travelled:
        asha.log_in()
        for _ in range(10):
            assert asked(asha).status_code == 202

        with nothing_written():
            refused = asked(asha)
        assert (refused.status_code, refused.json()["code"]) == (429, "device_token_limit")
        assert int(refused["Retry-After"]) == 24 * 3600 + 1
        ravi.log_in()
        assert asked(ravi).status_code == 202

        travelled.shift(dt.timedelta(hours=24))
        asha.log_in()
        assert asked(asha).status_code == 202


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"kind": "renew"}, "invalid_member"),
        ({"kind": None}, "invalid_member"),
        ({"challenge": None}, "invalid_credential"),
        ({"challenge": CHALLENGE["data"]}, "invalid_credential"),
        ({"challenge": {**CHALLENGE, "ki": "2026"}}, "invalid_credential"),
        ({"challenge": {**CHALLENGE, "data": "a|b|c|" + CHALLENGE["data"]}}, "invalid_credential"),
        ({"challenge": {**CHALLENGE, "data": "A" * 1403}}, "invalid_credential"),
        ({"challenge": {**CHALLENGE, "mobile": "919800000009"}}, "invalid_credential"),
        ({"mobile": "919800000009"}, "unknown_member"),
    ],
)
def test_a_body_that_is_no_challenge_is_refused_and_writes_nothing(door, changes, code):
    asha = enrol_person()

    with nothing_written():
        refused = asked(asha, **changes)

    assert (refused.status_code, refused.json()["code"]) == (400, code)


def test_nobody_sees_the_token_of_anothers_phone(door):
    asha, ravi = enrol_person(), enrol_person("RAVI IYER")
    told = asked(asha)

    for path in (told.json()["id"], "dtk_1"):
        assert ravi.client.get(f"{TOKENS}/{path}").status_code == 404


def test_while_the_switch_is_down_nothing_is_asked(door):
    asha = enrol_person()
    Organisation.objects.filter(pk="NPCI").update(is_up=False)
    liveness.forget()

    with nothing_written():
        assert asked(asha).json()["code"] == "switch_down"
