"""Operators for tests: made, enrolled and logged in as a person would be."""

import itertools
import time
from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.operators.models import Operator

PASSWORD = "a long enough pass phrase"
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class StaffMember:
    """An operator, and a browser in which they are logged in."""

    operator: Operator
    client: Client


def make_operator(*roles: str, is_superuser: bool = False) -> StaffMember:
    """Return an operator with these roles, enrolled, logged in with both factors."""
    operator = make_account(*roles, is_superuser=is_superuser)
    device = enrolled_device(operator)
    client = Client()
    answer = client.post(
        "/admin/login/",
        {"username": operator.email, "password": PASSWORD, "code": code_of(device)},
    )
    assert answer.status_code == 302, answer.context["form"].errors
    return StaffMember(operator=operator, client=client)


def make_account(*roles: str, is_superuser: bool = False) -> Operator:
    """Return an operator with a password and no device yet."""
    number = next(_numbers)
    operator = Operator.objects.create_user(
        email=f"operator{number}@exbank.example",
        staff_number=f"S{number:05d}",
        full_name=f"Operator {number}",
        password=PASSWORD,
        is_superuser=is_superuser,
    )
    groups = Group.objects.filter(name__in=roles)
    assert len(groups) == len(roles), f"a role is missing: {roles}"
    operator.groups.set(groups)
    return operator


def enrolled_device(operator: Operator) -> TOTPDevice:
    """Return a confirmed device of an operator, with recovery codes beside it."""
    recovery = StaticDevice.objects.create(user=operator, name="Recovery codes", confirmed=True)
    recovery.token_set.create(token="recover1")
    return TOTPDevice.objects.create(user=operator, name="Authenticator", confirmed=True)


def code_of(device: TOTPDevice, *, steps: int = 0) -> str:
    """Return the code that the device shows now, or so many steps later."""
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift + steps)
    totp.time = time.time()
    return f"{totp.token():06d}"
