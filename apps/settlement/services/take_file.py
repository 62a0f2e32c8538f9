"""Take the switch's day file as proof: once, whole; then what two complete files do not name."""

import datetime as dt
import hashlib

from django.conf import settings

from apps.common import clock
from apps.payments.contracts import TransactionFacts
from apps.payments.services import settle
from apps.settlement import day_file
from apps.settlement.contracts import RawRow
from apps.settlement.models import DayFile

_DAY = dt.timedelta(days=1)


def take_file(content: bytes, *, date: dt.date, is_complete: bool) -> list[RawRow]:
    """
    Apply a day's file to our payments, and return its rows. Again, it changes nothing.

    With this file and the day before's both complete, payments of the day before that neither
    names are proved not to have happened. The layout has no trailer that would tell, so the caller
    vouches for completeness: of all our roles, written after the day, received whole.

    Raises DayFileInvalidError; then nothing was applied.
    """
    rows = day_file.read(content, date=date)
    settle.apply_rows([_file_row(row) for row in rows], settlement_date=date)
    DayFile.objects.get_or_create(
        settlement_date=date,
        digest=hashlib.sha256(content).digest(),
        is_complete=is_complete,
        defaults={"rows": len(rows)},
    )
    if is_complete and DayFile.objects.filter(settlement_date=date - _DAY, is_complete=True):
        settle.apply_absence(start=clock.day_start(date - _DAY), end=clock.day_start(date))
    return rows


def _file_row(row: RawRow) -> settle.FileRow:
    return settle.FileRow(
        facts=TransactionFacts(
            id=row.transaction_id,
            rrn=row.rrn,
            amount=row.amount,
            payer_address=row.payer_address,
            payer_name=row.payer_address.partition("@")[0],
            payer_type="PERSON",
            payer_code=row.payer_code,
            payee_address=row.payee_address,
            payee_name=row.payee_address.partition("@")[0],
            payee_type="PERSON",
            payee_code=row.payee_code,
            note="",
            purpose=row.purpose,
            initiation_mode=row.initiation_mode,
            reference="",
            reference_url="",
            reference_category="",
            initiated_at=row.ended_at,
        ),
        response_code=row.response_code,
        is_remitter=row.remitter == settings.UPI_BANK_CODE,
        is_beneficiary=row.beneficiary == settings.UPI_BANK_CODE,
        remitter_account=row.remitter_account,
    )
