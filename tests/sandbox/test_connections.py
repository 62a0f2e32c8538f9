"""The switch's connections to a bank: kept, given up when spoilt, and never sent over twice."""

import asyncio
import contextlib

import pytest

from sandbox.connections import Connections

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nack"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nck\r\n0\r\n\r\n"


class Peer:
    """A server that says what it is told to, and counts connections and requests."""

    def __init__(self, *answers: bytes, hangs_up: bool = False) -> None:
        self.answers = list(answers)
        self.hangs_up = hangs_up
        self.connections = 0
        self.open = 0
        self.requests: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = int(head.lower().partition(b"content-length: ")[2].split()[0])
                self.requests.append(head + await reader.readexactly(size))
                writer.write(self.answers.pop(0))
                if self.hangs_up:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        self.open -= 1


def posts(peer: Peer, count: int, *, seconds: float = 20, pause: bool = False) -> list:
    """Post this many documents one after the other; return each answer, or what was raised."""

    async def run() -> list:
        server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        connections = Connections(f"http://127.0.0.1:{port}/", None)
        came: list = []
        for _ in range(count):
            try:
                reply = await connections.post(
                    "/upi/a b\r\n", b"<x/>", connect_seconds=20, read_seconds=seconds
                )
                came.append(tuple(reply))
            except OSError as error:
                came.append(type(error))
            while pause and any(each.is_reusable for each in connections._idle):
                await asyncio.sleep(0.001)
        connections.close()
        while peer.open:
            await asyncio.sleep(0.001)
        server.close()
        await server.wait_closed()
        return came

    return asyncio.run(run())


def test_one_connection_carries_many_posts():
    peer = Peer(PLAIN, CHUNKED, PLAIN)

    assert posts(peer, 3) == [(200, b"ack")] * 3
    assert peer.connections == 1


def test_a_path_cannot_break_out_of_its_line():
    peer = Peer(PLAIN)

    posts(peer, 1)

    assert peer.requests[0].startswith(b"POST /upi/a%20b%0D%0A HTTP/1.1\r\nHost: 127.0.0.1:")


@pytest.mark.parametrize(
    ("_case", "answer", "expected"),
    [
        ("until the end",     b"HTTP/1.1 500 No\r\n\r\nack",           (500, b"ack")),
        ("said to be closed", PLAIN.replace(b"\r\n", b"\r\nConnection: close\r\n", 1),
                                                                       (200, b"ack")),
        ("cut short",         PLAIN[:-1],                              ConnectionResetError),
        ("nothing",           b"",                                     ConnectionResetError),
        ("no HTTP",           b"upi upi upi\r\n\r\n",                  ConnectionResetError),
    ],
)  # fmt: skip
def test_a_closed_connection_is_replaced(_case, answer, expected):
    peer = Peer(answer, answer, hangs_up=True)

    assert posts(peer, 2) == [expected, expected]
    assert (peer.connections, len(peer.requests)) == (2, 2)


def test_a_connection_that_was_closed_while_it_rested_is_not_used():
    peer = Peer(PLAIN, PLAIN, hangs_up=True)

    assert posts(peer, 2, pause=True) == [(200, b"ack")] * 2
    assert (peer.connections, len(peer.requests)) == (2, 2)


def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next():
    peer = Peer(PLAIN + PLAIN, PLAIN)

    assert posts(peer, 2) == [(200, b"ack")] * 2
    assert (peer.connections, len(peer.requests)) == (2, 2)


def test_silence_ends_by_the_clock_and_nothing_is_sent_again():
    peer = Peer(b"", PLAIN)

    assert posts(peer, 1, seconds=0.05) == [TimeoutError]
    assert len(peer.requests) == 1
