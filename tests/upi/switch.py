"""A switch that takes our POSTs on a real socket and acks, refuses, stays silent or goes away."""

import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from lxml import etree

from tests.upi import wire

STOP_LOOK_SECONDS = 0.02


@dataclass
class Posted:
    path: str
    headers: dict[str, str]
    body: bytes
    certificate: dict[str, Any] = field(default_factory=dict)

    @property
    def root(self) -> etree._Element:
        return etree.fromstring(self.body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class Switch:
    """What came is in `posted`; `plan` says how to answer each POST in turn, then it acks."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.posted: list[Posted] = []
        self.plan: list[str] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        # It looks so often whether it is to stop, and most tests stop one.
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(STOP_LOOK_SECONDS,), daemon=True
        )
        scheme = "http"
        if tls is not None:
            scheme = "https"
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _take(self, posted: Posted) -> str:
        with self._lock:
            self.posted.append(posted)
            return self.plan.pop(0) if self.plan else "ack"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        switch = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                is_secure = isinstance(self.connection, ssl.SSLSocket)
                certificate = self.connection.getpeercert() if is_secure else None
                headers = dict(self.headers.items())
                action = switch._take(Posted(self.path, headers, body, certificate or {}))
                if action == "silent":
                    self.close_connection = True
                    return
                status = int(action) if action.isdecimal() else 200
                answer = b"<html/>" if action == "garbage" else ack_of(body, action)
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def ack_of(body: bytes, action: str) -> bytes:
    root = etree.fromstring(body)
    ack = etree.Element(f"{{{wire.UPI}}}Ack", nsmap={"upi": wire.UPI})
    ack.set("api", etree.QName(root).localname)
    ack.set("reqMsgId", "X1" if action == "other" else root.find("Head").get("msgId"))
    ack.set("err", action.removeprefix("nack:") if action.startswith("nack:") else "")
    ack.set("ts", wire.now().isoformat())
    return etree.tostring(ack)
