"""The audit of a token's keys before a process works with any of them."""

import json

import pytest
from django.test import RequestFactory
from pkcs11 import Attribute, MechanismFlag
from structlog.testing import capture_logs

from hsm import audit, ceremony, mac, pin, signing
from hsm.errors import TokenUnfitError
from hsm.pin import PinVerdict
from hsm.sessions import pool
from tests.hsm.conftest import start_anew
from tests.hsm.test_ceremony import plant_pair, plant_secret, write
from tests.hsm.test_pin import HERE, ask, block_for
from tests.hsm.test_sessions import until_it_works
from upi_platform import health

KEY = "xml-signing-1"


def destroy(label):
    write(
        lambda session: [
            found.destroy() for found in list(session.get_objects({Attribute.LABEL: label}))
        ]
    )


def test_a_process_that_starts_beside_a_wrong_key_serves_nothing_until_it_is_gone(token):
    plant_secret(EXTRACTABLE=True)
    start_anew()

    with capture_logs() as logs:
        for call in (lambda: signing.sign(KEY, b"x"), lambda: mac.mac("mac-1", b"x")):
            with pytest.raises(TokenUnfitError, match="pin-verification-2: EXTRACTABLE is True"):
                call()
    assert [one["event"] for one in logs if one["log_level"] == "error"] == ["hsm_keys_unfit"]
    assert ceremony.check_keys()

    destroy("pin-verification-2")
    until_it_works(lambda: signing.sign(KEY, b"x"))


@pytest.mark.parametrize(
    ("_case", "plant"),
    [
        ("a key that is not ours", lambda: plant_secret("stranger-1")),
        ("an issuer key that signs", lambda: plant_pair(flags=MechanismFlag.SIGN)),
        ("a short key", lambda: plant_secret(bits=128)),
    ],
)
def test_nothing_is_verified_or_signed_beside_a_wrong_key(token, _case, plant):
    block = block_for()
    verifier = pin.make_verifier(block, **HERE)
    plant()
    start_anew()

    with pytest.raises(TokenUnfitError):
        signing.sign(KEY, b"x")
    assert pin.verify_many([ask(block, verifier)]) == [PinVerdict.UNAVAILABLE]


def test_a_token_that_comes_back_with_a_wrong_key_is_judged_again(token):
    signing.sign(KEY, b"x")
    plant_secret(EXTRACTABLE=True)
    assert signing.sign(KEY, b"x")
    pool._end_login()

    with pytest.raises(TokenUnfitError):
        signing.sign(KEY, b"x")


def test_a_login_that_ends_while_it_is_judged_leaves_no_verdict_to_the_next(token, monkeypatch):
    start_anew()
    judge = audit.key_faults

    def ends(keys):
        pool._end_login()
        return judge(keys)

    with monkeypatch.context() as patched:
        patched.setattr(audit, "key_faults", ends)
        assert signing.sign(KEY, b"x")
    plant_secret(EXTRACTABLE=True)

    with pytest.raises(TokenUnfitError):
        signing.sign(KEY, b"x")


@pytest.mark.parametrize(
    ("_case", "plant", "said"),
    [
        ("all keys fit", lambda: None, "ok"),
        ("one is wrong", lambda: plant_secret(EXTRACTABLE=True), "unfit"),
    ],
)
def test_readiness_says_how_the_keys_are(token, db, _case, plant, said):
    plant()
    start_anew()

    answer = health.ready(RequestFactory().get("/readyz"))

    assert json.loads(answer.content)["checks"]["hsm"] == said
    assert said == "ok" or answer.status_code == 503


def test_the_key_of_a_host_is_needed_where_a_host_keeps_the_money(token, db, settings):
    assert ceremony.check_keys() == []
    settings.HSM_HOST_MAC_IS_NEEDED = True
    start_anew()

    answer = health.ready(RequestFactory().get("/readyz"))

    assert json.loads(answer.content)["checks"]["hsm"] == "missing: host-mac-1"
    assert ceremony.check_keys() == ["host-mac-1: missing"]


def test_readiness_says_which_key_is_missing(token, db, settings):
    settings.HSM_PIN_KEY = "pin-verification-9"
    start_anew()

    answer = health.ready(RequestFactory().get("/readyz"))

    assert json.loads(answer.content)["checks"]["hsm"] == "missing: pin-verification-9"
    assert answer.status_code == 503
