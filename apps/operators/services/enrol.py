"""Give an operator a second factor, and recovery codes for the day it is lost."""

import base64
import io

from django.db import transaction
from django_otp import user_has_device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp.qr import write_qrcode_image

from apps.operators.errors import CodeRefusedError
from apps.operators.models import Operator
from apps.operators.services import audit

RECOVERY_CODES = 10
TOTP_NAME = "Authenticator"


def begin(operator: Operator) -> TOTPDevice:
    """Return the operator's device that waits to be confirmed; the same one at every call."""
    assert not user_has_device(operator), "whoever has a device does not enrol another here"
    with transaction.atomic():
        Operator.objects.select_for_update(no_key=True).get(pk=operator.pk)
        device, _ = TOTPDevice.objects.get_or_create(
            user=operator, confirmed=False, defaults={"name": TOTP_NAME}
        )
    return device


@transaction.atomic
def confirm(operator: Operator, *, code: str, source_address: str) -> tuple[TOTPDevice, list[str]]:
    """
    Confirm the waiting device by one of its codes; return it and the recovery codes.

    The codes are shown this once. Raises CodeRefusedError.
    """
    device = (
        TOTPDevice.objects.select_for_update(no_key=True)
        .filter(user=operator, confirmed=False)
        .first()
    )
    if device is None or user_has_device(operator) or not device.verify_token(code.strip()):
        raise CodeRefusedError
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    codes = _make_recovery_codes(operator)
    audit.record(
        actor=operator.email,
        action="second_factor_enrolled",
        target=operator.staff_number,
        source_address=source_address,
    )
    return device, codes


@transaction.atomic
def forget(operator: Operator, *, actor: str) -> None:
    """Take an operator's devices away, so that they enrol anew at their next login."""
    TOTPDevice.objects.filter(user=operator).delete()
    StaticDevice.objects.filter(user=operator).delete()
    audit.record(actor=actor, action="second_factor_forgotten", target=operator.staff_number)


def qr_code(device: TOTPDevice) -> str:
    """Return the device's QR code as a data URI."""
    image = io.BytesIO()
    write_qrcode_image(device.config_url, image)
    return "data:image/svg+xml;base64," + base64.b64encode(image.getvalue()).decode()


def typed_key(device: TOTPDevice) -> str:
    """Return the device's key as people type it: base 32 in groups of four."""
    key = base64.b32encode(device.bin_key).decode().rstrip("=")
    return " ".join(key[place : place + 4] for place in range(0, len(key), 4))


def _make_recovery_codes(operator: Operator) -> list[str]:
    StaticDevice.objects.filter(user=operator).delete()
    device = StaticDevice.objects.create(user=operator, name="Recovery codes", confirmed=True)
    codes = [StaticToken.random_token() for _ in range(RECOVERY_CODES)]
    device.token_set.bulk_create(StaticToken(device=device, token=code) for code in codes)
    return codes
