"""A small app API: it judges what the phone sends as the bank's API and switch would."""

import base64
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from sandbox import credentials

CHALLENGE = "c" * 43
TOKEN = "t" * 43
ADDRESS = "9800000001@exbank"


@dataclass
class AppApi:
    """Remembers every call; answers each path as the real API does on success."""

    device_key: ec.EllipticCurvePublicKey
    switch_key: rsa.RSAPrivateKey
    calls: list[tuple[str, str, dict, dict]] = field(default_factory=list)
    refusal: tuple[int, dict] | None = None
    looks: int = 0

    def start(self) -> str:
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                length = int(self.headers.get("Content-Length", 0))
                self.reply(api.post(self.path, json.loads(self.rfile.read(length)), self.headers))

            def do_GET(self):
                self.reply(api.get(self.path, self.headers))

            def reply(self, answer):
                status, document = answer
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def post(self, path: str, body: dict, headers) -> tuple[int, dict]:
        self.calls.append(("POST", path, body, dict(headers)))
        if self.refusal is not None:
            return self.refusal
        if path == "/app/v1/sessions/challenges":
            return 201, {"challenge": CHALLENGE}
        if path == "/app/v1/sessions":
            return self._session(body)
        if headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"code": "unauthenticated"}
        if path == "/app/v1/payments":
            return 202, {"txn_id": body["txn_id"], "status": "created"}
        return 202, {"id": "arq_1", "status": "pending"}

    def get(self, path: str, headers) -> tuple[int, dict]:
        self.calls.append(("GET", path, {}, dict(headers)))
        self.looks += 1
        if path == "/app/v1/accounts":
            return 200, {"data": [{"id": "acc_1"}]}
        if path.startswith("/live/"):
            return 200, {"status": "pending" if self.looks < 3 else "succeeded"}
        is_final = self.looks >= 3
        return 200, {"status": "succeeded", "finality": "final" if is_final else "provisional"}

    def opened(self, block: dict) -> credentials.Opened:
        """Open a block as the switch does."""
        return credentials.open_device_block(block["data"], self.switch_key)

    def _session(self, body: dict) -> tuple[int, dict]:
        text = f"upi-session|{body['device_id']}|{body['challenge']}".encode()
        signature = base64.b64decode(body["signature"])
        self.device_key.verify(signature, text, ec.ECDSA(hashes.SHA256()))
        return 201, {"token": TOKEN, "customer": {"address": ADDRESS}}
