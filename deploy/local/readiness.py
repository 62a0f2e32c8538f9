"""Whether a started part is ready: one look, which never waits long."""

import http.client
import socket
from pathlib import Path
from urllib.parse import urlsplit

from deploy.local.process_file import Ready

LOOK_SECONDS = 0.5
OK_MAX = 399


def is_ready(sign: Ready, *, printed: bool) -> bool:
    """Look once for the sign; `printed` says whether the text of an `output` sign was seen."""
    if sign.kind == "http":
        return _answers_http(sign.value)
    if sign.kind == "tcp":
        return _accepts(sign.value)
    if sign.kind == "file":
        return Path(sign.value).exists()
    assert sign.kind == "output"
    return printed


def _answers_http(address: str) -> bool:
    url = urlsplit(address)
    assert url.hostname is not None
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=LOOK_SECONDS)
    try:
        connection.request("GET", url.path or "/")
        return connection.getresponse().status <= OK_MAX
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _accepts(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=LOOK_SECONDS):
            return True
    except OSError:
        return False
