"""Read the instants of a request."""

import datetime as dt
import re
from collections.abc import Mapping

from apps.merchants.errors import InvalidExpiryError

_INSTANT = re.compile(
    r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?"
    r"(?:Z|[+-][0-9]{2}:[0-9]{2})"
)


def instant(body: Mapping[str, object], name: str) -> dt.datetime | None:
    """Return an instant with its offset, None if the body has none. Raises InvalidExpiryError."""
    value = body.get(name)
    if value is None:
        return None
    if type(value) is not str or not _INSTANT.fullmatch(value):
        raise InvalidExpiryError(field=name)
    try:
        return dt.datetime.fromisoformat(value)
    except ValueError as error:
        raise InvalidExpiryError(field=name) from error
