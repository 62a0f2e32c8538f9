"""The world that is made up for a demonstration: whole, repeatable, and without PINs."""

import base64
import io
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.core.management import call_command
from django_otp import devices_for_user
from rest_framework.test import APIClient

from apps.accounts.models import BankAccount, PinState
from apps.customers.models import Device
from apps.merchants.seed_files import new_key
from apps.operators.models import Operator
from tests.api.fingerprint import nothing_written


@pytest.fixture
def phones(tmp_path):
    return tmp_path / "phones"


def seed(phones, **options):
    call_command("seed_demo", phones=phones, stdout=io.StringIO(), **options)


@pytest.mark.django_db
def test_a_made_up_customer_can_log_in_with_the_phone_on_file(phones):
    seed(phones)
    facts = json.loads((phones / "asha.json").read_text())
    key = load_pem_private_key((phones / facts["key_file"]).read_bytes(), None)
    client = APIClient()
    device = {"device_id": facts["device_id"]}
    challenge = client.post("/app/v1/sessions/challenges", device, format="json").json()
    text = f"upi-session|{facts['device_id']}|{challenge['challenge']}".encode()
    signature = base64.b64encode(key.sign(text, ec.ECDSA(hashes.SHA256()))).decode()
    body = {**device, "challenge": challenge["challenge"], "signature": signature}

    session = client.post("/app/v1/sessions", body, format="json").json()

    client.credentials(HTTP_AUTHORIZATION=f"Bearer {session['token']}")
    (account,) = client.get("/app/v1/accounts").json()["data"]
    (vpa,) = client.get("/app/v1/vpas").json()["data"]
    assert (account["id"], vpa["address"]) == (facts["account_id"], "asha@exbank")
    assert session["customer"]["address"] == facts["address"]


@pytest.mark.django_db
def test_seeding_again_changes_nothing(phones):
    seed(phones, customers=3)
    files = {path.name: path.read_bytes() for path in phones.iterdir()}

    with nothing_written():
        seed(phones, customers=3)

    assert {path.name: path.read_bytes() for path in phones.iterdir()} == files


@pytest.mark.django_db
def test_nobody_has_a_pin_and_the_books_balance(phones):
    seed(phones, customers=3)

    assert not PinState.objects.exclude(verifier=None).exists()
    assert BankAccount.objects.count() == 4 + 1 + 3


@pytest.mark.django_db
def test_a_phone_that_left_its_key_is_bound_by_it(phones):
    phones.mkdir()
    _, public = new_key()
    (phones / "ravi.public.pem").write_text(public)

    seed(phones)

    facts = json.loads((phones / "ravi.json").read_text())
    device = Device.objects.get(identifier=facts["device_identifier"])
    assert device.public_key_pem == public
    assert not (phones / "ravi.key.pem").exists()


@pytest.mark.django_db
def test_secrets_on_file_are_the_owners_alone(phones):
    seed(phones, customers=1)

    assert {path.stat().st_mode & 0o077 for path in phones.iterdir()} == {0}


@pytest.mark.django_db
def test_the_shop_can_use_its_key_and_staff_have_a_second_factor(phones):
    seed(phones)
    shop = json.loads((phones / "merchant.json").read_text())
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {shop['api_key']}")

    assert client.get("/v1/orders").status_code == 200
    assert client.get("/v1/webhook_endpoints").json()["data"][0]["url"] == shop["webhook_url"]
    for login in json.loads((phones / "staff.json").read_text()):
        operator = Operator.objects.get(email=login["email"])
        assert operator.check_password(login["password"])
        assert any(device.confirmed for device in devices_for_user(operator))


@pytest.mark.django_db
def test_a_crowd_grows_and_each_of_it_is_whole(phones):
    seed(phones, customers=2)
    seed(phones, customers=5)

    crowd = [json.loads(line) for line in (phones / "load.jsonl").read_text().splitlines()]
    assert len({person["device_id"] for person in crowd}) == 5
    assert {person["vpa"] for person in crowd} == {f"load{n}@exbank" for n in range(1, 6)}
    assert Device.objects.filter(state="BOUND").count() == 4 + 5
