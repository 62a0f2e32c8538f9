"""Credential blocks: opened by whom they are for, bound to what they were made for."""

import base64
import dataclasses

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox import credentials

KEY = rsa.generate_private_key(65537, 2048)
STRANGER = rsa.generate_private_key(65537, 2048)
SHOWN = credentials.DeviceBinding("EXB1", "149.50", "a@exbank", "b@exbank", "91", "d1", "app")
ASKED = credentials.IssuerBinding("ReqPay", "DEBIT", "EXB1", "149.50", "a@exbank", "b@exbank")
PINS = st.text("0123456789", min_size=4, max_size=6)
ACCOUNTS = st.text("0123456789", min_size=6, max_size=18)


def device_block(secret: str = "1234") -> str:
    return credentials.make_device_block(
        secret, sub_type="MPIN", binding=SHOWN, switch_key=KEY.public_key()
    )


def issuer_block(secret: str = "1234", account: str = "001234567890") -> str:
    return credentials.make_issuer_block(
        secret, binding=ASKED, bank_code="EXB", account=account, issuer_key=KEY.public_key()
    )


def check(block: str, secret: str = "1234", **changes) -> bool:
    asked = {"binding": ASKED, "bank_code": "EXB", "account": "001234567890", "issuer_key": KEY}
    return credentials.check_issuer_block(block, secret, **(asked | changes))


def test_the_switch_reads_what_the_phone_wrote():
    opened = credentials.open_device_block(device_block("4826"), KEY)

    assert (opened.secret, opened.sub_type, opened.binding) == ("4826", "MPIN", SHOWN)
    assert "4826" not in repr(opened)


def test_two_blocks_of_one_pin_are_never_alike():
    assert device_block() != device_block()
    assert issuer_block() != issuer_block()


def test_only_the_switch_opens_a_device_block():
    with pytest.raises(credentials.BlockRefusedError):
        credentials.open_device_block(device_block(), STRANGER)


@pytest.mark.parametrize("block", ["", "1.0|AAAA", "2.0|", "2.0|?", "2.0|AAAA", "2.0|" + "A" * 800])
def test_what_is_no_block_is_refused(block):
    with pytest.raises(credentials.BlockRefusedError):
        credentials.open_device_block(block, KEY)
    with pytest.raises(credentials.BlockRefusedError):
        check(block)


@settings(max_examples=20, deadline=None)
@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_a_changed_bit_is_refused(place, bit):
    for block, read in (
        (device_block(), lambda text: credentials.open_device_block(text, KEY)),
        (issuer_block(), check),
    ):
        raw = bytearray(base64.b64decode(block[4:]))
        raw[place % len(raw)] ^= 1 << bit

        with pytest.raises(credentials.BlockRefusedError):
            read("2.0|" + base64.b64encode(raw).decode())


@settings(max_examples=25, deadline=None)
@given(right=PINS, asked=PINS, account=ACCOUNTS)
def test_the_issuer_tells_the_right_pin_from_all_others(right, asked, account):
    block = issuer_block(right, account)

    assert check(block, asked, account=account) == (right == asked)


@pytest.mark.parametrize(
    "changes",
    [
        {"binding": dataclasses.replace(ASKED, amount="149.51")},
        {"binding": dataclasses.replace(ASKED, payee="c@exbank")},
        {"binding": dataclasses.replace(ASKED, transaction_id="EXB2")},
        {"binding": dataclasses.replace(ASKED, type="CREDIT")},
        {"issuer_key": STRANGER},
    ],
)
def test_a_block_for_another_message_or_issuer_is_refused(changes):
    with pytest.raises(credentials.BlockRefusedError):
        check(issuer_block(), **changes)


@pytest.mark.parametrize("changes", [{"bank_code": "SMP"}, {"account": "001234567880"}])
def test_a_pin_of_another_account_is_wrong(changes):
    assert check(issuer_block(), **changes) is False


def test_the_secret_is_laid_out_as_the_profile_says():
    laid_out = credentials._sealed_secret("4826", "EXB", "001234567890")

    # PIN 4826 in format 0, masked by 00123456789, then the start of SHA-256("EXB|001234567890").
    assert laid_out.hex() == "044826fedcba9876" + "4d0519dfc5417e49"
