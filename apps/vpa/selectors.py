"""Reads and named locks of payment addresses."""

import datetime as dt
import uuid
from collections.abc import Sequence

from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Now

from apps.common.errors import NotFoundError
from apps.upi.contracts import AccountAddress, MerchantBlock
from apps.vpa import resolution_cache
from apps.vpa.contracts import ClosedBy, ResolvedVpa, VpaKind
from apps.vpa.models import Verification, Vpa
from apps.vpa.states import VerificationState

ADDRESSES_MAX = 1000

_OWNS_VPA = """
    SELECT FROM vpa_vpa WHERE reserved_address = %s AND customer_id = %s AND state = 'ACTIVE'
"""


def resolve(address: str) -> ResolvedVpa | None:
    """Return what is behind an active address of ours, in lower case; None if there is none."""
    return resolve_many([address]).get(address)


def resolve_many(addresses: Sequence[str]) -> dict[str, ResolvedVpa]:
    """
    Return what is behind each address that is active and ours, by address; absent: unknown.

    One trip to Redis, and one query for what Redis did not know.
    """
    assert len(addresses) <= ADDRESSES_MAX, "a batch is bounded"
    wanted = sorted(set(addresses))
    resolved = resolution_cache.read(wanted)
    missing = [address for address in wanted if address not in resolved]
    if missing:
        rows = Vpa.objects.filter(reserved_address__in=missing, state=Vpa.State.ACTIVE)
        fresh = {row.address: resolved_of(row) for row in rows}
        resolution_cache.fill(fresh.values())
        resolved |= fresh
    return resolved


def resolved_of(row: Vpa) -> ResolvedVpa:
    """Return a row as what crosses the door."""
    return ResolvedVpa(
        vpa_id=row.pk,
        address=row.address,
        kind=VpaKind(row.kind),
        mcc=row.mcc,
        verified_name=row.verified_name,
        account=AccountAddress(
            ifsc=row.ifsc, account_type=row.account_type, account_number=row.account_number
        ),
        merchant=_merchant_block(row) if row.kind == VpaKind.ENTITY else None,
        expires_at=row.expires_at,
        closed_by=ClosedBy(row.closed_by) if row.closed_by else None,
    )


def vpas_of(customer_id: uuid.UUID) -> QuerySet[Vpa]:
    """Return the customer's active addresses, the oldest first."""
    return Vpa.objects.filter(customer_id=customer_id, state=Vpa.State.ACTIVE).order_by("id")


def vpa_of(customer_id: uuid.UUID, vpa_id: uuid.UUID | None) -> Vpa:
    """Return one of the customer's active addresses. Raises NotFoundError, also for another's."""
    if vpa_id is None:
        raise NotFoundError
    row = vpas_of(customer_id).filter(pk=vpa_id).first()
    if row is None:
        raise NotFoundError
    return row


def owned_vpa(customer_id: uuid.UUID, address: str) -> Vpa | None:
    """Return the customer's active address, None if it is not theirs."""
    return vpas_of(customer_id).filter(reserved_address=address).first()


def owns_vpa(customer_id: uuid.UUID, address: str) -> bool:
    """Say whether an active address is the customer's."""
    with connection.cursor() as cursor:
        cursor.execute(_OWNS_VPA, [address, customer_id])
        return cursor.fetchone() is not None


def lock_vpa(vpa_id: uuid.UUID) -> Vpa:
    """Return the address, its row locked until the transaction ends."""
    return Vpa.objects.select_for_update(no_key=True).get(pk=vpa_id)


def mobile_of(address: str) -> str | None:
    """Return the mobile number of the customer who has an address, None if nobody has."""
    rows = Vpa.objects.filter(reserved_address=address, state=Vpa.State.ACTIVE)
    return rows.values_list("customer__mobile", flat=True).first()


def verification_of(client: str, verification_id: uuid.UUID | None) -> Verification:
    """Return a verification that the client asked for. Raises NotFoundError, also for others'."""
    if verification_id is None:
        raise NotFoundError
    row = Verification.objects.filter(pk=verification_id, client=client).first()
    if row is None:
        raise NotFoundError
    return row


def recent_verification(client: str, address: str, *, since: dt.datetime) -> Verification | None:
    """Return the client's newest question about an address after an instant, unless it failed."""
    rows = Verification.objects.filter(client=client, address=address, created_at__gt=since)
    return rows.exclude(state=VerificationState.REFUSED).order_by("-created_at").first()


def claimed_verifications(row_ids: Sequence[uuid.UUID]) -> list[Verification]:
    """Return claimed verifications in the order in which they were asked for."""
    return list(Verification.objects.filter(pk__in=row_ids).order_by("pk"))


def lock_verification(exchange_id: uuid.UUID) -> Verification | None:
    """Return the verification that sent an exchange, its row locked until the transaction ends."""
    rows = Verification.objects.select_for_update(no_key=True)
    return rows.filter(exchange_id=exchange_id).first()


def verifications_are_due() -> bool:
    """Return whether a verification waits to be sent, or too long for its answer."""
    return Verification.objects.filter(next_action_at__lte=Now(), parked_at__isnull=True).exists()


def _merchant_block(row: Vpa) -> MerchantBlock:
    return MerchantBlock(
        sub_code=row.mcc,
        mid=row.merchant_id_code,
        sid=row.store_id_code or None,
        tid=row.terminal_id_code or None,
        merchant_type=row.merchant_type,
        merchant_genre=row.merchant_genre,
        on_boarding_type=row.onboarding_type,
        brand=row.brand_name,
        legal=row.legal_name,
        franchise=row.franchise_name,
        ownership=row.ownership,
    )
