"""A merchant's server on a real socket: polite, failing, slow, endless or redirecting."""

import contextlib
import socket
import threading
import time
from dataclasses import dataclass
from typing import Self


@dataclass
class Call:
    head: bytes
    body: bytes

    @property
    def headers(self) -> dict[str, str]:
        lines = self.head.decode().split("\r\n")[1:]
        pairs = (line.partition(": ") for line in lines)
        return {name.lower(): value for name, _, value in pairs}


class ShopServer:
    """Takes calls and answers each by `plan` in turn, then with 200."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.plan: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._socket.close()

    def _serve(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=[connection], daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            head, _, body = _read(connection)
            self.calls.append(Call(head, body))
            action = self.plan.pop(0) if self.plan else "200"
            getattr(self, f"_{action}", self._status)(connection, action)

    def _status(self, connection: socket.socket, action: str) -> None:
        connection.sendall(f"HTTP/1.1 {action} X\r\nContent-Length: 0\r\n\r\n".encode())

    def _redirect(self, connection: socket.socket, _: str) -> None:
        place = f"Location: http://127.0.0.1:{self.port}/inside"
        connection.sendall(f"HTTP/1.1 302 Found\r\n{place}\r\n\r\n".encode())

    def _garbage(self, connection: socket.socket, _: str) -> None:
        connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")

    def _silent(self, connection: socket.socket, _: str) -> None:
        self._closing.wait(30)

    def _drip(self, connection: socket.socket, _: str) -> None:
        for sign in b"HTTP/1.1 200 OK\r\n" * 1000:
            connection.sendall(bytes([sign]))
            time.sleep(0.05)

    def _endless(self, connection: socket.socket, _: str) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while not self._closing.is_set():
            connection.sendall(b"X-Pad: " + b"x" * 8000 + b"\r\n")

    def _bomb(self, connection: socket.socket, _: str) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")
        while not self._closing.is_set():
            connection.sendall(b"\x1f\x8b" + b"\x00" * 65536)


def _read(connection: socket.socket) -> tuple[bytes, bytes, bytes]:
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, mark, body = received.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"Content-Le")
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head, mark, body
