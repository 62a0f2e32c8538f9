"""The ways in which the bank reaches a person; so far, text messages."""

import functools
import os

import httpx
from django.conf import settings

from apps.messaging.errors import ChannelUnavailableError

CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 3.0
CONNECTIONS_MAX = 20


def send_sms(mobile: str, text: str) -> None:
    """
    Hand a text message to the gateway, which delivers it when it can.

    The text may hold a one-time password: neither it nor the number is ever logged. No transaction
    is open here. Raises ChannelUnavailableError when the gateway did not say that it took it; it
    may have, so whoever repeats must be able to bear two messages.
    """
    try:
        answer = _gateway(os.getpid()).post(
            f"{settings.SMS_GATEWAY_URL.rstrip('/')}/sms", json={"to": mobile, "text": text}
        )
    except httpx.HTTPError as error:
        # Not chained: the original may print the request.
        raise ChannelUnavailableError(f"the gateway failed: {type(error).__name__}") from None
    if not answer.is_success:
        raise ChannelUnavailableError(f"the gateway answered {answer.status_code}")


def close() -> None:
    """Close this process's connections to the gateway; the next message opens a new one."""
    if _gateway.cache_info().currsize:
        _gateway(os.getpid()).close()
    _gateway.cache_clear()


@functools.lru_cache(maxsize=1)
def _gateway(_process: int) -> httpx.Client:
    # By process: over a fork, two would write to one connection and read each other's answers.
    return httpx.Client(
        timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
        limits=httpx.Limits(max_connections=CONNECTIONS_MAX),
        follow_redirects=False,
        trust_env=False,
    )
