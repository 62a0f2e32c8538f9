"""The client's connections: kept, resumed, and left alone when the other side has gone."""

import socket
import ssl
import threading
from contextlib import contextmanager

import pytest
from lxml import etree

from apps.upi import client
from apps.upi.client import Parcel
from apps.upi.connections import Connections
from apps.upi.contracts import SendResult
from deploy.local import certificates
from tests.upi import wire
from tests.upi.switch import ack_of

BEAT = wire.fresh("HEARTBEAT")
BODY = etree.tostring(BEAT)
PARCEL = Parcel(
    api="ReqHbt",
    txn_id=BEAT.find("Txn").get("id"),
    msg_id=BEAT.find("Head").get("msgId"),
    body=BODY,
)
ACK = ack_of(BODY, "ack")
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
WHOLE = HEAD % len(ACK) + b"\r\n" + ACK


class Peer:
    """Answers each request of a connection with the next of the given bytes, and then hangs up."""

    def __init__(self, *scripts: list[bytes], tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.resumed: list[bool] = []
        self._scripts = list(scripts)
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self._serve, daemon=True)

    @contextmanager
    def serving(self):
        self.thread.start()
        try:
            yield self
        finally:
            self._listener.close()

    def _serve(self) -> None:
        for script in self._scripts:
            connection, _ = self._listener.accept()
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
                self.resumed.append(bool(connection.session_reused))
            with connection:
                for answer in script:
                    self.requests.append(_whole_request(connection))
                    connection.sendall(answer)


def _whole_request(connection: socket.socket) -> bytes:
    data = b""
    while BODY not in data:
        data += connection.recv(65536)
    return data


@pytest.fixture(autouse=True)
def closed():
    client.close()
    yield
    client.close()


@pytest.fixture
def send(db, settings):
    def to(peer: Peer):
        settings.UPI_SWITCH_URL = peer.url
        [posted] = client.post_many([PARCEL])
        return posted.result

    return to


def test_a_connection_is_used_again(send):
    with Peer([WHOLE, WHOLE, WHOLE]).serving() as peer:
        results = [send(peer) for _ in range(3)]

    assert results == [SendResult.ACKED] * 3
    assert len(peer.requests) == 3


@pytest.mark.parametrize(
    ("_case", "first"),
    [
        ("it said so",              HEAD % len(ACK) + b"Connection: close\r\n\r\n" + ACK),
        ("it said nothing",         WHOLE),
        ("it gave no length",       b"HTTP/1.1 200 OK\r\n\r\n" + ACK),
        ("it speaks an old HTTP",   WHOLE.replace(b"1.1", b"1.0", 1)),
    ],
)  # fmt: skip
def test_after_the_switch_closed_a_connection_another_is_made(send, _case, first):
    with Peer([first], [WHOLE]).serving() as peer:
        before = send(peer)
        peer_has_hung_up(peer)
        after = send(peer)

    assert (before, after) == (SendResult.ACKED, SendResult.ACKED)
    assert len(peer.requests) == 2


def peer_has_hung_up(peer: Peer) -> None:
    """Wait until the end of the first connection can be read, when it is kept at all."""
    [pool] = client._OPEN.values()
    for connection in pool._idle:
        connection.socket.settimeout(10)
        assert connection.socket.recv(1, socket.MSG_PEEK) == b""


@pytest.mark.parametrize(
    ("_case", "answer"),
    [
        ("nothing",             b""),
        ("half a head",         b"HTTP/1.1 200"),
        ("no HTTP",             b"\x00\x01\r\n\r\n"),
        ("half an Ack",         HEAD % len(ACK) + b"\r\n" + ACK[:40]),
        ("a chunk cut off",     CHUNKED + b"40\r\n" + ACK[:9]),
        ("a senseless chunk",   CHUNKED + b"zz\r\n" + ACK),
        ("far too much",        HEAD % 900_000 + b"\r\n" + b" " * 900_000),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_whole_is_silence_and_ends_the_connection(send, _case, answer):
    with Peer([answer], [WHOLE]).serving() as peer:
        results = [send(peer), send(peer)]

    assert results == [SendResult.SILENT, SendResult.ACKED]
    assert len(peer.requests) == 2


def test_an_ack_in_chunks_is_an_ack(send):
    chunked = CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(ACK), ACK)

    with Peer([chunked, WHOLE]).serving() as peer:
        results = [send(peer), send(peer)]

    assert results == [SendResult.ACKED] * 2


def test_a_second_handshake_resumes_the_session_of_the_first(tmp_path):
    certificates.make(tmp_path)
    theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=tmp_path / "ca.pem")
    theirs.verify_mode = ssl.CERT_REQUIRED
    theirs.load_cert_chain(tmp_path / "switch.pem", tmp_path / "switch.key")
    ours = ssl.create_default_context(cafile=tmp_path / "ca.pem")
    ours.load_cert_chain(tmp_path / "receiver.pem", tmp_path / "receiver.key")

    with Peer([WHOLE], [WHOLE], tls=theirs).serving() as peer:
        # Nothing rests: each POST needs a connection of its own.
        connections = Connections(peer.url, ours, idle_seconds=0)
        for _ in range(2):
            connection = connections.take(connect_seconds=10)
            connection.post(
                "/x", BODY, kind="application/xml", agent="t", read_seconds=10, bytes_max=9999
            )
            connections.give_back(connection)
        connections.close()
    peer.thread.join(10)

    assert peer.resumed == [False, True]
