"""How gunicorn serves what stands behind the router: `--config python:upi_platform.web_server`."""

from django.conf import settings

from hsm.starting import audit_keys
from upi_platform.services import METRICS


def post_worker_init(_worker: object) -> None:
    """
    Audit the token's keys before a worker takes its first request (a hook of gunicorn).

    Raises TokenUnfitError, which ends gunicorn: whoever keeps it running starts it again, later.
    """
    if set(settings.UPI_SERVICES) != {METRICS}:
        audit_keys()
