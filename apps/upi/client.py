"""The way out: kept-alive connections of this process, and what became of each POST."""

import atexit
import functools
import http.client
import os
import ssl
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import structlog
from django.conf import settings

from apps.upi import timers
from apps.upi.acknowledgement import decode_ack
from apps.upi.connections import Connection, Connections, Reply
from apps.upi.contracts import SendResult
from apps.upi.errors import RefusedError
from apps.upi.timer_models import Timer

log = structlog.get_logger(__name__)

VERSION = "2.0"
_OK = 200
# Circular OC-215: these statuses mean that the request was not taken and must not be checked on.
_REFUSING_STATUSES = frozenset({403, 404, 413, 417, 429, 501, 503})
_USER_AGENT = "upi-platform"
_KIND = "application/xml"
_LOCK = threading.Lock()
_OPEN: dict[tuple[int, str], Connections] = {}


@dataclass(frozen=True, slots=True)
class Parcel:
    """Signed bytes, and the names under which they are posted and acked."""

    api: str
    txn_id: str
    msg_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of one POST; `code` is the reason of a negative Ack."""

    result: SendResult
    code: str = ""


def post_many(parcels: Sequence[Parcel]) -> list[Posted]:
    """Post in parallel, CLAIM_SEND_MAX at a time. No transaction is open, for this waits."""
    # Asked for here, not in the threads: two at the same moment would make two pools.
    with _LOCK:
        connections, threads = _connections(), _threads(os.getpid())
    post = functools.partial(
        _post,
        connections,
        timers.seconds(Timer.ACK_CONNECT),
        timers.seconds(Timer.ACK_READ),
    )
    if len(parcels) == 1:
        return [post(parcels[0])]
    return list(threads.map(post, parcels))


def _post(
    connections: Connections, connect_seconds: float, read_seconds: float, parcel: Parcel
) -> Posted:
    try:
        connection = connections.take(connect_seconds=connect_seconds)
    except OSError as error:
        log.info("switch_not_reached", api=parcel.api, error=type(error).__name__)
        return Posted(SendResult.NOT_SENT)
    try:
        reply = _exchange(connection, parcel, read_seconds)
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        log.warning("post_silent", api=parcel.api, error=type(error).__name__)
        return Posted(SendResult.SILENT)
    except BaseException:
        connection.close()
        raise
    connections.give_back(connection)
    return _judge(parcel, reply)


def _exchange(connection: Connection, parcel: Parcel, read_seconds: float) -> Reply:
    return connection.post(
        f"/upi/{parcel.api}/{VERSION}/urn:txnid:{parcel.txn_id}",
        parcel.body,
        kind=_KIND,
        agent=_USER_AGENT,
        read_seconds=read_seconds,
        bytes_max=settings.UPI_MESSAGE_BYTES_MAX,
    )


def _judge(parcel: Parcel, reply: Reply) -> Posted:
    if reply.status in _REFUSING_STATUSES:
        return Posted(SendResult.NACKED, f"HTTP{reply.status}")
    if reply.status != _OK:
        return Posted(SendResult.SILENT)
    try:
        ack = decode_ack(reply.body)
    except RefusedError:
        log.warning("ack_unreadable", api=parcel.api, msg_id=parcel.msg_id)
        return Posted(SendResult.SILENT)
    if ack.is_positive and (ack.api, ack.req_msg_id) != (parcel.api, parcel.msg_id):
        log.warning("ack_of_another_message", api=parcel.api, msg_id=parcel.msg_id)
        return Posted(SendResult.SILENT)
    if ack.is_positive:
        return Posted(SendResult.ACKED)
    return Posted(SendResult.NACKED, ack.err or ack.errors[0].code or "U05")


def close() -> None:
    """Close this process's connections; the next POST opens new ones."""
    while _OPEN:
        _OPEN.popitem()[1].close()


def _connections() -> Connections:
    # By process: a pool that is shared over a fork would give one answer to two askers.
    key = (os.getpid(), settings.UPI_SWITCH_URL)
    if key not in _OPEN:
        close()
        _OPEN[key] = Connections(
            settings.UPI_SWITCH_URL,
            _proof() if settings.UPI_SWITCH_URL.startswith("https:") else None,
            idle_seconds=settings.UPI_SWITCH_KEEP_ALIVE_SECONDS,
        )
    return _OPEN[key]


def _proof() -> ssl.SSLContext:
    """Return how the switch's certificate is checked and ours is shown to it."""
    if not settings.UPI_TLS_CA:
        return ssl.create_default_context()
    context = ssl.create_default_context(cafile=settings.UPI_TLS_CA)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.UPI_TLS_CERTIFICATE, settings.UPI_TLS_KEY)
    return context


@functools.lru_cache(maxsize=1)
def _threads(_process: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings.CLAIM_SEND_MAX, thread_name_prefix="upi-post")


atexit.register(close)
