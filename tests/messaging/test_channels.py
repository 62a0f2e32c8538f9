"""Text messages: handed to a gateway that may refuse, break, or say nothing."""

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from apps.messaging import channels
from apps.messaging.errors import ChannelUnavailableError


class Gateway(BaseHTTPRequestHandler):
    status = 202
    seen: list[tuple[str, dict[str, str]]] = []
    is_silent = threading.Event()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Gateway.seen.append((self.path, json.loads(body)))
        if Gateway.is_silent.is_set():
            self.close_connection = True
            return
        self.send_response(Gateway.status)
        self.send_header("Content-Length", "0")
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()

    def log_message(self, *_arguments):
        """Say nothing."""


@pytest.fixture
def gateway(settings):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    settings.SMS_GATEWAY_URL = f"http://127.0.0.1:{server.server_port}/"
    Gateway.seen, Gateway.status = [], 202
    Gateway.is_silent.clear()
    channels.close()
    yield Gateway
    server.shutdown()
    server.server_close()
    channels.close()


def test_a_text_message_reaches_the_gateway(gateway):
    channels.send_sms("9876500001", "Your OTP is 123456")

    assert gateway.seen == [("/sms", {"to": "9876500001", "text": "Your OTP is 123456"})]


@pytest.mark.parametrize("status", [400, 500, 503, 302])
def test_a_gateway_that_does_not_take_it_is_not_believed(gateway, status):
    gateway.status = status

    with pytest.raises(ChannelUnavailableError, match=str(status)):
        channels.send_sms("9876500001", "Your OTP is 123456")

    assert len(gateway.seen) == 1


def test_a_gateway_that_breaks_off_shows_nothing_of_the_message(gateway):
    gateway.is_silent.set()

    with pytest.raises(ChannelUnavailableError) as refused:
        channels.send_sms("9876500001", "Your OTP is 123456")

    assert refused.value.__cause__ is None
    assert "123456" not in str(refused.value)
    assert "9876500001" not in str(refused.value)


def test_a_gateway_that_is_away_is_unavailable(settings):
    settings.SMS_GATEWAY_URL = "http://127.0.0.1:1"

    with pytest.raises(ChannelUnavailableError):
        channels.send_sms("9876500001", "text")


@pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")
def test_a_forked_process_has_connections_of_its_own(gateway):
    channels.send_sms("9876500001", "one")
    parents = channels._gateway(os.getpid())
    child = os.fork()
    if child == 0:
        is_own = False
        try:
            channels.send_sms("9876500001", "two")
            is_own = channels._gateway(os.getpid()) is not parents
        finally:
            os._exit(0 if is_own else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert [text["text"] for _, text in gateway.seen] == ["one", "two"]
