"""
A part of the bank in one process that dies and comes back: `web`, or `work`.

The parent loads the platform once and forks the part; one that dies is forked again at once. Lines
on standard input set, in the living part, where it shall die next (`fault NAME:FILE`), or where it
writes the points it passes (`trace FILE`); `stop` ends both. Lines on standard output say when a
part is up, and when one has died.
"""

import functools
import importlib
import json
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
import psycopg
from django.conf import settings
from django.db import close_old_connections

IDLE_SECONDS = 0.01
# What waits for whom, by one statement whose plan is made once: to ask each step costs a core.
DUE = """
    SELECT DISTINCT role FROM payments_leg
     WHERE next_action_at <= clock_timestamp() AND parked_at IS NULL
    UNION ALL SELECT 'deliver' WHERE EXISTS (
        SELECT FROM upi_exchange WHERE next_action_at <= clock_timestamp())
    UNION ALL SELECT 'deliver' WHERE EXISTS (
        SELECT FROM upi_exchange_repeat WHERE next_action_at <= clock_timestamp())
"""
# Whoever died is followed by another claim soon, so that the test need not wait for it.
SHORT = {
    "LEASE_PIN_SECONDS": 0.5,
    "LEASE_WIRE_SECONDS": 0.5,
    "LEASE_POST_SECONDS": 0.5,
    "UPI_TIMERS_FIXED": {
        "CHECK_FIRST_AFTER": 2.0,
        "CHECK_NOT_BEFORE": 0.0,
        "CHECK_WINDOW": 24_000.0,
        "ANSWER_RESEND_FIRST": 0.5,
        "ANSWER_RESEND_SECOND": 1.0,
    },
}
# A bank's host is asked and asked again within a test; a posting's lease is twice its patience.
SHORT_AT_HOST = {
    "LEASE_POST_SECONDS": 3.0,
    "HOST_ENQUIRY_SECONDS": (0.1, 0.1, 0.2),
    "HOST_CANCEL_SECONDS": (0.0, *[0.3] * 12),
    "HOST_RETRY_SECONDS": 0.1,
}
ORDERS = {"fault": "FAULT_AT", "trace": "FAULT_TRACE"}


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 64


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def say(word: str) -> None:
    os.write(1, f"{word}\n".encode())


def serve(port: int) -> None:
    """The receiver and the APIs."""
    wsgi = importlib.import_module("upi_platform.wsgi")
    server = make_server("127.0.0.1", port, wsgi.application, Server, Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def work(_: int) -> None:
    """Every drainer of a payment, each in a thread of its own."""
    advance = importlib.import_module("apps.payments.services.advance").advance
    deliver = importlib.import_module("apps.upi.services.deliver").deliver_due
    roles = importlib.import_module("apps.payments.states").Role
    steps: dict[str, Callable[[], int]] = {
        role.value: functools.partial(advance, role) for role in roles
    }
    bells = {name: threading.Event() for name in (*steps, "deliver")}
    for name, step in {**steps, "deliver": deliver}.items():
        threading.Thread(target=drain, args=(step, bells[name]), daemon=True).start()
    threading.Thread(target=ring, args=(bells,), daemon=True).start()


def ring(bells: dict[str, threading.Event]) -> None:
    """Ring the bell of whoever has work."""
    entry = settings.DATABASES["default"]
    with psycopg.connect(
        host=entry["HOST"],
        port=entry["PORT"],
        user=entry["USER"],
        password=entry["PASSWORD"],
        dbname=entry["NAME"],
        autocommit=True,
    ) as connection:
        connection.execute("SET plan_cache_mode = force_generic_plan")
        while True:
            for (name,) in connection.execute(DUE, prepare=True).fetchall():
                bells[name].set()
            time.sleep(IDLE_SECONDS)


def drain(step: Callable[[], int], bell: threading.Event) -> None:
    while True:
        bell.wait()
        bell.clear()
        try:
            while step():
                pass
        except Exception as error:  # noqa: BLE001 - a worker lives on; the test looks at the books
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            close_old_connections()


PARTS = {"web": serve, "work": work}


def live(part: str, port: int, orders: int, changes: dict[str, Any]) -> None:
    """Be the part until death, and do as ordered."""
    for name, value in {**SHORT, **(SHORT_AT_HOST if changes else {}), **changes}.items():
        setattr(settings, name, value)
    PARTS[part](port)
    say("up")
    buffer = b""
    while data := os.read(orders, 4096):
        buffer += data
        *lines, buffer = buffer.split(b"\n")
        for line in lines:
            order, _, value = line.decode().partition(" ")
            setattr(settings, ORDERS[order], value)
            say(f"ok {order}")


def main(part: str, port: int, changes: dict[str, Any]) -> None:
    """Fork the part, again and again; everything is imported before, and nothing opened."""
    django.setup()
    for name in ("upi_platform.wsgi", "upi_platform.urls", "apps.payments.services.advance"):
        importlib.import_module(name)
    while True:
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(writer)
            live(part, port, reader, changes)
            os._exit(0)
        os.close(reader)
        if not attend(child, writer):
            return
        os.close(writer)
        say("died")


def attend(child: int, writer: int) -> bool:
    """Hand on orders while the part lives; return False when told to stop."""
    while True:
        ready, _, _ = select.select([0], [], [], 0.01)
        if ready:
            line = sys.stdin.readline()
            if not line or line.strip() == "stop":
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                return False
            os.write(writer, line.encode())
        if os.waitpid(child, os.WNOHANG)[0]:
            return True


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]))
