"""
An open-loop load over kept-alive connections: a process of its own.

Requests leave when their time has come, whether or not earlier ones were answered, and each is
timed from that intended instant: a server that stalls cannot hide it by being asked less. A request
may have another that follows it: it is asked until its answer is final, as an app waits.
"""

import asyncio
import json
import pickle
import ssl
import subprocess
import sys
import time
from pathlib import Path

from tests.benchmarks.load_plan import Answer, Plan

ROOT = Path(__file__).resolve().parents[2]
CONNECTIONS = 32
LIVE = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
FOLLOW_SECONDS_MAX = 120.0
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def post(path: str, body: bytes, *, kind: str = "application/xml", **headers: str) -> bytes:
    """Return a POST as it goes over the wire."""
    named = {"Host": "127.0.0.1", "Content-Type": kind, "Content-Length": str(len(body)), **headers}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in named.items())
    return f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


def get(path: str, **headers: str) -> bytes:
    """Return a GET as it goes over the wire."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}\r\n".encode()


def drive(plan: Plan) -> list[Answer]:
    """Play a plan in another process and return the answers in the order of its requests."""
    command = [sys.executable, "-m", "tests.benchmarks.open_loop"]
    done = subprocess.run(
        command, input=pickle.dumps(plan), stdout=subprocess.PIPE, check=True, cwd=ROOT
    )
    answers: list[Answer] = pickle.loads(done.stdout)
    return answers


class _Door:
    """Connections to one port: an idle one is used again, else a new one is made."""

    def __init__(self, plan: Plan) -> None:
        self._port = plan.port
        self._context: ssl.SSLContext | None = None
        if plan.certificates is not None:
            self._context = ssl.create_default_context(cafile=plan.certificates / "ca.pem")
            self._context.load_cert_chain(
                plan.certificates / "switch.pem", plan.certificates / "switch.key"
            )
        self._idle: list[Streams] = []

    async def warm(self, count: int) -> None:
        opened = [await self._open() for _ in range(count)]
        for streams in opened:
            _, _, is_kept = await _answer_to(LIVE, streams)
            if is_kept:
                self._idle.append(streams)

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        streams = self._kept() or await self._open()
        try:
            status, content, is_kept = await _answer_to(request, streams)
        except (OSError, asyncio.IncompleteReadError):
            streams[1].close()
            return 0, b""
        # A plain worker of gunicorn serves one request of a connection, and says so.
        if is_kept:
            self._idle.append(streams)
        else:
            streams[1].close()
        return status, content

    def _kept(self) -> Streams | None:
        while self._idle:
            reader, writer = self._idle.pop()
            # The server ends what was idle for long.
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return None

    def close(self) -> None:
        for _, writer in self._idle:
            writer.close()

    async def _open(self) -> Streams:
        return await asyncio.open_connection("127.0.0.1", self._port, ssl=self._context)


async def _answer_to(request: bytes, streams: Streams) -> tuple[int, bytes, bool]:
    reader, writer = streams
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    said = head.lower()
    length = int(said.partition(b"content-length:")[2].partition(b"\r\n")[0])
    is_kept = b"connection: close" not in said
    return int(head.split(b" ", 2)[1]), await reader.readexactly(length), is_kept


async def run(plan: Plan) -> list[Answer]:
    """Send every request at its time and return the answers in the same order."""
    door = _Door(plan)
    await door.warm(CONNECTIONS)
    begun = max(plan.begins_at, time.monotonic() + 0.2)

    async def ask(place: int) -> Answer:
        intended = begun + place / plan.rate
        await asyncio.sleep(intended - time.monotonic())
        status, content = await door.ask(plan.requests[place])
        seconds = time.monotonic() - intended
        last, last_seconds = b"", 0.0
        if plan.follows and 200 <= status < 300:
            last = await _followed(door, plan.follows[place], until=intended + FOLLOW_SECONDS_MAX)
            last_seconds = time.monotonic() - intended
        return Answer(status, seconds, content, last, last_seconds, intended)

    answers = await asyncio.gather(*(ask(place) for place in range(len(plan.requests))))
    door.close()
    return answers


async def _followed(door: _Door, request: bytes, *, until: float) -> bytes:
    """Ask until the answer says that it is final; return nothing when it never does."""
    while time.monotonic() < until:
        status, content = await door.ask(request)
        if status == 200 and json.loads(content).get("finality") == "final":
            return content
        if status != 200:
            await asyncio.sleep(0.05)
    return b""


if __name__ == "__main__":
    sys.stdout.buffer.write(pickle.dumps(asyncio.run(run(pickle.load(sys.stdin.buffer)))))
