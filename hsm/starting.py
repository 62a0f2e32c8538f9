"""The audit of the token's keys before a process serves."""

import structlog

from hsm.errors import HsmUnavailableError, TokenUnfitError
from hsm.sessions import pool

log = structlog.get_logger(__name__)


def audit_keys() -> None:
    """
    Judge every key of the token. Raises TokenUnfitError: beside a wrong key nobody begins to serve.

    A token that does not answer keeps nobody from starting: its keys are judged at the first login
    that succeeds, and until then every call is a technical decline.
    """
    try:
        pool.run(lambda _session: None, operation="audit")
    except TokenUnfitError:
        raise
    except HsmUnavailableError as error:
        log.warning("hsm_audit_put_off", error=str(error))
    else:
        log.info("hsm_keys_audited")
