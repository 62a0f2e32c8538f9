"""PIN verification inside a real token."""

import base64
import dataclasses
import os
import threading

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st
from pkcs11 import Attribute

from hsm import ceremony, pin, signing
from hsm.configuration import configuration
from hsm.errors import (
    HsmUnavailableError,
    KeyUnfitError,
    PinBlockMalformedError,
    PinBlockRefusedError,
)
from hsm.pin import PinBinding, PinVerdict, Verifier
from hsm.pin_block import PinBlock, secret_of
from hsm.sessions import pool
from sandbox import credentials as sandbox_credentials
from tests.hsm import credentials

BINDING = PinBinding("ReqPay", "DEBIT", "EXB" + "a" * 32, "149.50", "asha@exbank", "ravi@smplbank")
CONTENT = f"ReqPay|DEBIT|EXB{'a' * 32}|149.50|asha@exbank|ravi@smplbank"
OWNER = {"bank_code": "EXB", "account": "50100012345678"}
WHERE = {"key_index": "20261101", "binding": BINDING}
HERE = {**WHERE, **OWNER}


def parts_for(digits="428761", *, content=CONTENT, key="issuer-20261101", **changes):
    return credentials.parts(signing.public_pem(key), digits, content, **{**OWNER, **changes})


def block_for(digits="428761", **changes):
    return credentials.text(parts_for(digits, **changes))


def ask(block, verifier, **changes):
    return pin.PinAsk(**{"block": block, **HERE, "verifier": verifier, **changes})


def session_objects():
    return pool.run(lambda session: len(list(session.raw.get_objects({Attribute.TOKEN: False}))))


@pytest.fixture
def verifier(token):
    return pin.make_verifier(block_for(), **HERE)


def test_the_right_pin_is_right_in_every_block_made_with_it(verifier):
    assert [pin.verify(block_for(), verifier=verifier, **HERE) for _ in range(3)] == [True] * 3


@pytest.mark.parametrize("digits", ["428760", "4287", "42876", "4287610", "000000"])
def test_another_pin_is_wrong(verifier, digits):
    assert pin.verify(block_for(digits), verifier=verifier, **HERE) is False


@pytest.mark.parametrize("digits", ["1234", "123456", "123456789012"])
def test_pins_of_every_length_are_verified(token, digits):
    verifier = pin.make_verifier(block_for(digits), **HERE)

    assert pin.verify(block_for(digits), verifier=verifier, **HERE) is True


@pytest.mark.parametrize(
    ("_case", "changes"),
    [
        ("the last digit but one of the account differs", {"account": "50100012345668"}),
        ("only the check digit differs", {"account": "50100012345679"}),
        ("only a digit that the PIN block does not hold differs", {"account": "60100012345678"}),
        ("the same account number at another bank", {"bank_code": "SMP"}),
    ],
)
def test_a_block_made_for_another_account_is_wrong(verifier, _case, changes):
    assert pin.verify(block_for(**changes), verifier=verifier, **HERE) is False


def test_a_verifier_is_worth_nothing_beside_another_account(verifier):
    elsewhere = {**HERE, "account": "50100012345679"}

    assert pin.verify(block_for(), verifier=verifier, **elsewhere) is False


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(PinBinding)])
def test_a_block_bound_to_other_content_is_refused(verifier, field):
    other = dataclasses.replace(BINDING, **{field: "x" + getattr(BINDING, field)})

    with pytest.raises(PinBlockRefusedError):
        pin.verify(block_for(), verifier=verifier, **{**HERE, "binding": other})


def test_a_separator_cannot_be_moved_between_fields(verifier):
    content = CONTENT.replace("149.50|asha", "149.50|x|asha")
    moved = dataclasses.replace(BINDING, amount="149.50|x")

    with pytest.raises(PinBlockRefusedError):
        pin.verify(block_for(content=content), verifier=verifier, **{**HERE, "binding": moved})


def test_a_balance_block_is_bound_to_empty_amount_and_payee(token):
    binding = PinBinding("ReqBalEnq", "BalEnq", "EXB" + "b" * 32, "", "asha@exbank", "")
    content = f"ReqBalEnq|BalEnq|EXB{'b' * 32}||asha@exbank|"
    where = {**HERE, "binding": binding}

    verifier = pin.make_verifier(block_for(content=content), **where)

    assert pin.verify(block_for(content=content), verifier=verifier, **where) is True


def test_one_byte_changed_anywhere_is_never_about_the_pin(verifier):
    content = base64.b64decode(block_for())
    changed = [
        base64.b64encode(content[:i] + bytes([content[i] ^ 1]) + content[i + 1 :]).decode()
        for i in range(len(content))
    ]

    verdicts = pin.verify_many([ask(block, verifier) for block in changed])

    lengths = {0, 1, 258, 259}
    assert {i for i, v in enumerate(verdicts) if v is PinVerdict.MALFORMED} == lengths
    assert set(verdicts) == {PinVerdict.MALFORMED, PinVerdict.REFUSED}
    assert session_objects() == 0


@pytest.mark.parametrize(
    ("_case", "form"),
    [
        ("empty",                   lambda text: ""),
        ("with its prefix",         lambda text: "2.0|" + text),
        ("cut by a character",      lambda text: text[:-1]),
        ("cut by a group",          lambda text: text[:-4]),
        ("longer by a group",       lambda text: text + "AAAA"),
        ("padded to its length",    lambda text: text[:-1] + "="),
        ("not base64",              lambda text: "*" + text[1:]),
        ("not ASCII",               lambda text: "é" + text[1:]),
        ("with a line feed",        lambda text: text[:-1] + "\n"),
        ("url-safe base64",         lambda text: "-_" + text[2:]),
    ],
)  # fmt: skip
def test_another_form_is_malformed(verifier, _case, form):
    with pytest.raises(PinBlockMalformedError):
        pin.verify(form(block_for()), verifier=verifier, **HERE)


@given(st.text() | st.binary(max_size=400).map(lambda b: base64.b64encode(b).decode()))
def test_nothing_but_a_block_is_read_as_one(text):
    with pytest.raises(PinBlockMalformedError):
        PinBlock.parse(text)


@given(st.binary(min_size=256, max_size=256), st.binary(min_size=24, max_size=24), st.data())
def test_a_block_is_read_as_it_was_written(first, second, data):
    third = data.draw(st.binary(min_size=16, max_size=16))

    assert PinBlock.parse(credentials.text([first, second, third])) == PinBlock(
        first, second, third
    )


@pytest.mark.parametrize(
    "key_index", ["", "2026110", "202611011", "2026110a", "٢٠٢٦١١٠١", "../../mac"]
)
def test_a_key_index_of_another_form_is_malformed(verifier, key_index):
    with pytest.raises(PinBlockMalformedError):
        pin.verify(block_for(), verifier=verifier, **{**HERE, "key_index": key_index})


def test_a_key_index_unknown_to_the_token_is_refused(verifier):
    with pytest.raises(PinBlockRefusedError):
        pin.verify(block_for(), verifier=verifier, **{**HERE, "key_index": "20150822"})


def test_a_block_made_for_another_issuer_key_is_refused(verifier):
    ceremony.create_key("issuer-20271101")

    with pytest.raises(PinBlockRefusedError):
        pin.verify(block_for(key="issuer-20271101"), verifier=verifier, **HERE)


def test_a_new_issuer_key_is_used_as_soon_as_it_is_there(verifier):
    ceremony.create_key("issuer-20271101")

    block = block_for(key="issuer-20271101")

    assert pin.verify(block, verifier=verifier, **{**HERE, "key_index": "20271101"}) is True


def test_a_transport_key_that_is_no_aes_key_is_refused(verifier):
    _, second, third = parts_for()
    public = credentials.serialization.load_pem_public_key(signing.public_pem("issuer-20261101"))
    block = credentials.text([public.encrypt(os.urandom(20), credentials.OAEP), second, third])

    with pytest.raises(PinBlockRefusedError):
        pin.verify(block, verifier=verifier, **HERE)

    assert session_objects() == 0


def test_a_secret_of_another_block_is_refused(verifier):
    first, _, third = parts_for()
    _, second, _ = parts_for()

    with pytest.raises(PinBlockRefusedError):
        pin.verify(credentials.text([first, second, third]), verifier=verifier, **HERE)


def test_an_otp_of_ours_is_verified_like_a_pin(token):
    verifier = pin.otp_verifier("774411", **OWNER)

    assert pin.verify(block_for("774411"), verifier=verifier, **HERE) is True
    assert pin.verify(block_for("774412"), verifier=verifier, **HERE) is False
    assert pin.verify(block_for("774411"), verifier=verifier, **{**HERE, "bank_code": "S"}) is False


@pytest.mark.parametrize("otp", ["", "123", "1234567890123", "12 456", "12345a", "١٢٣٤٥٦"])
def test_an_otp_that_format_0_cannot_hold_is_a_bug(token, otp):
    with pytest.raises(ValueError, match="digits"):
        pin.otp_verifier(otp, **OWNER)


def test_the_switch_of_the_sandbox_makes_the_same_blocks(verifier):
    key = credentials.serialization.load_pem_public_key(signing.public_pem("issuer-20261101"))
    content = sandbox_credentials.IssuerBinding(*dataclasses.astuple(BINDING))

    data = sandbox_credentials.make_issuer_block("428761", binding=content, issuer_key=key, **OWNER)

    assert pin.verify(data.removeprefix("2.0|"), verifier=verifier, **HERE) is True


@given(
    st.text("0123456789", min_size=4, max_size=12),
    st.text("0123456789AZ-", max_size=30),
    st.text("ABCX", max_size=4),
)
def test_two_witnesses_agree_on_the_secret(digits, account, bank_code):
    ours = secret_of(digits, bank_code=bank_code, account=account)

    assert ours == credentials.secret(digits, bank_code=bank_code, account=account)


def test_the_iso_0_block_is_the_known_one():
    # The example of every textbook on ISO 9564-1 format 0: PIN 1234, PAN 43219876543210987.
    secret = secret_of("1234", bank_code="EXB", account="43219876543210987")

    assert secret[:8].hex() == "0412ac89abcdef67"


def test_a_verifier_says_nothing_of_the_pin(verifier):
    again = pin.make_verifier(block_for(), **HERE)

    assert (verifier.key_label, len(verifier.value)) == ("pin-verification-1", 32)
    assert again == verifier
    assert verifier.value.hex() not in repr(verifier)
    assert "428761" not in repr(ask(block_for(), verifier))


def test_an_old_verifier_is_verified_with_its_own_key_and_can_be_renewed(verifier):
    ceremony.create_key("pin-verification-2")
    block = block_for()
    with override_settings(HSM_PIN_KEY="pin-verification-2"):
        configuration.cache_clear()

        assert pin.verify(block, verifier=verifier, **HERE) is True
        assert pin.is_current(verifier) is False
        renewed = pin.make_verifier(block, **HERE)
        assert pin.is_current(renewed) is True
        assert pin.verify(block_for(), verifier=renewed, **HERE) is True
    configuration.cache_clear()


@pytest.mark.parametrize(
    "label", ["issuer-20261101", "mac-1", "xml-signing-1", "", "pin-verification-x"]
)
def test_a_verifier_that_names_a_key_of_another_kind_is_not_looked_at(verifier, label):
    with pytest.raises(KeyUnfitError):
        pin.verify(block_for(), verifier=Verifier(label, verifier.value), **HERE)


def test_many_blocks_get_a_verdict_each_in_order(verifier):
    other = dataclasses.replace(BINDING, amount="149.51")
    missing = Verifier("pin-verification-9", verifier.value)

    verdicts = pin.verify_many(
        [
            ask(block_for(), verifier),
            ask(block_for("0000"), verifier),
            ask(block_for(), verifier, binding=other),
            ask("AAAA", verifier),
            ask(block_for(), missing),
            ask(block_for(), verifier),
        ]
    )

    assert [verdict.name for verdict in verdicts] == [
        "RIGHT",
        "WRONG",
        "REFUSED",
        "MALFORMED",
        "UNAVAILABLE",
        "RIGHT",
    ]
    assert pin.verify_many([]) == []


def test_nothing_is_left_in_the_token_after_any_verdict(verifier):
    first, second, third = parts_for()
    blocks = [
        [first, second, third],
        [first, second, bytes(16)],
        [first, bytes(24), third],
        [bytes(256), second, third],
    ]

    verdicts = pin.verify_many([ask(credentials.text(block), verifier) for block in blocks])

    assert verdicts == [PinVerdict.RIGHT] + [PinVerdict.REFUSED] * 3
    assert session_objects() == 0


def test_r_and_s_cannot_be_read_changed_copied_or_wrapped_by_another_key(verifier, monkeypatch):
    """Look at the two session objects while they exist."""
    refusals = []

    def tried(attempt):
        try:
            refusals.append(f"{attempt} worked")
            attempt()
        except Exception as error:  # noqa: BLE001 - what was refused is what we look at
            refusals[-1] = type(error).__name__

    original = pin._opened

    @pin.contextmanager
    def looked_at(issuer_key, block, text):
        with original(issuer_key, block, text) as secret:
            session = secret.session
            for one in session.get_objects({Attribute.TOKEN: False}):
                tried(lambda one=one: one[Attribute.VALUE])
                tried(lambda one=one: one.copy({Attribute.SENSITIVE: False}))
                tried(lambda one=one: one.__setitem__(Attribute.SENSITIVE, False))
                tried(lambda one=one: one.__setitem__(Attribute.SIGN, True))
            yield secret

    monkeypatch.setattr(pin, "_opened", looked_at)

    assert pin.verify(block_for(), verifier=verifier, **HERE) is True
    # 0x1b, CKR_ACTION_PROHIBITED, has no class of its own in python-pkcs11.
    assert refusals == ["AttributeSensitive", "PKCS11Error", "PKCS11Error", "PKCS11Error"] * 2


def test_a_token_in_trouble_is_never_taken_for_a_bad_block(verifier, token):
    block = block_for()
    token.remove()

    with pytest.raises(HsmUnavailableError):
        pin.verify(block, verifier=verifier, **HERE)
    assert pin.verify_many([ask(block, verifier)] * 2) == [PinVerdict.UNAVAILABLE] * 2


def test_eight_threads_verify_at_the_same_time(verifier):
    right, wrong = block_for(), block_for("9999")
    verdicts = []

    def work():
        for _ in range(20):
            verdicts.extend(pin.verify_many([ask(right, verifier), ask(wrong, verifier)]))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert verdicts == [PinVerdict.RIGHT, PinVerdict.WRONG] * 160
    assert session_objects() == 0
