"""Whether a process lives, and whether it should be sent work."""

from collections.abc import Callable

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

from apps.messaging.selectors import default_partitions_with_rows
from apps.upi.selectors import organisation
from hsm.ceremony import missing_keys
from hsm.errors import HsmError, TokenUnfitError

_REDIS_TIMEOUT_SECONDS = 0.5


def live(request: HttpRequest) -> JsonResponse:
    """Answer 200: the process runs. It asks nothing of anybody, so that it cannot be wrong."""
    del request
    return JsonResponse({"status": "live"})


def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 when everything that this process needs answers; else 503, and what does not."""
    del request
    checks = {name: check() for name, check in _CHECKS.items()}
    is_ready = all(state == "ok" for state in checks.values())
    document = {
        "status": "ready" if is_ready else "not_ready",
        "checks": checks,
        "details": {"switch": _switch()},
    }
    return JsonResponse(document, status=200 if is_ready else 503)


def _switch() -> str:
    # A detail, not a check: a switch that is down makes no process of ours unfit.
    try:
        peer = organisation(settings.UPI_SWITCH_ORG_ID)
    except DatabaseError:
        return "unknown"
    if peer is None:
        return "unknown"
    return "up" if peer.is_up else "down"


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "unavailable"
    return "ok"


def _partitions() -> str:
    """Rows in a DEFAULT partition mean that nobody made the month's partitions in time."""
    try:
        tables = default_partitions_with_rows()
    except DatabaseError:
        return "unavailable"
    return f"rows in {', '.join(tables)}" if tables else "ok"


def _redis() -> str:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=_REDIS_TIMEOUT_SECONDS)
    try:
        client.ping()
    except redis.RedisError:
        return "unavailable"
    finally:
        client.close()
    return "ok"


def _hsm() -> str:
    # The keys were audited at the login; those that this bank needs must be there as well.
    try:
        absent = missing_keys()
    except TokenUnfitError:
        return "unfit"
    except HsmError:
        return "unavailable"
    return f"missing: {', '.join(absent)}" if absent else "ok"


_CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "partitions": _partitions,
    "redis": _redis,
    "hsm": _hsm,
}
