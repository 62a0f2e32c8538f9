"""The sandbox's clock: it shares nothing with the platform's."""

import datetime as dt

IST = dt.timezone(dt.timedelta(hours=5, minutes=30), "IST")


def now() -> dt.datetime:
    """Return the present instant, in Indian time, as every message writes it."""
    return dt.datetime.now(tz=IST)


def iso(at: dt.datetime) -> str:
    """Write an instant as messages do: ISO 8601 with offset, to the millisecond."""
    return at.isoformat(timespec="milliseconds")


def is_iso(text: str) -> bool:
    """Say whether this is an instant with an offset."""
    try:
        return dt.datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
