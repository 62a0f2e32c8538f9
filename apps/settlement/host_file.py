"""Read the core-banking host's day file: strictly, and whole or not at all."""

import datetime as dt
import re

from apps.accounts.core_banking.iso8583_messages import instant_of
from apps.common.money import Money
from apps.settlement.contracts import HostLine, LineKind
from apps.settlement.errors import HostFileInvalidError
from apps.settlement.strict_csv import records

# docs/iso8583.md, "The day file".
COLUMNS = (
    "kind", "business_date", "terminal", "stan", "sent_at", "rrn", "processing_code", "upi_id",
    "account", "amount_paise", "sign", "response", "at", "rows",
)  # fmt: skip
END = "END"
APPROVED = "00"
_NOON = dt.time(12, tzinfo=dt.UTC)
_FORMS = {
    name: re.compile(form)
    for name, form in {
        "terminal": r"[A-Za-z0-9 ]{8}",
        "stan": r"(?!000000)[0-9]{6}",
        "sent_at": r"[0-9]{10}",
        "rrn": r"[A-Za-z0-9]{12}",
        "processing_code": r"[0-9]{6}",
        "upi_id": r"[A-Za-z0-9]{0,35}",
        "account": r"[A-Za-z0-9]{1,28}",
        "amount_paise": r"[1-9][0-9]{0,11}",
        "sign": r"[CD]",
        "response": APPROVED,
        "at": r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15}(Z|[+-][0-9]{2}:[0-9]{2})",
        "rows": r"",
    }.items()
}


def read(content: bytes, *, date: dt.date) -> list[HostLine]:
    """
    Return what the host posted and undid on a business day.

    Raises HostFileInvalidError for another layout, a malformed value, a line of another day, the
    same line twice, or a last line that does not say how many there are: then nothing is taken.
    """
    found = records(content, columns=COLUMNS, refusal=HostFileInvalidError)
    _check_end(found[-1] if found else {}, date=date, rows=len(found) - 1)
    lines = [_line(fields, number, date) for number, fields in enumerate(found[:-1], start=2)]
    if len(set(lines)) != len(lines):
        raise HostFileInvalidError("a line is in the file twice")
    return lines


def _check_end(end: dict[str, str], *, date: dt.date, rows: int) -> None:
    expected = dict.fromkeys(COLUMNS, "") | {
        "kind": END,
        "business_date": date.isoformat(),
        "rows": str(rows),
    }
    if end != expected:
        raise HostFileInvalidError("the last line does not say the day and how many lines it has")


def _line(fields: dict[str, str], number: int, date: dt.date) -> HostLine:
    if fields["business_date"] != date.isoformat():
        raise HostFileInvalidError(f"line {number} is of another day")
    malformed = [name for name, form in _FORMS.items() if not form.fullmatch(fields[name])]
    if malformed or fields["kind"] not in set(LineKind):
        raise HostFileInvalidError(f"line {number}: {(malformed or ['kind'])[0]} has not its form")
    # The year is not told: a call is asked for at most months before it is undone.
    sent_at = instant_of(fields["sent_at"], near=dt.datetime.combine(date, _NOON))
    if sent_at is None:
        raise HostFileInvalidError(f"line {number}: sent_at is no instant")
    try:
        at = dt.datetime.fromisoformat(fields["at"])
    except ValueError as error:
        raise HostFileInvalidError(f"line {number}: at is no instant") from error
    return HostLine(
        kind=LineKind(fields["kind"]),
        business_date=date,
        terminal=fields["terminal"],
        stan=int(fields["stan"]),
        sent_at=sent_at,
        rrn=fields["rrn"],
        processing_code=fields["processing_code"],
        upi_id=fields["upi_id"],
        account=fields["account"],
        amount=Money(int(fields["amount_paise"])),
        sign=fields["sign"],
        at=at,
    )
