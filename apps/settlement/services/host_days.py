"""Fetch the core-banking host's day files, take them as proof, and hold our side against them."""

import datetime as dt
import ssl
from collections import Counter

import httpx
import structlog
from django.conf import settings
from django.core.cache import cache

from apps.common.errors import DomainError
from apps.settlement import host_selectors
from apps.settlement.contracts import Reconciliation
from apps.settlement.errors import HostDayOpenError, HostFileUnavailableError
from apps.settlement.host_selectors import FETCH_MARK
from apps.settlement.services.reconcile_host import reconcile_host
from apps.settlement.services.take_host_file import take_host_file
from apps.settlement.strict_csv import BYTES_MAX

log = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 30.0


def fetch_host_file(date: dt.date) -> bytes:
    """
    Return the file of a business day as the host gives it.

    Raises HostDayOpenError while the host's day lasts, HostFileUnavailableError for all else.
    """
    if not settings.CORE_BANKING_FILES_URL:
        raise HostFileUnavailableError("CORE_BANKING_FILES_URL is not set")
    url = f"{settings.CORE_BANKING_FILES_URL}/{date}"
    content = bytearray()
    try:
        with httpx.stream("GET", url, timeout=TIMEOUT_SECONDS, verify=_peer(url)) as answer:
            if answer.status_code == httpx.codes.CONFLICT:
                raise HostDayOpenError(f"{date} is not over at the host")
            answer.raise_for_status()
            for part in answer.iter_bytes():
                content += part
                if len(content) > BYTES_MAX:
                    raise HostFileUnavailableError("the file is larger than any day's")
    except (httpx.HTTPError, OSError) as error:
        raise HostFileUnavailableError(f"the host gave no file: {error}") from error
    return bytes(content)


def take_due_days(*, now: dt.datetime) -> int:
    """
    Take and compare each day that is over and has no file yet; return how many were taken.

    A day that cannot be had is asked for again after a while, and the days after it wait.
    """
    if not host_selectors.host_file_is_due():
        return 0
    if not cache.add(FETCH_MARK, 1, settings.HOST_FILE_RETRY_SECONDS):
        return 0
    taken = 0
    for date in host_selectors.missing_days(now=now, limit=settings.HOST_FILE_DAYS_MAX):
        try:
            ended = take_host_file(fetch_host_file(date), date=date, now=now)
        except DomainError as error:
            log.warning("host_file_not_taken", date=str(date), code=error.code)
            return taken
        _tell(reconcile_host(date=date), ended=ended)
        taken += 1
    return taken


def _tell(found: Reconciliation, *, ended: int) -> None:
    breaks = Counter(each.kind.value for each in found.breaks)
    say = log.error if breaks else log.info
    say("host_day_reconciled", date=str(found.date), ended=ended, breaks=dict(breaks))


def _peer(url: str) -> ssl.SSLContext | bool:
    """Return how the host proves itself, and we to it: as on its other door."""
    options = settings.CORE_BANKING["OPTIONS"]
    if not url.startswith("https:") or not options.get("tls_ca"):
        return True
    context = ssl.create_default_context(cafile=options["tls_ca"])
    context.load_cert_chain(options["tls_certificate"], options["tls_key"])
    return context
