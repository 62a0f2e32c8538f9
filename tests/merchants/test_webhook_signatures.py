"""W10, W11: what a merchant's verifier refuses, and what it takes while a secret is rotated."""

import datetime as dt
import uuid

import pytest

from apps.common import clock, ids
from apps.merchants import webhook_signature
from apps.merchants.services.endpoints import register_endpoint, rotate_secret, secrets_of
from tests.api.people import open_shop

pytestmark = pytest.mark.django_db

EVENT = ids.public_id("evt", uuid.UUID(int=1))
BODY = b'{"object":"event"}'


def endpoint_at(shop, url):
    endpoint, _ = register_endpoint(url, merchant_id=shop.merchant.pk, is_live=True, at=clock.now())
    return endpoint


@pytest.fixture
def endpoint():
    return endpoint_at(open_shop(), "http://127.0.0.1:1/hook")


def test_both_secrets_sign_while_one_is_rotated_and_the_old_one_ends(endpoint):
    now = clock.now()
    old = secrets_of(endpoint, at=now)
    new = [rotate_secret(endpoint, at=now)]

    during = webhook_signature.headers(EVENT, BODY, secrets_of(endpoint, at=now), at=now)
    later = now + dt.timedelta(hours=25)
    after = webhook_signature.headers(EVENT, BODY, secrets_of(endpoint, at=later), at=later)

    assert webhook_signature.is_genuine(during, BODY, old, at=now)
    assert webhook_signature.is_genuine(during, BODY, new, at=now)
    assert not webhook_signature.is_genuine(after, BODY, old, at=later)
    assert webhook_signature.is_genuine(after, BODY, new, at=later)


@pytest.mark.parametrize(
    ("_case", "changes", "body", "minutes"),
    [
        ("another body",        {},                                    b"{}", 0),
        ("ten minutes old",     {},                                    None,  10),
        ("from the future",     {},                                    None,  -10),
        ("another id",          {"webhook-id": "evt_" + "1" * 26},     None,  0),
        ("a dot in the id",     {"webhook-id": "evt_1.1"},             None,  0),
        ("a newline in the id", {"webhook-id": "evt_" + "0" * 26 + "\n"}, None, 0),
        ("another time",        {"webhook-timestamp": "1"},            None,  0),
        ("no time",             {"webhook-timestamp": ""},             None,  0),
        ("no signature",        {"webhook-signature": ""},             None,  0),
        ("another version",     {"webhook-signature": "v2,AAAA"},      None,  0),
    ],
)  # fmt: skip
def test_what_we_did_not_sign_just_now_is_not_genuine(endpoint, _case, changes, body, minutes):
    now = clock.now()
    secrets = secrets_of(endpoint, at=now)
    signed = webhook_signature.headers(EVENT, BODY, secrets, at=now)

    assert webhook_signature.is_genuine(signed, BODY, secrets, at=now)
    assert not webhook_signature.is_genuine(
        {**signed, **changes},
        BODY if body is None else body,
        secrets,
        at=now + dt.timedelta(minutes=minutes),
    )


def test_secrets_of_two_endpoints_differ(endpoint):
    other = endpoint_at(open_shop(), "http://127.0.0.1:1/hook")
    now = clock.now()

    (one,), (two,) = secrets_of(endpoint, at=now), secrets_of(other, at=now)

    assert one.reveal() != two.reveal()
