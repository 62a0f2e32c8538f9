"""The switch gets new keys: announced first, used later, the old ones taken for a while."""

import base64
import datetime as dt
from collections.abc import Iterator

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from signxml import InvalidSignature as InvalidXmlSignature

from tests.sandbox import spoken
from tests.sandbox.bank import new_id
from tests.sandbox.conftest import World, independent_verifier, open_world, wait_until
from tests.sandbox.spoken import el

DAY = 86400


@pytest.fixture
def world(tmp_path) -> Iterator[World]:
    """A switch of this test alone: its keys would be in the way of every other."""
    (tmp_path / "keys").mkdir()
    with open_world(tmp_path / "keys", tmp_path / "data") as world:
        world.bodies = []
        world.bank.verify = world.bodies.append
        yield world


def announce(world, purpose: str, days: int):
    body = {"purpose": purpose, "after_seconds": days * DAY}
    return world.control.post("/keys", json=body)


def listed(world, kind: str) -> dict[str, bytes]:
    """Return the switch's keys of a kind, in PEM, by their index."""
    txn_id = new_id()
    challenge = el("Data", {"code": "NPCI", "ki": "20261101"})
    challenge.text = "NA"
    creds = el("Creds", None, el("Cred", {"type": "Challenge", "subType": "initial"}, challenge))
    request = spoken.account_request("ReqListKeys", "ListKeys", creds, txn_id=txn_id)
    assert world.bank.post(request) == ""
    answer = world.bank.wait_for("RespListKeys", txn_id)
    return {
        key.get("ki"): pem(key.findtext("keyValue"))
        for key in answer.root.iterfind("keyList/key")
        if (key.get("owner"), key.get("type")) == ("NPCI", kind)
    }


def pem(value: str) -> bytes:
    key = serialization.load_der_public_key(base64.b64decode(value))
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def signers(world, keys: dict[str, bytes]) -> set[str]:
    """Pay, and return the indices of the keys by which the messages about it were signed."""
    txn_id = world.send_pay("ravi@smplbank")
    assert world.ended(txn_id)["status"] == "SUCCESS"
    wait_until(lambda: world.control.get(f"/payments/{txn_id}").json()["stage"] == "DONE")
    bodies = [body for body in world.bodies if txn_id.encode() in body]
    assert len(bodies) >= 2
    return {name for body in bodies for name, key in keys.items() if is_signed(body, key)}


def is_signed(body: bytes, key: bytes) -> bool:
    try:
        independent_verifier(key)(body)
    except (InvalidSignature, InvalidXmlSignature, AssertionError):
        return False
    return True


def test_the_switch_signs_with_a_new_key_from_its_day_on(world):
    index = announce(world, "signing", 30).json()["key_index"]
    keys = listed(world, "SIGN")
    assert list(keys) == ["20261101", index]

    assert signers(world, keys) == {"20261101"}
    world.advance(30 * DAY)
    assert signers(world, keys) == {index}
    world.kill()
    world.start()
    assert signers(world, keys) == {index}
    assert list(listed(world, "SIGN")) == [index, "20261101"]
    world.advance(7 * DAY)
    assert list(listed(world, "SIGN")) == [index]


def test_a_pin_for_the_old_key_is_taken_for_a_week_after_the_new_one_began(world):
    index = announce(world, "credential", 30).json()["key_index"]
    old, new = (serialization.load_pem_public_key(listed(world, "PKI")[name])
                for name in ("20261101", index))  # fmt: skip

    assert end_of_pay(world, old) == ""
    world.advance(30 * DAY)
    assert [end_of_pay(world, key) for key in (old, new)] == ["", ""]
    assert world.ended(world.order("shop@exbank"))["status"] == "SUCCESS"
    world.advance(7 * DAY)
    assert [end_of_pay(world, key) for key in (old, new)] == ["U14", ""]


def end_of_pay(world, key) -> str:
    """Pay with a PIN that is encrypted to this key, and return the code of the end."""
    request = spoken.pay_request(key, "ravi@smplbank")
    assert world.bank.post(request) == ""
    return world.ended(request.find("Txn").get("id"))["code"]


REFUSED = [
    ({"purpose": "signing", "after_seconds": 30 * DAY}, 409, "key_index_taken"),
    ({"purpose": "marriage"},                           400, "invalid"),
    ({"purpose": "signing", "after_seconds": -1},       400, "invalid"),
    ({"purpose": "signing", "from": "today"},           400, "invalid"),
]  # fmt: skip


def test_a_second_key_of_a_day_and_a_wrong_order_are_refused(world):
    # Not at the machine's midnight: the two orders must fall on the same day.
    world.advance(until_noon(world))
    announce(world, "signing", 30)

    for body, status, code in REFUSED:
        refused = world.control.post("/keys", json=body)
        assert (refused.status_code, refused.json()["code"]) == (status, code)

    assert len(world.control.get("/keys").json()["signing"]) == 2


def until_noon(world) -> float:
    now = dt.datetime.fromisoformat(world.control.get("/clock").json()["now"])
    noon = now.replace(hour=12, minute=0, second=0, microsecond=0)
    return ((noon - now).total_seconds() + DAY) % DAY
