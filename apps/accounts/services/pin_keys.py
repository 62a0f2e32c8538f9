"""
The PINs that only an older PIN verification key can verify, until none is left.

The next right PIN makes a verifier under today's key (`services.pin`). What is left when the old
key's time is over is let go: those customers set a PIN anew, and are told so by code AM.
"""

from collections.abc import Mapping

from django.db import transaction
from django.db.models import Count

from apps.accounts.models import Otp, PinState
from apps.accounts.selectors import database_now
from apps.accounts.states import HoldState

LET_GO_MAX = 1000


def verifiers_by_key() -> Mapping[str, int]:
    """Return how many PINs each key verifies."""
    counted = (
        PinState.objects.filter(verifier__isnull=False)
        .values("verifier_key")
        .annotate(verifiers=Count("pk"))
        .order_by("verifier_key")
    )
    return {row["verifier_key"]: row["verifiers"] for row in counted}


def count(label: str) -> int:
    """Return how many PINs, and OTPs that may still be used, only this key can verify."""
    otps = Otp.objects.filter(
        verifier_key=label, used_at__isnull=True, expires_at__gt=database_now()
    )
    return PinState.objects.filter(verifier_key=label).count() + otps.count()


def let_go(label: str) -> int:
    """
    Forget the PINs under this key, in batches, and return how many.

    A PIN that is being verified stays until its verdict, an OTP until it expires: minutes.
    """
    forgotten = 0
    while batch := _let_go_some(label):
        forgotten += batch
    return forgotten


@transaction.atomic
def _let_go_some(label: str) -> int:
    free = (
        PinState.objects.select_for_update(no_key=True)
        .filter(verifier_key=label, state=HoldState.FREE)
        .order_by("pk")
        .values_list("pk", flat=True)[:LET_GO_MAX]
    )
    return PinState.objects.filter(pk__in=list(free)).update(verifier=None, verifier_key="")
