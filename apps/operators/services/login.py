"""Let an operator in: a password, and a code from a device that was enrolled."""

import re

import structlog
from django.contrib.auth import authenticate
from django.db import transaction
from django.http import HttpRequest
from django_otp import user_has_device
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.operators.errors import LoginLockedError, LoginRefusedError
from apps.operators.models import Operator
from apps.operators.services import audit, guard

log = structlog.get_logger(__name__)

# RFC 6238 codes; anything else is taken for a recovery code.
_CODE = re.compile(r"[0-9]{6}")


def log_in(request: HttpRequest, *, name: str, password: str, code: str) -> Operator:
    """
    Return the operator that this name, password and code belong to.

    An operator who has no device yet comes back without one: good for the enrolment page and
    nothing else. Raises LoginLockedError, LoginRefusedError.
    """
    address = request.META.get("REMOTE_ADDR", "")
    known = _canonical(name)
    tries = guard.take_try(known)
    if tries == 0:
        log.info("login_refused", reason="locked")
        raise LoginLockedError
    operator = authenticate(request, username=name, password=password)
    if isinstance(operator, Operator) and _is_second_factor_right(operator, code.strip()):
        guard.clear(known)
        return operator
    if tries >= guard.FREE_FAILURES:
        audit.record(
            actor=_shown(known),
            action="login_locked",
            detail={"tries": tries},
            source_address=address,
        )
        log.warning("login_locked", tries=tries)
    else:
        audit.record(actor=_shown(known), action="login_failed", source_address=address)
        log.info("login_refused", reason="credentials")
    raise LoginRefusedError


def _is_second_factor_right(operator: Operator, code: str) -> bool:
    """Check the code, once: a code that was taken is never taken again."""
    if not user_has_device(operator):
        return True
    kind = TOTPDevice if _CODE.fullmatch(code) else StaticDevice
    with transaction.atomic():
        # Two logins with one code: the second waits for the lock and finds it used.
        for device in kind.objects.select_for_update(no_key=True).filter(
            user=operator, confirmed=True
        ):
            if device.verify_token(code.lower()):
                operator.otp_device = device
                return True
    return False


def _canonical(name: str) -> str:
    """Return one name for all names of an operator, so that each has the same few tries."""
    try:
        return Operator.objects.get_by_natural_key(name).email
    except Operator.DoesNotExist:
        return f"?{name.strip().lower()}"


def _shown(known: str) -> str:
    return "unknown name" if known.startswith("?") else known
