"""The path router between real clients and real services, over real connections."""

import asyncio
import http.client
import http.server
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from deploy.local.children import wait_until
from deploy.local.directory import REPOSITORY
from deploy.local.ports import Ports, is_free
from deploy.local.router import BODY_BYTES_MAX, Router

POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


class Service(http.server.BaseHTTPRequestHandler):
    """Tells what it received; `/live/v1/stream` sends pieces without saying how many."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/live/v1/stream":
            self.send_response(200)
            self.send_header("Connection", "close")
            self.end_headers()
            for number in range(3):
                self.wfile.write(b"piece %d\n" % number)
                self.wfile.flush()
            self.close_connection = True
            return
        self.answer(b"")

    do_HEAD = do_GET  # noqa: N815 - the base class calls it so

    def do_POST(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline() or b"0", 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer(body)

    def answer(self, body):
        told = {
            "service": self.server.name,
            "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "bytes": len(body),
        }
        content = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def router(shared_directory) -> Iterator[int]:
    """The port of a router before three services, of which `live` is down until asked for."""
    servers = {}
    for name in ("payments", "live", "rest"):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
        server.name = name
        # A request that the router broke off is what some tests are about.
        server.handle_error = lambda *_: None
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers[name] = server
    ports = Ports(shared_directory.ports_file)
    port, nowhere = ports.take("router"), ports.take("nowhere")
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "deploy.local.router", "--port", str(port)),
            *("--upstream", f"payments=127.0.0.1:{servers['payments'].server_port}"),
            *("--upstream", f"live=127.0.0.1:{servers['live'].server_port}"),
            *("--upstream", f"vpa=127.0.0.1:{nowhere}"),
            *("--upstream", f"*=127.0.0.1:{servers['rest'].server_port}"),
        ],
        cwd=REPOSITORY,
    )
    assert wait_until(lambda: not is_free(port), seconds=10)
    yield port
    process.terminate()
    assert process.wait(5) == 0
    for server in servers.values():
        server.shutdown()
        server.server_close()
    ports.release()


@pytest.fixture
def connection(router) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", router, timeout=10)
    yield connection
    connection.close()


def ask(connection, method, path, body=None, headers=None):
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    return answer, answer.read()


def test_each_path_goes_to_its_service_on_one_connection(connection):
    told = [
        json.loads(ask(connection, "GET", path)[1])
        for path in ("/v1/payments", "/live/v1/payments/1?wait=1", "/admin/", "/")
    ]
    socket_used = connection.sock

    assert [(each["service"], each["path"]) for each in told] == [
        ("payments", "/v1/payments"),
        ("live", "/live/v1/payments/1?wait=1"),
        ("rest", "/admin/"),
        ("rest", "/"),
    ]
    assert socket_used is not None


@pytest.mark.parametrize("size", [0, 1, 200_000])
def test_a_body_arrives_whole(connection, size):
    _, told = ask(connection, "POST", "/v1/orders", b"x" * size)

    assert json.loads(told)["bytes"] == size


def test_a_body_in_chunks_arrives_whole(connection):
    pieces = iter([b"a" * 10, b"b" * 70_000, b"c"])

    _, told = ask(connection, "POST", "/v1/orders", pieces)

    assert json.loads(told)["bytes"] == 70_011
    assert ask(connection, "GET", "/")[0].status == 200


def test_the_service_is_told_who_asked_and_not_what_the_client_says_of_it(connection):
    headers = {"X-Forwarded-For": "10.9.8.7", "X-Forwarded-Proto": "https", "Te": "trailers"}

    _, told = ask(connection, "GET", "/", headers=headers)

    passed = json.loads(told)["headers"]
    assert passed["x-forwarded-for"] == "127.0.0.1"
    assert passed["x-forwarded-proto"] == "http"
    assert "te" not in passed


def test_an_answer_without_a_length_ends_with_the_connection(connection):
    answer, body = ask(connection, "GET", "/live/v1/stream")

    assert body == b"piece 0\npiece 1\npiece 2\n"
    assert answer.headers["Connection"] == "close"


def test_an_answer_to_head_has_no_body(connection):
    answer, body = ask(connection, "HEAD", "/")

    assert (answer.status, body) == (200, b"")
    assert ask(connection, "GET", "/")[0].status == 200


def test_a_service_that_is_down_is_a_bad_gateway(connection):
    answer, body = ask(connection, "GET", "/app/v1/vpas")

    assert answer.status == 502
    assert json.loads(body) == {"title": "The service vpa does not answer", "status": 502}


@pytest.mark.parametrize(
    ("_case", "request_bytes"),
    [
        ("no request line",   b"hello\r\n\r\n"),
        ("two framings",      POST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0"),
        ("two lengths",       POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
        ("a broken chunk",    CHUNKED + b"xyz\r\n"),
        ("a negative chunk",  CHUNKED + b"-5\r\n" + b"a" * 1000),
        ("a prefixed chunk",  CHUNKED + b"0x1\r\na\r\n0\r\n\r\n"),
        ("an endless length", POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n"),
        ("a negative length", POST + b"Content-Length: -1\r\n\r\n"),
        ("another coding",    POST + b"Transfer-Encoding: xchunked\r\n\r\n1\r\na\r\n0\r\n\r\n"),
        ("a coding too many", POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n"),
        ("a long chunk",      CHUNKED + b"1\r\nab\r\n0\r\n\r\n"),
        ("endless trailers",  CHUNKED + b"0\r\n" + b"a: b\r\n" * 20_000),
        ("a field's blank",   b"GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
        ("a giant head",      b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n"),
    ],
)  # fmt: skip
def test_what_is_not_http_is_refused_and_passed_to_nobody(router, _case, request_bytes):
    with socket.create_connection(("127.0.0.1", router), timeout=10) as client:
        client.sendall(request_bytes)
        answer = client.recv(1000)

    assert answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    ("_case", "request_bytes"),
    [
        ("by its length", POST + b"Content-Length: %d\r\n\r\n" % (BODY_BYTES_MAX + 1)),
        ("by its chunks", CHUNKED
                               + (b"10000\r\n" + b"x" * 0x10000 + b"\r\n") * 9),
    ],
)  # fmt: skip
def test_a_body_that_is_too_large_is_refused_and_passed_to_nobody(router, _case, request_bytes):
    with socket.create_connection(("127.0.0.1", router), timeout=10) as client:
        client.sendall(request_bytes)
        answer = client.recv(1000)

    assert answer.startswith(b"HTTP/1.1 413 ")


def test_the_largest_body_arrives_whole(connection):
    _, told = ask(connection, "POST", "/v1/orders", b"x" * BODY_BYTES_MAX)

    assert json.loads(told)["bytes"] == BODY_BYTES_MAX


def test_whoever_waits_to_be_told_to_go_on_is_told(router):
    with socket.create_connection(("127.0.0.1", router), timeout=10) as client:
        client.sendall(POST + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        told = client.recv(1000)
        client.sendall(b"ab")
        answer = client.recv(1000)

    assert told == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_a_service_hears_nothing_of_a_request_that_has_not_come_whole():
    """Its workers are few: a thousand clients that send slowly must not hold one of them."""
    connections = []

    async def scene():
        service = await asyncio.start_server(lambda *pair: connections.append(pair), "127.0.0.1", 0)
        upstream = service.sockets[0].getsockname()
        serving = await Router({"*": upstream}, request_seconds=0.5).serve(0)
        slow = [await asyncio.open_connection(*serving.sockets[0].getsockname()) for _ in range(20)]
        for _, writer in slow:
            writer.write(POST + b"Content-Length: 10\r\n\r\n123")
        answers = [await reader.readline() for reader, _ in slow]
        for _, writer in slow:
            writer.close()
        for server in (serving, service):
            server.close()
            await server.wait_closed()
        return answers

    assert asyncio.run(scene()) == [b"HTTP/1.1 408 Request Timeout\r\n"] * 20
    assert connections == []


def test_a_head_that_never_ends_is_cut_off():
    async def scene():
        serving = await Router({}, request_seconds=0.5).serve(0)
        reader, writer = await asyncio.open_connection(*serving.sockets[0].getsockname())
        writer.write(b"GET / HTTP/1.1\r\nHo")
        rest = await reader.read()
        writer.close()
        serving.close()
        await serving.wait_closed()
        return rest

    assert asyncio.run(scene()) == b""
