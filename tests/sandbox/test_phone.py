"""The phone: it logs in with its key, keeps the PIN from the app, and waits for ends."""

import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from sandbox import library, world
from sandbox.credentials import DeviceBinding
from sandbox.phone import Handset, Phone, RefusedError
from tests.sandbox.app_api import ADDRESS, TOKEN, AppApi

DEVICE_KEY = ec.generate_private_key(ec.SECP256R1())
SWITCH_KEY = rsa.generate_private_key(65537, 2048)
FACTS = {
    "device_id": "dev_1",
    "device_identifier": "d1e2f3",
    "app_id": "com.example",
    "mobile": "919800000001",
}


def pem() -> str:
    return DEVICE_KEY.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


@pytest.fixture
def api():
    api = AppApi(DEVICE_KEY.public_key(), SWITCH_KEY)
    api.url = api.start()
    yield api
    api.stop()


@pytest.fixture
def phone(api):
    handset = Handset.from_document(FACTS | {"private_key_pem": pem()})
    phone = Phone(handset, api_url=api.url, switch_key=SWITCH_KEY.public_key())
    phone.login()
    api.calls.clear()
    yield phone
    phone.close()


def bound(transaction_id: str, **changes) -> DeviceBinding:
    facts = {"amount": "", "payer": ADDRESS, "payee": ""} | changes
    device = {"mobile": "919800000001", "device_id": "d1e2f3", "app_id": "com.example"}
    return DeviceBinding(transaction_id=transaction_id, **facts, **device)


def test_a_handset_is_read_from_the_files_of_the_seed(tmp_path):
    (tmp_path / "asha.key.pem").write_text(pem())
    (tmp_path / "asha.json").write_text(json.dumps(FACTS | {"key_file": "asha.key.pem"}))

    handset = Handset.from_file(tmp_path / "asha.json")

    assert (handset.device_id, handset.identifier) == ("dev_1", "d1e2f3")
    assert "PRIVATE" not in repr(handset)


def test_a_login_signs_the_challenge_and_learns_the_own_address(phone):
    assert phone.address == ADDRESS


def test_a_payment_binds_the_pin_to_what_is_shown(api, phone):
    accepted = phone.pay(
        account_id="acc_1",
        payer="asha@exbank",
        payee="ravi@smplbank",
        amount_paise=14950,
        pin="4826",
        note="lunch",
        idempotency_key="k1",
    )

    (_, path, body, headers) = api.calls[-1]
    opened = api.opened(body.pop("pin_block"))
    assert path == "/app/v1/payments"
    assert headers["Idempotency-Key"] == "k1"
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert body == {
        "txn_id": accepted["txn_id"],
        "account": "acc_1",
        "payer_vpa": "asha@exbank",
        "payee_vpa": "ravi@smplbank",
        "amount": 14950,
        "currency": "INR",
        "note": "lunch",
    }
    assert len(accepted["txn_id"]) == 35
    assert accepted["txn_id"].startswith("EXB")
    assert (opened.secret, opened.sub_type) == ("4826", "MPIN")
    assert opened.binding == bound(
        accepted["txn_id"], amount="149.50", payer="asha@exbank", payee="ravi@smplbank"
    )


def test_each_payment_has_its_own_key_unless_one_is_given(api, phone):
    order = {"account_id": "acc_1", "payer": "a@exbank", "payee": "b@exbank"}
    for _ in range(2):
        phone.pay(**order, amount_paise=1, pin="4826")

    keys = {headers["Idempotency-Key"] for _, _, _, headers in api.calls}
    assert len(keys) == 2
    assert len({body["txn_id"] for _, _, body, _ in api.calls}) == 2


def test_a_payment_is_waited_for_by_long_polls(api, phone):
    assert phone.wait_payment("EXB1", seconds=20)["status"] == "succeeded"

    paths = [path.partition("?")[0] for _, path, _, _ in api.calls]
    assert paths == ["/live/v1/payments/EXB1"] * 3


def test_a_pin_is_set_with_an_otp_each_in_a_block_of_its_own(api, phone):
    card = {"card_digits": "123456", "card_expiry": "1229"}
    phone.request_otp("acc_1", **card)

    phone.set_pin("acc_1", otp="654321", pin="4826", **card)

    posts = {path: body for method, path, body, _ in api.calls if method == "POST"}
    asked = posts["/app/v1/accounts/acc_1/otp-requests"]
    assert asked == card | {"txn_id": asked["txn_id"]}
    body = posts["/app/v1/accounts/acc_1/pin-registrations"]
    otp, pin = api.opened(body["otp_block"]), api.opened(body["pin_block"])
    assert (otp.secret, otp.sub_type, pin.secret, pin.sub_type) == ("654321", "SMS", "4826", "MPIN")
    assert otp.binding == pin.binding == bound(body["txn_id"])


def test_a_pin_is_changed_and_a_balance_asked_for_with_it(api, phone):
    phone.change_pin("acc_1", present="4826", new="1357")
    phone.balance("acc_1", pin="1357")

    posts = {path: body for method, path, body, _ in api.calls if method == "POST"}
    change = posts["/app/v1/accounts/acc_1/pin-changes"]
    assert api.opened(change["current_pin_block"]).secret == "4826"
    assert api.opened(change["new_pin_block"]).secret == "1357"
    balance = posts["/app/v1/balance-enquiries"]
    assert balance["account"] == "acc_1"
    assert api.opened(balance["pin_block"]).binding == bound(balance["txn_id"])


def test_a_refusal_of_the_api_is_raised_with_its_code(api, phone):
    api.refusal = (422, {"code": "limit_exceeded", "title": "Limit exceeded"})

    with pytest.raises(RefusedError) as refused:
        phone.pay(account_id="acc_1", payer="a@exbank", payee="b@exbank", amount_paise=1, pin="1")

    assert (refused.value.status, refused.value.code) == (422, "limit_exceeded")


def test_what_was_scanned_is_paid_as_the_link_says(api, phone):
    link = {"payee_vpa": "shop@exbank", "ref_id": "INV-1", "initiation_mode": "05", "amount": 500}

    phone.scan("upi://pay?pa=shop@exbank&pn=Shop", source="image")
    phone.pay_scanned({"payment": link}, account_id="acc_1", payer="asha@exbank", pin="274913")

    asked, paid = [(path, body) for _, path, body, _ in api.calls]
    assert asked == (
        "/app/v1/intents/resolve",
        {"text": "upi://pay?pa=shop@exbank&pn=Shop", "source": "image"},
    )
    assert paid[1] == {**paid[1], **link, "payer_vpa": "asha@exbank", "currency": "INR"}
    assert paid[1]["pin_block"]["data"].startswith("2.0|")


def test_an_open_amount_is_the_payers(api, phone):
    shown = {"payment": {"payee_vpa": "shop@exbank"}}

    phone.pay_scanned(
        shown, account_id="acc_1", payer="asha@exbank", pin="274913", amount_paise=700
    )

    assert api.calls[0][2]["amount"] == 700


def test_the_library_is_registered_by_a_challenge_that_only_the_switch_can_read(api, phone):
    answer = phone.register_library("rotate")

    assert answer["status"] == "succeeded"
    _, path, body, _ = api.calls[0]
    assert (path, body["kind"], body["challenge"]["ki"]) == (
        "/app/v1/device-tokens",
        "rotate",
        world.SWITCH_KEY_INDEX,
    )
    challenge = body["challenge"]["data"]
    assert library.is_challenge_of("d1e2f3", challenge, SWITCH_KEY)
    assert not library.is_challenge_of("d1e2f4", challenge, SWITCH_KEY)
