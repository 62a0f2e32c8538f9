"""
The switch's address, played by a process that only acks and counts: the smallest peer there is.

Run as `python -m tests.benchmarks.counting_peer CERTIFICATES`; it prints its port, and when its
input ends, what came: when each message of a transaction arrived and which API it was.
"""

import asyncio
import pickle
import re
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.load_plan import Heard

ROOT = Path(__file__).resolve().parents[2]
_ACK = (
    b'<upi:Ack xmlns:upi="http://npci.org/upi/schema/" api="%s" reqMsgId="%s" err="" '
    b'ts="2026-01-01T00:00:00+05:30"/>'
)
_PATH = re.compile(rb"POST /upi/(\w+)/2.0/urn:txnid:(\w+) ")
_LENGTH = re.compile(rb"(?i)content-length: *(\d+)")
_MESSAGE_ID = re.compile(rb'<Head[^>]* msgId="(\w+)"')
_RESULT = re.compile(rb'<Resp [^>]*result="(\w+)"')


class Peer:
    """The process, until `heard` ends it."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self.port = port
        self._process = process

    def heard(self) -> list[Heard]:
        output, _ = self._process.communicate()
        heard: list[Heard] = pickle.loads(output)
        return heard


@contextmanager
def started(certificates: Path) -> Iterator[Peer]:
    """Start the peer with the switch's certificate."""
    command = [sys.executable, "-m", "tests.benchmarks.counting_peer", str(certificates)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield Peer(process, int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()


async def main(certificates: Path) -> None:
    """Ack until the input ends, then tell what came."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificates / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(certificates / "switch.pem", certificates / "switch.key")
    heard: list[Heard] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                body = await reader.readexactly(int(_found(_LENGTH, head)))
                at = time.monotonic()
                path = _PATH.match(head)
                assert path is not None, head
                result = _RESULT.search(body)
                told = result[1].decode() if result else ""
                heard.append(Heard(path[1].decode(), path[2].decode(), told, at))
                ack = _ACK % (path[1], _found(_MESSAGE_ID, body))
                length = str(len(ack)).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: " + length + b"\r\n\r\n" + ack)
        except (asyncio.IncompleteReadError, ConnectionResetError, asyncio.CancelledError):
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context, backlog=128)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    sys.stdout.buffer.write(pickle.dumps(heard))
    sys.stdout.flush()


def _found(pattern: re.Pattern[bytes], text: bytes) -> bytes:
    match = pattern.search(text)
    assert match is not None, text[:200]
    return match[1]


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
