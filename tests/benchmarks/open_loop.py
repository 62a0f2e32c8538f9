"""
An open-loop load over kept-alive connections with mutual TLS: a process of its own.

Requests leave when their time has come, whether or not earlier ones were answered, and each is
timed from that intended instant: a server that stalls cannot hide it by being asked less.
"""

import asyncio
import pickle
import ssl
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 32
LIVE = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@dataclass(frozen=True)
class Plan:
    """Which requests go where, how often, and by whose certificate."""

    port: int
    certificates: Path
    rate: float
    requests: Sequence[bytes]


@dataclass(frozen=True)
class Answer:
    """How long a request took from its intended start, and what came back."""

    seconds: float
    content: bytes


def post(path: str, body: bytes) -> bytes:
    """Return a POST as it goes over the wire."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/xml\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def answer_to(
    request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bytes:
    """Send one request and return the content of its answer."""
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    return await reader.readexactly(length)


async def run(plan: Plan) -> list[Answer]:
    """Send every request at its time and return the answers in the same order."""
    context = ssl.create_default_context(cafile=plan.certificates / "ca.pem")
    context.load_cert_chain(plan.certificates / "switch.pem", plan.certificates / "switch.key")
    free: asyncio.Queue = asyncio.Queue()
    for _ in range(CONNECTIONS):
        streams = await asyncio.open_connection("127.0.0.1", plan.port, ssl=context)
        await answer_to(LIVE, *streams)
        free.put_nowait(streams)
    begun = time.monotonic() + 0.2

    async def ask(place: int) -> Answer:
        intended = begun + place / plan.rate
        await asyncio.sleep(intended - time.monotonic())
        streams = await free.get()
        content = await answer_to(plan.requests[place], *streams)
        free.put_nowait(streams)
        return Answer(time.monotonic() - intended, content)

    answers = await asyncio.gather(*(ask(place) for place in range(len(plan.requests))))
    while not free.empty():
        free.get_nowait()[1].close()
    return answers


if __name__ == "__main__":
    sys.stdout.buffer.write(pickle.dumps(asyncio.run(run(pickle.load(sys.stdin.buffer)))))
