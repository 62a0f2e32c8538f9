"""The way out: one pooled HTTP client a process, and what became of each POST."""

import atexit
import functools
import os
import ssl
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import structlog
from django.conf import settings

from apps.upi import timers
from apps.upi.acknowledgement import decode_ack
from apps.upi.contracts import SendResult
from apps.upi.errors import RefusedError
from apps.upi.timer_models import Timer

log = structlog.get_logger(__name__)

VERSION = "2.0"
# Below the time after which peers usually close: a request on a closing connection is silence.
_KEEP_ALIVE_SECONDS = 5
_OK = 200
# Circular OC-215: these statuses mean that the request was not taken and must not be checked on.
_REFUSING_STATUSES = frozenset({403, 404, 413, 417, 429, 501, 503})
_USER_AGENT = "upi-platform"
_LOCK = threading.Lock()


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
    # Asked for here, not in the threads: a cache lets two at the same moment make two pools.
    with _LOCK:
        client, threads = _client(os.getpid()), _threads(os.getpid())
    patience = httpx.Timeout(
        timers.seconds(Timer.ACK_READ), connect=timers.seconds(Timer.ACK_CONNECT)
    )
    post = functools.partial(_post, client, patience.as_dict())
    if len(parcels) == 1:
        return [post(parcels[0])]
    return list(threads.map(post, parcels))


def _post(client: httpx.Client, patience: dict[str, float | None], parcel: Parcel) -> Posted:
    url = f"{settings.UPI_SWITCH_URL}/upi/{parcel.api}/{VERSION}/urn:txnid:{parcel.txn_id}"
    # Circular OC-215A: no other header may reach the switch, so httpx must not add its own.
    headers = {"Content-Type": "application/xml", "User-Agent": _USER_AGENT}
    request = httpx.Request(
        "POST",
        url,
        headers=headers,
        content=parcel.body,
        extensions={"timeout": patience},
    )
    try:
        response = client.send(request)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
        return Posted(SendResult.NOT_SENT)
    except httpx.HTTPError as error:
        log.warning("post_silent", api=parcel.api, error=type(error).__name__)
        return Posted(SendResult.SILENT)
    return _judge(parcel, response)


def _judge(parcel: Parcel, response: httpx.Response) -> Posted:
    if response.status_code in _REFUSING_STATUSES:
        return Posted(SendResult.NACKED, f"HTTP{response.status_code}")
    if response.status_code != _OK:
        return Posted(SendResult.SILENT)
    try:
        ack = decode_ack(response.content)
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
    if _client.cache_info().currsize:
        _client(os.getpid()).close()
    _client.cache_clear()


@functools.lru_cache(maxsize=1)
def _client(_process: int) -> httpx.Client:
    # By process: a pool that is shared over a fork would give one answer to two askers.
    return httpx.Client(
        limits=httpx.Limits(
            max_connections=settings.CLAIM_SEND_MAX,
            max_keepalive_connections=settings.CLAIM_SEND_MAX,
            keepalive_expiry=_KEEP_ALIVE_SECONDS,
        ),
        verify=_proof(),
        follow_redirects=False,
        trust_env=False,
    )


def _proof() -> ssl.SSLContext | bool:
    """Return how the switch's certificate is checked and ours is shown to it."""
    if not settings.UPI_TLS_CA:
        return True
    context = ssl.create_default_context(cafile=settings.UPI_TLS_CA)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.UPI_TLS_CERTIFICATE, settings.UPI_TLS_KEY)
    return context


@functools.lru_cache(maxsize=1)
def _threads(_process: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings.CLAIM_SEND_MAX, thread_name_prefix="upi-post")


atexit.register(close)
