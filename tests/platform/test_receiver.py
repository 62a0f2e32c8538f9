"""The running receiver: who gets through its door, and what a hostile message leaves behind."""

import contextlib
import datetime as dt
import socket
import ssl

import httpx
import pytest

from apps.common import clock
from apps.upi.models import PeerKey
from apps.upi.services import directory
from deploy.local import certificates
from tests.platform.switch_side import SwitchSide, money, proof, security_events, traces, verdicts
from tests.upi import hostile, wire

pytestmark = [pytest.mark.platform, pytest.mark.timeout(600)]

HEARTBEAT = "/upi/ReqHbt/2.0/urn:txnid:"


@pytest.fixture(scope="module")
def switch(platform, books):
    side = SwitchSide.of(platform)
    yield side
    side.client.close()


@pytest.fixture(scope="module")
def another_set(tmp_path_factory):
    """Certificates with the right names, by an authority that nobody here trusts."""
    folder = tmp_path_factory.mktemp("tls")
    certificates.make(folder)
    return folder


def ask(switch, context: ssl.SSLContext, *, path: str = "/livez") -> int:
    with httpx.Client(verify=context, timeout=30) as client:
        return client.post(f"https://127.0.0.1:{switch.port}{path}", content=b"").status_code


def test_x34_without_a_certificate_nobody_gets_through(switch):
    with pytest.raises(httpx.TransportError):
        ask(switch, proof(switch.certificates))


def test_x34_a_certificate_of_another_authority_gets_nobody_through(switch, another_set):
    with pytest.raises(httpx.TransportError):
        ask(switch, proof(another_set, "switch", authority=switch.certificates))


def test_x34_a_certificate_of_another_organisation_may_not_bring_messages(switch):
    txn_id = wire.new_id()
    context = proof(switch.certificates, "receiver")

    status = ask(switch, context, path=HEARTBEAT + txn_id)

    assert status == 403
    assert verdicts(txn_id) == []


def test_plain_http_gets_nobody_through(switch):
    with pytest.raises(httpx.TransportError):
        httpx.post(f"http://127.0.0.1:{switch.port}{HEARTBEAT}{wire.new_id()}", timeout=30)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_an_old_version_of_tls_gets_nobody_through(switch):
    context = proof(switch.certificates, "switch")
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1

    with pytest.raises(httpx.TransportError):
        ask(switch, context)


def test_handshakes_that_never_end_keep_nobody_out_for_long(switch):
    """More of them than there are threads, by somebody who has no certificate at all."""
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            slow = socket.create_connection(("127.0.0.1", switch.port), timeout=30)
            stack.enter_context(slow).sendall(b"\x16\x03\x01")

        status = ask(switch, proof(switch.certificates, "switch"), path=HEARTBEAT + wire.new_id())

    assert status == 200


def test_requests_that_never_end_keep_nobody_out_for_long(switch):
    """More of them than there are threads, by the switch itself, whose line has gone dead."""
    path = b"POST /upi/ReqPay/2.0/urn:txnid:X"
    rest = b" HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99\r\n\r\n<"
    context = proof(switch.certificates, "switch")
    with contextlib.ExitStack() as stack:
        for begun in [path, path + rest] * 10:
            plain = socket.create_connection(("127.0.0.1", switch.port), timeout=30)
            secure = stack.enter_context(context.wrap_socket(plain, server_hostname="127.0.0.1"))
            secure.sendall(begun)

        status = ask(switch, context, path=HEARTBEAT + wire.new_id())

    assert status == 200


@pytest.mark.parametrize("case", hostile.CASES, ids=str)
def test_a_hostile_message_is_refused_and_leaves_a_line_of_the_log(switch, case):
    before = money()
    post = case.make(switch.key)

    ack = switch.post(post)

    assert (ack.get("err"), ack.findtext("errorMessages/errorCd")) == (case.code, case.code)
    assert verdicts(post.txn_id) == [("REFUSED", case.code)]
    assert security_events(post.txn_id) == [(case.code, "operations")]
    assert traces(post.txn_id) == {}
    assert money() == before


@pytest.mark.parametrize(
    ("_case", "begins", "ends", "revoked"),
    [
        ("ended yesterday",  -10, -1,   None),
        ("begins tomorrow",    1, None, None),
        ("revoked just now", -10, None, 0),
    ],
)  # fmt: skip
def test_x04_a_key_outside_its_validity(switch, _case, begins, ends, revoked):
    now, key = clock.now(), wire.new_key()

    def day(number):
        return None if number is None else now + dt.timedelta(days=number)

    pinned = directory.register_key(
        "NPCI",
        PeerKey.Purpose.SIGNING,
        wire.public_pem(key.public_key()),
        valid_from_at=day(begins),
        valid_until_at=day(ends),
    )
    if revoked is not None:
        directory.revoke_key(pinned, at=day(revoked))
    root = wire.fresh("DEBIT")
    post = hostile.posted(wire.sign(root, key), root)

    ack = switch.post(post)

    assert ack.get("err") == hostile.INTEGRITY
    assert verdicts(post.txn_id) == [("REFUSED", hostile.INTEGRITY)]
    assert traces(post.txn_id) == {}


def test_x28_a_known_psp_cannot_speak_to_us_past_the_switch(switch):
    key, root = wire.new_key(), wire.fresh("DEBIT")
    directory.register_key(
        "900002",
        PeerKey.Purpose.SIGNING,
        wire.public_pem(key.public_key()),
        valid_from_at=clock.now(),
    )
    root.find("Head").set("orgId", "900002")
    post = hostile.posted(wire.sign(root, key), root)

    ack = switch.post(post)

    assert ack.get("err") == "U52"
    assert verdicts(post.txn_id) == [("REFUSED", "U52")]
    assert security_events(post.txn_id) == [("U52", "operations")]
    assert traces(post.txn_id) == {}


def test_x20_x21_a_message_id_stands_for_its_bytes(switch):
    root = wire.fresh("HEARTBEAT")
    body = wire.sign(root, switch.key)
    post = hostile.Post(wire.path_of(body), body)
    other = wire.fresh("HEARTBEAT", msg_id=root.find("Head").get("msgId"))

    first = switch.client.post(post.path, content=post.body)
    again = switch.client.post(post.path, content=post.body)
    refusal = switch.send(other)

    assert again.content == first.content
    assert verdicts(post.txn_id) == [("ACCEPTED", ""), ("REPEATED", "")]
    assert traces(post.txn_id) == {"exchange": 1}
    assert refusal.get("err") == "U01"
    assert security_events(other.find("Txn").get("id")) == [("U01", "operations")]
