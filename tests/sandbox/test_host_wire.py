"""The core-banking host's wire: who may connect, how frames are cut, and what is no message."""

import json
import ssl

import pytest

from deploy.local import certificates
from tests.sandbox.conftest import HOST_OPENING as OPENING
from tests.sandbox.conftest import wait_until
from tests.sandbox.host_caller import DEBIT, Caller, ClosedError, written


@pytest.fixture
def other(host):
    """Another link of the bank, which nothing on the first may touch."""
    with Caller(host.port, host.tls, host.mac_key, terminal="OTHER001") as made:
        made.sign_on()
        yield made


@pytest.mark.parametrize(
    ("_case", "content"),
    [
        ("length zero", b"\x00\x00"),
        ("length far too great", b"\xff\xff" + b"0" * 10),
        ("length a little too great", (2049).to_bytes(2) + b"0" * 2049),
        ("a frame of one byte", b"\x00\x010"),
        ("a frame without a bitmap", b"\x00\x040800"),
    ],
)
def test_a_length_that_no_message_has_ends_its_link_and_no_other(
    host, caller, other, _case, content
):
    caller.send(content)

    with pytest.raises(ClosedError):
        caller.receive()
    assert other.network("301")[1][39] == "00"


def test_a_message_that_comes_byte_by_byte_is_read(host, caller, account):
    for byte in caller.framed("0200", caller.request(DEBIT, account, 100)):
        caller.send(bytes([byte]))

    assert caller.receive()[1][39] == "00"


def test_ten_messages_in_one_segment_are_ten_messages(host, caller, account):
    requests = [caller.request(DEBIT, account, 100) for _ in range(10)]

    caller.send(b"".join(caller.framed("0200", request) for request in requests))

    answers = [caller.receive()[1] for _ in requests]
    assert {answer[11] for answer in answers} == {request[11] for request in requests}
    assert host.balance(account) == OPENING - 1_000


@pytest.mark.parametrize(
    ("_case", "announced", "changes", "cut"),
    [
        ("field 2 announced and not there", [2], {}, 0),
        ("field 52, which nobody takes", [], {52: "12345678"}, 0),
        ("second bitmap announced and not there", [], {}, -1),
        ("a length over the frame's end", [], {102: "99"}, 0),
        ("a length that is no number", [], {102: "x1"}, 0),
        ("letters in a number", [], {4: "00000000010x"}, 0),
        ("the last field cut off", [], {}, 5),
    ],
)
def test_what_is_no_message_is_dropped_without_its_values(
    host, caller, account, _case, announced, changes, cut
):
    fields = caller.request(DEBIT, account, 100)
    raw = malformed(fields, announced, changes, cut)
    before = len(host.journal())

    caller.send(len(raw).to_bytes(2) + raw)

    assert caller.hears_nothing_before_an_echo()
    (row,) = [row for row in host.journal(before) if row["fault"].startswith("malformed")]
    assert row["fields"] == {"mti": ""}
    assert host.balance(account) == OPENING


def malformed(fields, announced, changes, cut):
    if cut == -1:
        return b"0800" + bytes([0x80, *bytes(7)])
    if 52 in changes:
        return written("0200", fields | changes) + bytes(8)
    if 102 in changes:
        body = written("0200", {number: fields[number] for number in fields if number != 102})
        bitmap = bytearray(body[4:20].ljust(16, b"\0"))
        first = bytes([bitmap[0] | 0x80, *bitmap[1:7], bitmap[7] & 0xFE])
        # Field 102 and the MAC in field 128.
        return (
            b"0200"
            + first
            + bytes([0, 0, 0, 0, 4, 0, 0, 1])
            + body[12:]
            + (changes[102].encode() + bytes(8))
        )
    raw = written("0200", fields | changes, announced=announced) + bytes(8)
    return raw[: len(raw) - cut]


@pytest.mark.parametrize("mac", [bytes(8), b"12345678"])
def test_a_message_with_a_wrong_mac_is_as_never_received(host, caller, account, mac):
    caller.send(caller.framed("0200", caller.request(DEBIT, account, 100), mac))

    assert caller.hears_nothing_before_an_echo()
    assert host.balance(account) == OPENING


def test_a_message_without_a_mac_or_with_that_of_another_is_as_never_received(
    host, caller, account
):
    request = caller.request(DEBIT, account, 100)
    framed = caller.framed("0200", request)
    bare = bytearray(framed[2:-8])
    bare[4 + 15] &= 0xFE
    caller.send(len(bare).to_bytes(2) + bytes(bare))
    caller.send(caller.framed("0200", caller.request(DEBIT, account, 100), framed[-8:]))

    assert caller.hears_nothing_before_an_echo()
    assert host.balance(account) == OPENING


@pytest.mark.parametrize("mti", ["0210", "0430", "0100", "0220", "9999"])
def test_what_the_host_does_not_serve_gets_no_answer(host, caller, account, mti):
    caller.send(caller.framed(mti, caller.request(DEBIT, account, 100)))

    assert caller.hears_nothing_before_an_echo()
    assert host.balance(account) == OPENING


def test_business_needs_a_sign_on_of_its_own_link(host, account):
    with Caller(host.port, host.tls, host.mac_key, terminal=account[-8:]) as fresh:
        refused = fresh.debit(account, 100)
        fresh.sign_on()
        done = fresh.debit(account, 100)
        assert fresh.network("002")[1][39] == "00"
        refused_again = fresh.debit(account, 100)

    assert (refused[39], done[39], refused_again[39]) == ("91", "00", "91")
    assert host.balance(account) == OPENING - 100


def test_a_network_message_that_nobody_knows_is_refused(host, caller):
    assert caller.network("999")[1][39] == "12"


def test_b18_a_peer_of_another_organisation_is_refused(host, account):
    before = host.control.get("/links").json()["unknown_peers"]

    with (
        Caller(host.port, host.tls, host.mac_key, certificate="switch") as switch,
        pytest.raises((ClosedError, ConnectionError)),
    ):
        switch.network("001")

    shown = host.control.get("/links").json()
    assert shown["unknown_peers"] == before + 1
    assert "NPCI" not in json.dumps(shown["links"])


def test_a_peer_whom_another_authority_vouches_for_is_refused(host, tmp_path):
    certificates.make(tmp_path)
    (tmp_path / "ca.pem").write_bytes((host.tls / "ca.pem").read_bytes())

    with (
        pytest.raises((ClosedError, ssl.SSLError, ConnectionError)),
        Caller(host.port, tmp_path, host.mac_key) as stranger,
    ):
        stranger.network("001")


def test_links_are_shown_and_can_all_be_broken(host, caller, account):
    caller.debit(account, 100)
    shown = host.links()[-1]
    assert (shown["peer"], shown["is_signed_on"], shown["received"]) == ("900001", True, 2)

    assert host.control.delete("/links").json()["broken"] >= 1

    with pytest.raises(ClosedError):
        caller.receive()
    wait_until(lambda: host.links() == [])
