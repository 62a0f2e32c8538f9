"""Slow down guessing: each name has few tries, then it waits, longer each time."""

import hashlib

from django.db import connection

from apps.operators.models import LoginGuard

FREE_FAILURES = 5
FIRST_LOCK_SECONDS = 60
LONGEST_LOCK_SECONDS = 3600
FORGET_HOURS = 24

# The try is taken before the password is looked at, so that of many at once only few are looked at.
_TAKE = """
    INSERT INTO operators_loginguard AS guard (name_digest, failures) VALUES (%(name)s, 1)
    ON CONFLICT (name_digest) DO UPDATE SET
        failures = CASE
            WHEN guard.updated_at < clock_timestamp() - make_interval(hours => %(forget)s) THEN 1
            ELSE least(guard.failures + 1, 1000) END,
        locked_until = CASE WHEN guard.failures + 1 >= %(free)s
            AND guard.updated_at >= clock_timestamp() - make_interval(hours => %(forget)s)
            THEN clock_timestamp() + make_interval(secs => least(
                %(first)s * 2 ^ least(guard.failures + 1 - %(free)s, 20), %(longest)s)) END,
        updated_at = clock_timestamp()
    WHERE guard.locked_until IS NULL OR guard.locked_until <= clock_timestamp()
    RETURNING failures
"""


def take_try(name: str) -> int:
    """
    Count a try under a name and return how many there were since the last success.

    Return 0 when the name is locked: nothing must then be looked at. Commits at once.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKE,
            {
                "name": _digest(name),
                "free": FREE_FAILURES,
                "first": FIRST_LOCK_SECONDS,
                "longest": LONGEST_LOCK_SECONDS,
                "forget": FORGET_HOURS,
            },
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def clear(name: str) -> None:
    """Forget the failures under a name: somebody proved to be its owner."""
    LoginGuard.objects.filter(pk=_digest(name)).delete()


def _digest(name: str) -> bytes:
    # A digest, for people type passwords into the field for the name.
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
