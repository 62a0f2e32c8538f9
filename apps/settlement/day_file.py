"""Read the switch's raw v3 file: strictly, and whole or not at all."""

import datetime as dt
import re

from django.conf import settings

from apps.common.clock import IST
from apps.common.money import Money
from apps.settlement.contracts import RawRow
from apps.settlement.errors import DayFileInvalidError
from apps.settlement.strict_csv import records

# upi-protocol 7.10: raw v3.0 (OC157). The comma is a profile of this project.
COLUMNS = (
    "subType", "txnId", "rrn", "respCode", "Date", "time", "setAmount", "umn", "MapperId",
    "initiationMode", "purpose", "payerId", "payerMcc", "payerVpa", "payeeId", "payeeMcc",
    "payeeVpa", "remId", "remIfsc", "remAccType", "remAccountNo", "beneId", "beneIfsc",
    "beneAccType", "beneAccountNo", "LRN", "ResField1", "ResField2", "ResField3",
)  # fmt: skip
_TRANSACTION_ID = re.compile(r"[A-Za-z0-9]{1,35}")
_RRN = re.compile(r"[0-9]{12}")
_CODE = re.compile(r"[A-Za-z0-9]{1,20}")


def read(content: bytes, *, date: dt.date) -> list[RawRow]:
    """
    Return the rows of a file in which this bank took part.

    Raises DayFileInvalidError for another layout, a malformed value, a row of another day, a
    transaction twice, or rows that are not about this bank: then nothing of the file is taken.
    """
    lines = records(content, columns=COLUMNS, refusal=DayFileInvalidError)
    rows = [_row(line, number, date) for number, line in enumerate(lines, start=2)]
    if len({row.transaction_id for row in rows}) != len(rows):
        raise DayFileInvalidError("a transaction is in the file twice")
    return rows


def _row(fields: dict[str, str], number: int, date: dt.date) -> RawRow:
    try:
        row = _parse(fields)
    except ValueError as error:
        raise DayFileInvalidError(f"line {number}: a value has not its form") from error
    if row.ended_at.astimezone(IST).date() != date:
        raise DayFileInvalidError(f"line {number} is of another day")
    parties = {row.payer_psp, row.payee_psp, row.remitter, row.beneficiary}
    if settings.UPI_BANK_CODE not in parties:
        raise DayFileInvalidError(f"line {number} is not about this bank")
    return row


def _parse(fields: dict[str, str]) -> RawRow:
    amount = Money.from_rupees(fields["setAmount"])
    if not amount:
        raise ValueError("an amount is positive")
    return RawRow(
        transaction_id=_matched(_TRANSACTION_ID, fields["txnId"]),
        rrn=_matched(_RRN, fields["rrn"]),
        response_code=_matched(_CODE, fields["respCode"]),
        ended_at=_instant(fields["Date"], fields["time"]),
        amount=amount,
        initiation_mode=fields["initiationMode"],
        purpose=fields["purpose"],
        payer_psp=fields["payerId"],
        payer_address=fields["payerVpa"].lower(),
        payer_code=fields["payerMcc"],
        payee_psp=fields["payeeId"],
        payee_address=fields["payeeVpa"].lower(),
        payee_code=fields["payeeMcc"],
        remitter=fields["remId"],
        remitter_account=fields["remAccountNo"],
        beneficiary=fields["beneId"],
        beneficiary_account=fields["beneAccountNo"],
    )


def _matched(pattern: re.Pattern[str], text: str) -> str:
    if not pattern.fullmatch(text):
        raise ValueError(pattern.pattern)
    return text


def _instant(date: str, time: str) -> dt.datetime:
    return dt.datetime.strptime(date + time, "%d%m%Y%H%M%S").replace(tzinfo=IST)
