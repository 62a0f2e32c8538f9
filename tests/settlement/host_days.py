"""The core-banking host's day files, as it writes them and as nobody should."""

import csv
import datetime as dt
import io

from apps.accounts.models import CoreBankingCall
from apps.common import clock
from apps.payments.models import Leg
from apps.payments.states import Role
from apps.settlement.host_file import COLUMNS
from apps.settlement.services.host_days import fetch_host_file
from apps.settlement.services.take_host_file import take_host_file
from tests.payments.hand import drain, leg

DAY = dt.timedelta(days=1)
OPENING = 100_000
# Which of the host's messages a fault is for.
MOVEMENT = {"mti": "0200", "processing_code": "000000"}
RETURN = {"mti": "0200", "processing_code": "200000"}
ENQUIRY = {"processing_code": "380000"}


def line(date, **changes):
    fields = {
        "kind": "POSTED",
        "business_date": date.isoformat(),
        "terminal": "EXBUPI01",
        "stan": "000001",
        "sent_at": f"{date:%m%d}063000",
        "rrn": "632700000001",
        "processing_code": "000000",
        "upi_id": "SMP1",
        "account": "001234567890",
        "amount_paise": "14950",
        "sign": "D",
        "response": "00",
        "at": f"{date}T12:00:00.123+05:30",
        "rows": "",
    }
    return fields | changes


def end(date, rows, **changes):
    return dict.fromkeys(COLUMNS, "") | {
        "kind": "END",
        "business_date": date.isoformat(),
        "rows": str(rows),
    } | changes  # fmt: skip


def write(date, *lines, last=None, columns=COLUMNS):
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(lines)
    writer.writerow(last or end(date, len(lines)))
    return out.getvalue().encode()


def lines_of(content):
    return list(csv.DictReader(io.StringIO(content.decode())))[:-1]


def after(date):
    """Return an instant at which a day is over."""
    return dt.datetime.combine(date + DAY, dt.time(12), tzinfo=dt.UTC)


def take(date, content=None):
    """Take a day's file, the host's own if there is no other."""
    return take_host_file(content or fetch_host_file(date), date=date, now=after(date))


def make_due():
    Leg.objects.filter(next_action_at__isnull=False).update(next_action_at=clock.now())


def again(role):
    """Let the time pass until a leg is looked at once more, and look."""
    make_due()
    drain(role)


def call_of(deal, role=Role.DEBIT):
    return CoreBankingCall.objects.get(leg_id=leg(deal, role).pk, kind=role)
