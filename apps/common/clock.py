"""The clock: the one place that asks what time it is."""

import datetime as dt
from zoneinfo import ZoneInfo

IST = ZoneInfo("Asia/Kolkata")


def now() -> dt.datetime:
    """Return the present instant. Deadlines that processes share use the database's clock."""
    return dt.datetime.now(tz=dt.UTC)


def business_date(at: dt.datetime) -> dt.date:
    """Return the Indian calendar day of an instant."""
    return at.astimezone(IST).date()


def day_start(date: dt.date) -> dt.datetime:
    """Return the instant at which an Indian calendar day begins."""
    return dt.datetime.combine(date, dt.time.min, tzinfo=IST).astimezone(dt.UTC)


def iso(at: dt.datetime) -> str:
    """Write an instant as UPI messages and our APIs do: IST with offset, to the millisecond."""
    return at.astimezone(IST).isoformat(timespec="milliseconds")
