"""Sessions: begun by a signed challenge, ended at once, worthless when copied or guessed."""

import base64

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.cache import cache
from rest_framework.test import APIClient

from apps.common import clock
from apps.customers.services import enrol
from tests.api.fingerprint import nothing_written
from tests.api.people import enrol_person, open_shop

pytestmark = pytest.mark.django_db

ACCOUNTS = "/app/v1/accounts"


def log_in(person, challenge, signature, device_id=None):
    body = {
        "device_id": device_id or person.device_id,
        "challenge": challenge,
        "signature": signature,
    }
    return APIClient().post("/app/v1/sessions", body, format="json")


def with_token(token):
    return APIClient().get(ACCOUNTS, headers={"Authorization": f"Bearer {token}"})


def test_a_signed_challenge_begins_a_session():
    person = enrol_person()
    challenge = person.challenge()

    answer = log_in(person, challenge, person.sign(challenge))

    assert answer.status_code == 201
    assert answer.json()["customer"]["name"] == "ASHA RAO"
    assert answer.json()["customer"]["address"].endswith("@exbank")
    assert answer["Cache-Control"] == "no-store"
    assert with_token(answer.json()["token"]).status_code == 200


def test_a_challenge_is_used_once():
    person = enrol_person()
    challenge = person.challenge()
    signature = person.sign(challenge)
    log_in(person, challenge, signature)

    with nothing_written():
        answer = log_in(person, challenge, signature)

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


def test_a_challenge_is_for_one_device():
    person, other = enrol_person(), enrol_person("RAVI IYER")
    challenge = other.challenge()

    with nothing_written():
        answer = log_in(person, challenge, person.sign(challenge))

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


def test_another_key_begins_nothing():
    person, thief = enrol_person(), ec.generate_private_key(ec.SECP256R1())
    challenge = person.challenge()
    text = f"upi-session|{person.device_id}|{challenge}".encode()
    signature = base64.b64encode(thief.sign(text, ec.ECDSA(hashes.SHA256()))).decode()

    with nothing_written():
        answer = log_in(person, challenge, signature)

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


def test_whether_a_device_exists_is_not_told():
    unknown = "dev_" + "0" * 26

    known = APIClient().post(
        "/app/v1/sessions/challenges", {"device_id": enrol_person().device_id}, format="json"
    )
    answer = APIClient().post("/app/v1/sessions/challenges", {"device_id": unknown}, format="json")

    assert answer.status_code == known.status_code == 201
    assert answer.json().keys() == known.json().keys()


def test_a_new_session_ends_the_earlier_one():
    person = enrol_person()
    earlier = person.token

    person.log_in()

    assert with_token(earlier).status_code == 401
    assert with_token(person.token).status_code == 200


def test_logging_out_ends_the_session():
    person = enrol_person()

    answer = person.client.delete("/app/v1/sessions/current")

    assert answer.status_code == 204
    assert with_token(person.token).json()["code"] == "unauthenticated"


def test_an_unbound_device_is_refused_at_once_though_its_token_lives():
    """A34."""
    person = enrol_person()
    enrol.revoke_devices(person.device.customer_id, at=clock.now())

    with nothing_written():
        answer = with_token(person.token)

    assert (answer.status_code, answer.json()["code"]) == (403, "device_not_bound")


def test_an_unbound_device_begins_no_session():
    person = enrol_person()
    challenge = person.challenge()
    enrol.revoke_devices(person.device.customer_id, at=clock.now())

    with nothing_written():
        answer = log_in(person, challenge, person.sign(challenge))

    assert (answer.status_code, answer.json()["code"]) == (403, "device_not_bound")


def test_losing_redis_costs_a_log_in_and_nothing_else():
    """J08."""
    person = enrol_person()
    cache.clear()

    assert with_token(person.token).status_code == 401
    assert person.log_in().client.get(ACCOUNTS).status_code == 200


def test_redis_holds_no_token_that_could_be_used():
    person = enrol_person()

    keys = cache.client.get_client().keys("*session*")

    assert keys
    assert all(person.token.encode() not in key for key in keys)


@pytest.mark.parametrize(
    ("_case", "header"),
    [
        ("nothing",                   ""),
        ("no scheme",                 "{token}"),
        ("J10 one sign changed",      "Bearer {changed}"),
        ("J10 very long",             "Bearer " + "a" * 10_000),
        ("J10 two headers",           "Bearer {token}, Bearer {token}"),
        ("J01 a JWT without alg",     "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."),
        ("a newline at the end",      "Bearer {token}\n"),
        ("Basic",                     "Basic {token}"),
        ("J05 a merchant's key",      "Bearer {key}"),
    ],
)  # fmt: skip
def test_what_is_no_session_token_opens_nothing(_case, header):
    person, shop = enrol_person(), open_shop()
    changed = ("A" if person.token[0] != "A" else "B") + person.token[1:]
    value = header.format(token=person.token, changed=changed, key=shop.key)

    with nothing_written():
        answer = APIClient().get(ACCOUNTS, headers={"Authorization": value})

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Request-Id"] == answer.json()["request_id"]


@pytest.mark.parametrize(
    ("_case", "body", "code"),
    [
        ("no device",          {},                                              "invalid_member"),
        ("not a device id",    {"device_id": "dev_1"},                          "invalid_member"),
        ("another kind of id", {"device_id": "cus_" + "0" * 26},                "invalid_member"),
        ("a number",           {"device_id": 1},                                "invalid_member"),
        ("an extra member",    {"device_id": "dev_" + "0" * 26, "admin": True}, "unknown_member"),
    ],
)  # fmt: skip
def test_a_malformed_request_for_a_challenge_is_refused(_case, body, code):
    with nothing_written():
        answer = APIClient().post("/app/v1/sessions/challenges", body, format="json")

    assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize("method", ["put", "patch", "trace", "delete"])
def test_other_methods_are_refused(method):
    """A39."""
    answer = getattr(enrol_person().client, method)(ACCOUNTS)

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
