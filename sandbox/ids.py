"""The ids that participants make: Txn and message ids, retrieval reference numbers, approvals."""

import secrets
import uuid

from sandbox import clock

_REFERENCES_PER_HOUR = 1_000_000
_SECONDS_PER_HOUR = 3600
_last_reference = [0]


def new_id(prefix: str) -> str:
    """Return a new Txn or message id: the participant's three letters and 32 hexadecimal digits."""
    return f"{prefix}{uuid.uuid4().hex}"


def new_reference() -> str:
    """
    Return a new RRN: last digit of the year, day of the year, hour, and six digits.

    The six digits are the place within the hour, so a restart does not repeat them.
    Source: the vendor rule for custRef in the fact sheet of identifiers.
    """
    at = clock.now()
    within = (at.minute * 60 + at.second + at.microsecond / 1e6) / _SECONDS_PER_HOUR
    hour = int(f"{at.year % 10}{at:%j%H}")
    reference = hour * _REFERENCES_PER_HOUR + int(within * _REFERENCES_PER_HOUR)
    _last_reference[0] = max(_last_reference[0] + 1, reference)
    return f"{_last_reference[0]:012d}"


def new_approval() -> str:
    """Return the six digits by which a bank names one posting to the switch."""
    return f"{secrets.randbelow(1_000_000):06d}"
