"""Frames and messages: however the network cuts them, and whatever somebody makes of them."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.accounts.core_banking import iso8583_profile
from apps.accounts.core_banking.iso8583_codec import (
    Codec,
    FrameError,
    Frames,
    MessageError,
    escape,
    frame,
)

PROFILE = iso8583_profile.load()
CODEC = Codec(PROFILE)
MAC = b"\x00\x01\xfe\xff1234"
DEBIT = {
    "t": "0200", "3": "000000", "4": "000000002500", "7": "1123040000", "11": "000001",
    "12": "093000", "13": "1123", "32": "900001", "37": "532610000123", "41": "EXBUPI01",
    "48": "EXB0a1b2c3d4e5f60718293a4b5c6d7e8f9", "102": "001234567890", **PROFILE.fixed,
}  # fmt: skip
ECHO = {"t": "0800", "7": "1123040000", "11": "000001", "41": "EXBUPI01"}
ANS = st.text(st.characters(max_codepoint=127), max_size=25)


def written(fields, **changes):
    return CODEC.encode(fields | {name[2:]: value for name, value in changes.items()}) + MAC


@pytest.mark.parametrize("fields", [DEBIT, ECHO], ids=["second bitmap", "one bitmap"])
def test_a_message_is_read_as_it_was_written_and_its_mac_is_last(fields):
    parsed = CODEC.decode(written(fields))

    assert fields.items() <= parsed.fields.items()
    assert set(parsed.fields) - set(fields) <= {"p", "1", "64", "128"}
    assert (parsed.mac, parsed.signed) == (MAC, CODEC.encode(fields))


@settings(max_examples=40, deadline=None)
@given(paise=st.integers(0, 10**12 - 1), stan=st.integers(1, 999_999), text=ANS)
def test_any_value_that_fits_comes_back(paise, stan, text):
    fields = DEBIT | {"4": f"{paise:012}", "11": f"{stan:06}", "44": text}

    assert fields.items() <= CODEC.decode(written(fields)).fields.items()


@settings(max_examples=100, deadline=None)
@given(place=st.integers(0, 400), byte=st.integers(0, 255), end=st.integers(0, 400))
def test_b03_a_damaged_message_is_read_or_refused_and_never_a_crash(place, byte, end):
    damaged = bytearray(written(DEBIT))
    damaged[place % len(damaged)] = byte
    long_values = [value for value in DEBIT.values() if len(value) > 4]
    for raw in (bytes(damaged), bytes(damaged[:end])):
        refusal = ""
        try:
            CODEC.decode(raw)
        except MessageError as error:
            refusal = str(error)
        assert not any(value in refusal for value in long_values)


@pytest.mark.parametrize(
    ("what", "raw"),
    [
        ("bytes beyond the last field",  written(DEBIT) + b"0"),
        ("a bitmap that is not there",   b"0200" + b"\x80" + bytes(7)),
        ("a length over the end",        written(ECHO).replace(b"0800\x02", b"0800\x03")),
        ("a length with a sign",         written(DEBIT).replace(b"06900001", b"+6900001")),
        ("letters in an amount",         written(DEBIT).replace(b"000000002500", b"00000000250A")),
        ("a byte that is not ASCII",     written(DEBIT).replace(b"EXBUPI01", b"EXBUPI0\xff")),
        ("a field of nobody's profile",  b"0200" + (1 << 62).to_bytes(8) + b"164111111111111111"),
    ],
)  # fmt: skip
def test_b03_what_is_not_well_formed_is_refused_without_its_values(what, raw):
    with pytest.raises(MessageError) as refusal:
        CODEC.decode(raw)

    assert not any(value in str(refusal.value) for value in ("900001", "2500", "4111"))


def test_b19_a_pin_block_is_not_read_and_leaves_no_trace():
    bits = 1 << (64 - 11) | 1 << (64 - 52)

    with pytest.raises(MessageError) as refusal:
        CODEC.decode(b"0200" + bits.to_bytes(8) + b"000001" + b"\x12\x34\x56\x78\x9a\xbc\xde\xf0")

    assert str(refusal.value) == "field '52' is not in the profile"


def test_a_message_without_a_mac_says_so():
    bare = b"0210" + (1 << (64 - 11)).to_bytes(8) + b"000001"

    assert CODEC.decode(bare).mac is None


@pytest.mark.parametrize("changes", [{"de4": "25"}, {"de11": "1234567"}, {"de44": "x" * 26}])
def test_what_does_not_fit_its_field_is_not_sent(changes):
    with pytest.raises(ValueError, match="field"):
        written(DEBIT, **changes)


@settings(max_examples=50, deadline=None)
@given(
    sizes=st.lists(st.integers(12, 300), max_size=10),
    cuts=st.lists(st.integers(1, 50), min_size=1),
)
def test_b02_frames_are_the_same_however_the_network_cuts_them(sizes, cuts):
    messages = [bytes([place % 256]) * size for place, size in enumerate(sizes)]
    stream, frames, found, place = b"".join(map(frame, messages)), Frames(), [], 0
    while stream:
        cut = cuts[place % len(cuts)]
        found += frames.feed(stream[:cut])
        stream, place = stream[cut:], place + 1

    assert found == messages


def test_b02_ten_frames_in_one_segment_and_one_in_single_bytes():
    messages = [written(DEBIT, de11=f"{place:06}") for place in range(1, 11)]
    stream, frames = b"".join(map(frame, messages)), Frames()

    assert frames.feed(stream) == messages
    assert [each for byte in stream for each in frames.feed(bytes([byte]))] == messages


@pytest.mark.parametrize("head", [b"\x00\x00", b"\xff\xff0123456789", b"\x00\x01x", b"\x08\x01"])
def test_b01_a_length_that_cannot_be_ends_the_stream(head):
    with pytest.raises(FrameError):
        Frames().feed(head)


def test_b20_control_bytes_are_read_and_written_so_that_a_line_stays_a_line():
    nasty = "a\x00b\x1cc\nd\\e\x7f"

    assert CODEC.decode(written(DEBIT, de44=nasty)).get(44) == nasty
    assert escape(nasty) == r"a\x00b\x1cc\x0ad\\e\x7f"


def test_a_bank_brings_its_own_profile(tmp_path):
    own = tmp_path / "profile.json"
    own.write_bytes(iso8583_profile.OURS.read_bytes().replace(b'"YC"', b'"XP"'))

    assert iso8583_profile.load(own).responses["12"].debit == "XP"


def test_a_profile_whose_decline_has_no_code_is_refused(tmp_path):
    own = tmp_path / "profile.json"
    own.write_bytes(iso8583_profile.OURS.read_bytes().replace(b'"debit": "YC", ', b""))

    with pytest.raises(msgspec.ValidationError):
        iso8583_profile.load(own)
