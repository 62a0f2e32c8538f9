"""The port of the wire: whole requests in, answers in their order, no connection in doubt."""

import asyncio
import contextlib
import re

import pytest

from sandbox.connections import Reply
from sandbox.wire_door import Post, WireDoor

POST = b"POST /upi/ReqHbt/2.0/urn:txnid:A%31 HTTP/1.1\r\nHost: switch\r\n"


async def echo(post: Post) -> Reply:
    return Reply(200, f"{post.method} {post.path} ".encode() + post.body)


async def nobody(_: Post) -> None:
    return None


async def broken(_: Post) -> Reply:
    raise RuntimeError("a bug")


def conversation(sent: list[bytes], handle=echo, *, answers: int = 1, is_closed: bool = False):
    """Send parts over one connection; return the answers, and what came before its end."""

    async def talk() -> list[bytes]:
        door = WireDoor(handle)
        await door.listen("127.0.0.1", 0, None)
        port = door._server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for part in sent:
            writer.write(part)
            await writer.drain()
        heard = [await one(reader) for _ in range(answers)]
        if is_closed:
            # The other side ends it; if it does not, the test's own limit does.
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
        writer.close()
        await door.close()
        return heard

    return asyncio.run(talk())


async def one(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"Content-Length: ([0-9]+)", head)
    assert length
    return head.split(b"\r\n")[0] + b" " + await reader.readexactly(int(length[1]))


def test_a_post_is_answered_and_its_connection_kept():
    request = POST + b"Content-Length: 3\r\n\r\nabc"
    answer = b"HTTP/1.1 200 OK POST /upi/ReqHbt/2.0/urn:txnid:A1 abc"

    assert conversation([request, request], answers=2) == [answer, answer]


def test_a_body_in_pieces_is_put_together():
    pieces = [POST, b"Transfer-Encoding: chunked\r\n\r\n", b"2\r\nab\r\n", b"1\r\nc\r\n0\r\n\r\n"]

    assert conversation(pieces)[0].endswith(b" abc")


def test_requests_sent_at_once_are_answered_in_their_order():
    first, second = (POST + b"Content-Length: 1\r\n\r\n" + body for body in (b"1", b"2"))

    heard = conversation([first + second], answers=2)

    assert [answer[-1:] for answer in heard[:2]] == [b"1", b"2"]


def test_who_asks_to_close_is_answered_and_closed():
    request = POST + b"Connection: close\r\nContent-Length: 1\r\n\r\nx"

    assert conversation([request], is_closed=True)[0].endswith(b" x")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"nonsense\r\n\r\n", b"400 Bad Request"),
        (POST + b"Content-Length: many\r\n\r\n", b"400 Bad Request"),
        (POST + b"Upgrade: h2c\r\nConnection: upgrade\r\n\r\n", b"400 Bad Request"),
        (
            POST + b"Content-Length: 1048577\r\n\r\n" + b"x" * 1048577,
            b"413 Request Entity Too Large",
        ),
    ],
)
def test_what_is_no_request_ends_its_connection(request_, status):
    (answer,) = conversation([request_], is_closed=True)

    assert answer.strip() == b"HTTP/1.1 " + status


@pytest.mark.parametrize("handle", [nobody, broken])
def test_without_an_answer_the_connection_breaks(handle):
    request = POST + b"Content-Length: 1\r\n\r\nx"

    assert conversation([request], handle, answers=0, is_closed=True) == []
