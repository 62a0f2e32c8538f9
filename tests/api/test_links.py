"""Links and QR codes over the APIs: made by merchants, read by payers' apps, paid once."""

import base64
import datetime as dt
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from apps.common import clock
from apps.merchants import signers
from apps.merchants.contracts import Scope, Verdict
from apps.merchants.models import Merchant, Order
from apps.upi.links import uri
from apps.upi.models import VerifiedMerchant
from tests.api.fingerprint import nothing_written
from tests.api.links import (
    APP_RESOLVE,
    CODES,
    INTENTS,
    RESOLVE,
    STATIC,
    codes_in,
    link_of,
    make_code,
    pay,
    post,
    resolve,
)
from tests.api.people import enrol_person, open_shop
from tests.api.test_orders import refused

pytestmark = pytest.mark.django_db


def test_an_orders_link_is_signed_and_says_what_to_pay():
    shop = open_shop()
    order = shop.order(reference="INV-1", note="two books").json()

    with nothing_written():
        answer = post(shop, INTENTS, {"order": order["id"]})

    document = answer.json()
    asked = {name: values[0] for name, values in parse_qs(urlsplit(document["uri"]).query).items()}
    assert answer.status_code == 200
    assert {**asked, "sign": "", "QRexpire": ""} == {
        "ver": "01", "mode": "05", "orgid": "900001", "pa": shop.address, "pn": "Nila Books",
        "mc": "5942", "tr": "INV-1", "tn": "two books", "am": "499.00", "cu": "INR",
        "mid": asked["mid"], "msid": "STORE01", "mtid": "TID00001", "QRexpire": "", "sign": "",
    }  # fmt: skip
    assert document["uri"].rpartition("&")[2].startswith("sign=")
    assert document["expires_at"][:19] == order["expires_at"][:19]
    assert ET.fromstring(document["qr_svg"]).tag.endswith("svg")


def test_a_payers_app_is_shown_an_orders_link_and_what_to_pay():
    shop, person = open_shop(), enrol_person()
    link = link_of(shop, reference="INV-1", note="two books")

    answer = resolve(person, link, APP_RESOLVE)

    document = answer.json()
    assert answer.status_code == 200
    assert resolve(shop, link).json() == document
    assert document.pop("expires_at").endswith("+05:30")
    assert document == {
        "object": "intent",
        "format": "upi",
        "action": "pay",
        "is_payable": True,
        "payee": {
            "vpa": shop.address,
            "name": "Nila Books",
            "is_name_verified": True,
            "claimed_name": "Nila Books",
            "kind": "merchant",
            "mcc": "5942",
        },
        "amount": 49900,
        "amount_min": 49900,
        "amount_max": 49900,
        "is_amount_editable": False,
        "currency": "INR",
        "reference": "INV-1",
        "note": "two books",
        "url": None,
        "initiation_mode": "05",
        "purpose": "00",
        "signature": {"status": "verified", "orgid": "900001"},
        "mandate": None,
        "refusals": [],
        "warnings": [],
        "payment": {
            "payee_vpa": shop.address,
            "payee_name": "Nila Books",
            "amount": 49900,
            "currency": "INR",
            "note": "two books",
            "ref_id": "INV-1",
            "initiation_mode": "05",
            "purpose": "00",
            "link": link,
            "link_source": "camera",
        },
    }


@pytest.mark.parametrize("form", ["upi", "bharatqr"])
def test_an_orders_code_is_paid_once(form):
    """Q10."""
    shop, person = open_shop(), enrol_person()
    order_id = shop.order().json()["id"]
    city = {"city": "Mumbai"} if form == "bharatqr" else {}
    code = make_code(shop, kind="dynamic", format=form, order=order_id, **city).json()
    shown = resolve(person, code["payload"], APP_RESOLVE).json()
    assert shown["is_payable"]
    assert (shown["payment"]["ref_id"], shown["payment"]["amount"]) == (shown["reference"], 49900)

    first = pay(shop, order_id)
    second = pay(shop, order_id)

    assert (first, second) == (Verdict.PAID, Verdict.DUPLICATE)
    assert refused(resolve(person, code["payload"], APP_RESOLVE)) == (409, "already_paid")
    assert refused(post(shop, INTENTS, {"order": order_id})) == (409, "already_paid")
    again = make_code(shop, key="k-2", kind="dynamic", order=order_id)
    assert refused(again) == (409, "already_paid")


def test_a_link_that_has_ended_is_refused():
    """Q10."""
    shop, person = open_shop(), enrol_person()
    order_id = shop.order().json()["id"]
    link = post(shop, INTENTS, {"order": order_id}).json()["uri"]
    Order.objects.update(expires_at=clock.now() - dt.timedelta(seconds=5))

    assert refused(resolve(person, link, APP_RESOLVE)) == (410, "link_expired")
    assert refused(post(shop, INTENTS, {"order": order_id})) == (410, "link_expired")
    foreign = "upi://pay?pa=a@elsewhere&pn=X&QRexpire=2026-01-01T00:00:00Z"
    assert refused(resolve(person, foreign, APP_RESOLVE)) == (410, "link_expired")


@pytest.mark.parametrize(
    ("before", "after"),
    [("am=499.00", "am=1.00"), ("tr=INV-1", "tr=INV-2"), ("mode=05", "mode=01"), ("&cu=INR", "")],
)
def test_a_changed_link_pays_nothing(before, after):
    """Q02, Q03, Q12: also not another open order of the same shop."""
    shop, person = open_shop(), enrol_person()
    shop.order(reference="INV-2")
    link = link_of(shop, reference="INV-1")
    assert before in link

    document = resolve(person, link.replace(before, after), APP_RESOLVE).json()

    assert document["signature"]["status"] == "bad"
    assert codes_in(document["refusals"]) == ["bad_signature"]
    assert document["payment"] is None


def test_our_signature_over_another_banks_address_proves_nothing():
    """Q04."""
    link = link_of(open_shop(), reference="INV-1")
    shop = uri.read(link).intent.payee

    document = resolve(enrol_person(), link.replace(str(shop), "x@elsewhere"), APP_RESOLVE).json()

    assert document["signature"]["status"] == "bad"


def test_a_link_of_a_stranger_is_not_believed():
    link = link_of(open_shop(), reference="INV-1").replace("orgid=900001", "orgid=900009")

    document = resolve(enrol_person(), link, APP_RESOLVE).json()

    assert document["signature"] == {"status": "unknown_signer", "orgid": "900009"}
    assert codes_in(document["refusals"]) == ["signer_unknown"]


def test_a_link_without_its_signature_pays_nothing():
    """Q05."""
    link = link_of(open_shop()).partition("&sign=")[0]

    document = resolve(enrol_person(), link, APP_RESOLVE).json()

    assert document["signature"]["status"] == "unsigned"
    assert codes_in(document["refusals"]) == ["signature_missing"]
    assert codes_in(document["warnings"]) == ["unsigned"]


def test_a_link_of_another_bank_is_shown_with_what_it_claims():
    text = "upi://pay?pa=Store@SmplBank&pn=Some%20Store&mc=5411&am=20.00&mam=5&tn=a%2Bb!&url=http://a.b"

    document = resolve(enrol_person(), text, APP_RESOLVE).json()

    assert document["payee"]["vpa"] == "store@smplbank"
    assert document["payee"]["is_name_verified"] is False
    assert (document["amount_min"], document["amount_max"]) == (500, 2000)
    assert document["is_amount_editable"] is True
    assert codes_in(document["warnings"]) == ["unsigned", "name_unverified", "url_not_secure"]
    assert document["payment"] == {
        "payee_vpa": "store@smplbank",
        "payee_name": "Some Store",
        "currency": "INR",
        "note": "a b",
        "ref_url": "http://a.b",
        "initiation_mode": "00",
        "purpose": "00",
        "link": text,
        "link_source": "camera",
    }


def base64_der(key):
    return base64.b64encode(
        key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).decode()


def test_a_verified_merchants_own_signature_is_believed_for_its_address():
    """Q04: the key of one merchant proves nothing for another."""
    own, others = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    listed = {"store@smplbank": own, "other@smplbank": others}
    for address, key in listed.items():
        values = ["not base64", base64_der(ed25519.Ed25519PrivateKey.generate()), base64_der(key)]
        VerifiedMerchant.objects.create(
            address=address, name="SOME STORE", keys=[{"value": value} for value in values]
        )
    text = "upi://pay?mode=05&orgid=000000&pa=store@smplbank&pn=Some%20Store&mc=5411&tr=A1&am=20.00"

    def shown(key, text=text):
        signature = key.sign(text.encode(), ec.ECDSA(hashes.SHA256()))
        return resolve(person, uri.with_signature(text, signature), APP_RESOLVE).json()

    person = enrol_person()
    good, bad = shown(own), shown(others)
    unlisted = shown(own, text.replace("store@", "stall@"))

    assert (good["signature"]["status"], good["warnings"], good["is_payable"]) == (
        "verified",
        [],
        True,
    )
    assert good["payee"]["name"] == "SOME STORE"
    assert codes_in(bad["refusals"]) == ["bad_signature"]
    assert codes_in(unlisted["refusals"]) == ["signer_unknown"]


def test_persons_are_paid_by_code_but_not_by_link_and_not_much_by_an_image():
    asha, ravi = enrol_person(), enrol_person("RAVI IYER")
    body = {"address": "ravi.links@exbank", "account": ravi.account_id}
    assert post(ravi, "/app/v1/vpas", body).status_code == 201
    link = "upi://pay?pa=ravi.links@exbank&pn=Ravi%20Iyer&am=2500.00"

    by_code = resolve(asha, link, APP_RESOLVE).json()
    by_link = resolve(asha, link + "&mode=04", APP_RESOLVE).json()
    by_image = resolve(asha, link, APP_RESOLVE, source="image").json()

    assert by_code["payee"]["name"] == "RAVI IYER"
    assert by_code["is_payable"]
    assert codes_in(by_link["refusals"]) == ["person_by_intent"]
    assert codes_in(by_image["refusals"]) == ["shared_qr_limit"]


def test_nobody_at_an_address_and_a_suspended_shop_are_refused():
    shop, person = open_shop(), enrol_person()
    link = link_of(shop)
    Merchant.objects.update(state="SUSPENDED")

    suspended = resolve(person, link, APP_RESOLVE).json()
    nobody = resolve(person, "upi://pay?pa=nobody.at.all@exbank&pn=X", APP_RESOLVE).json()

    assert codes_in(suspended["refusals"]) == ["payee_suspended"]
    assert codes_in(nobody["refusals"]) == ["payee_unknown"]


def test_how_an_order_stands_is_not_told_to_who_guesses_references():
    shop, person = open_shop(), enrol_person()
    order_id = shop.order(reference="INV-1").json()["id"]
    pay(shop, order_id)
    guess = f"upi://pay?pa={shop.address}&pn=X&tr=INV-1"

    assert resolve(person, guess, APP_RESOLVE).status_code == 200
    assert resolve(person, guess + "&am=1.00", APP_RESOLVE).status_code == 200
    assert refused(resolve(person, guess + "&am=499.00", APP_RESOLVE)) == (409, "already_paid")


@pytest.mark.parametrize(
    ("_case", "body", "refusal"),
    [
        ("nothing", {}, (400, "invalid_member")),
        ("a number", {"text": 1}, (400, "invalid_member")),
        ("of nowhere", {"text": "x", "source": "fax"}, (400, "invalid_member")),
        ("a list as source", {"text": "x", "source": ["camera"]}, (400, "invalid_member")),
        ("more", {"text": "x", "pin": "1"}, (400, "unknown_member")),
        ("no link", {"text": "hello"}, (400, "link_malformed")),
        ("no EMV code", {"text": "000201hello"}, (400, "emv_malformed")),
        ("Q01", {"text": "upi://pay?pa=a@b&am=100&am=1"}, (400, "duplicate_parameter")),
        ("Q07", {"text": "upi://pay?pa=a@bank&pn=X&cu=USD"}, (400, "link_currency")),
        (
            "Q08",
            {"text": "upi://pay?pa=a@bank&pn=X&tn=" + "x" * 1900},
            (400, "link_parameter_invalid"),
        ),
        (
            "Q08 10 KB",
            {"text": "upi://pay?pa=a@bank&pn=X&tn=" + "x" * 10240},
            (400, "link_malformed"),
        ),
        ("Q09", {"text": "upi://pay?pa=a%2540bank&pn=X"}, (400, "link_parameter_invalid")),
    ],
)
def test_what_is_no_link_is_refused_at_both_doors(_case, body, refusal):
    shop, person = open_shop(), enrol_person()

    with nothing_written():
        answers = [post(shop, RESOLVE, body), post(person, APP_RESOLVE, body)]

    assert [refused(answer) for answer in answers] == [refusal] * 2


def test_a_test_key_makes_nothing_that_can_be_paid():
    shop = open_shop(is_live=False)
    order_id = shop.order().json()["id"]

    with nothing_written():
        answers = [post(shop, INTENTS, {"order": order_id}), make_code(shop, **STATIC)]

    assert [refused(answer) for answer in answers] == [(403, "live_key_required")] * 2
    assert shop.client.get(CODES).json()["data"] == []


def test_anothers_order_has_no_link():
    theirs = open_shop().order().json()["id"]
    shop = open_shop()

    for order_id in (theirs, "ord_1", "x"):
        assert refused(post(shop, INTENTS, {"order": order_id})) == (404, "not_found")
    assert refused(post(shop, INTENTS, {"order": 1})) == (400, "invalid_member")
    assert refused(post(shop, INTENTS, {"orders": "ord_1"})) == (400, "unknown_member")


def test_a_key_does_what_its_scopes_say():
    reader, writer = open_shop(scopes=[Scope.ORDERS_READ]), open_shop(scopes=[Scope.ORDERS_WRITE])

    assert refused(post(reader, INTENTS, {"order": "x"})) == (403, "scope_missing")
    assert refused(make_code(reader, **STATIC)) == (403, "scope_missing")
    assert refused(resolve(writer, "x")) == (403, "scope_missing")


def test_a_name_that_could_deceive_is_not_signed():
    """M13."""
    shop = open_shop()
    Merchant.objects.update(name="Nila\u202eskooB")

    assert uri.read(link_of(shop)).intent.payee_name == "Nila Books"
    type(shop.merchant.vpa).objects.update(verified_name="Nila\u202eskooB")
    assert uri.read(link_of(shop)).intent.payee_name == shop.address.partition("@")[0]


def test_both_keys_of_ours_are_good_and_no_other(settings):
    """A key that was rotated out still proves what it signed."""
    link = link_of(open_shop())
    address = uri.read(link).intent.payee
    signers._our_key.cache_clear()

    found = signers.keys_for("900001", address, at=clock.now()).present

    assert len(found) == 2
    assert isinstance(found[0], ec.EllipticCurvePublicKey)
    settings.HSM_URI_KEYS = ("uri-rsa-1", "uri-ec-1")
    by_rsa = link_of(open_shop())
    assert resolve(enrol_person(), by_rsa, APP_RESOLVE).json()["signature"]["status"] == "verified"
    assert len(by_rsa) > len(link)
