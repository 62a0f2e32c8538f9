"""Take the core-banking host's day file as proof: once, whole; then end what files prove."""

import datetime as dt
import hashlib
from collections.abc import Sequence

from django.db import transaction

from apps.common import clock
from apps.settlement import host_file, host_selectors
from apps.settlement.contracts import HostLine
from apps.settlement.errors import HostDayOpenError, HostFileDiffersError, HostMissingError
from apps.settlement.models import HostFile, HostFileLine
from apps.settlement.services.end_by_host_files import end_proved

_BATCH = 5_000


def take_host_file(content: bytes, *, date: dt.date, now: dt.datetime) -> int:
    """
    Keep a business day's file, and end what all files prove; return how many that ended.

    Again, the same file changes nothing but what was not ended before. A day is taken when it is
    over by our calendar too: then no call of it can still be on its way.

    Raises HostMissingError, HostDayOpenError, HostFileInvalidError, HostFileDiffersError; then
    nothing was taken.
    """
    if not host_selectors.has_host():
        raise HostMissingError
    if date >= clock.business_date(now):
        raise HostDayOpenError(f"{date} is not over")
    lines = host_file.read(content, date=date)
    _keep(lines, date=date, digest=hashlib.sha256(content).digest())
    return end_proved(now=now)


@transaction.atomic(durable=True)
def _keep(lines: Sequence[HostLine], *, date: dt.date, digest: bytes) -> None:
    file, is_new = HostFile.objects.get_or_create(
        business_date=date, defaults={"digest": digest, "rows": len(lines)}
    )
    if not is_new:
        if bytes(file.digest) != digest:
            raise HostFileDiffersError(f"{date} has a file of {file.rows} lines, which stays")
        return
    HostFileLine.objects.bulk_create(
        (
            HostFileLine(
                file=file,
                kind=line.kind.value,
                terminal=line.terminal,
                stan=line.stan,
                sent_at=line.sent_at,
                rrn=line.rrn,
                processing_code=line.processing_code,
                upi_id=line.upi_id,
                account=line.account,
                amount_paise=line.amount.paise,
                sign=line.sign,
                at=line.at,
            )
            for line in lines
        ),
        batch_size=_BATCH,
    )
