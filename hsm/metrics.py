"""How long the token takes, by operation and outcome; never which key, account or PIN."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Histogram

from hsm.errors import HsmError

DONE = "done"
FAILED = "failed"
# A code of a MAC takes some 20 microseconds, an RSA operation a millisecond, a lost token a second.
_BOUNDS_SECONDS = (
    *(0.0001, 0.0005, 0.001, 0.002, 0.005),
    *(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5),
)

OPERATION_SECONDS = Histogram(
    "hsm_operation_seconds",
    "Time from asking for a session of the token to the end of the operation.",
    ["operation", "outcome"],
    buckets=_BOUNDS_SECONDS,
)


@contextmanager
def measured(operation: str) -> Iterator[None]:
    """Count the operation with its time; the outcome is `done`, an HsmError's code, or `failed`."""
    begun, outcome = time.perf_counter(), FAILED
    try:
        yield
        outcome = DONE
    except HsmError as error:
        outcome = error.code
        raise
    finally:
        OPERATION_SECONDS.labels(operation, outcome).observe(time.perf_counter() - begun)
