"""
Resolved addresses in Redis: faster when it is there, never wrong, and safe to lose.

What lies there is sealed: Redis learns no account number, and its writers redirect no payment.
"""

import base64
import datetime as dt
import functools
import uuid
from collections.abc import Iterable, Mapping, Sequence

import orjson
import redis
import structlog
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.cache import cache
from django_redis.exceptions import ConnectionInterrupted

from apps.upi.contracts import AccountAddress, MerchantBlock
from apps.vpa.contracts import ClosedBy, ResolvedVpa, VpaKind

log = structlog.get_logger(__name__)

CHANGING = "changing"
# Longer than a transaction that changes an address can take: its locks time out after five.
CHANGING_SECONDS = 10
_FIELDS = 9
_OUTAGES = (redis.RedisError, ConnectionInterrupted, OSError)
_MERCHANT_FIELDS = (
    "sub_code",
    "mid",
    "sid",
    "tid",
    "merchant_type",
    "merchant_genre",
    "on_boarding_type",
    "brand",
    "legal",
    "franchise",
    "ownership",
)


def read(addresses: Sequence[str]) -> dict[str, ResolvedVpa]:
    """Return those of the addresses that are cached; without Redis, none."""
    try:
        found: Mapping[str, object] = cache.get_many([_key(address) for address in addresses])
    except _OUTAGES as error:
        log.warning("resolution_cache_away", error=type(error).__name__)
        return {}
    return {
        address: vpa
        for address in addresses
        if (vpa := _opened(found.get(_key(address)), address=address)) is not None
    }


def fill(resolved: Iterable[ResolvedVpa]) -> None:
    """
    Keep what the database said, unless the address is being changed.

    ADD does not overwrite the mark of a change, so a reader that looked before the change cannot
    leave the past behind.
    """
    try:
        for vpa in resolved:
            cache.add(_key(vpa.address), _sealed(vpa), settings.VPA_CACHE_SECONDS)
    except _OUTAGES as error:
        log.warning("resolution_cache_away", error=type(error).__name__)


def mark_changing(address: str) -> None:
    """
    Make everybody ask the database about an address while it is changed.

    Called before the change. Raises when Redis does not answer: then the change must not happen,
    for somebody could go on reading the past.
    """
    cache.set(_key(address), CHANGING, CHANGING_SECONDS)


def _key(address: str) -> str:
    return f"vpa:{address}"


def _sealed(vpa: ResolvedVpa) -> str:
    return _seal().encrypt(orjson.dumps(_dump(vpa))).decode()


def _opened(value: object, *, address: str) -> ResolvedVpa | None:
    """Return what `fill` sealed for this address; None for anything else, and for the past."""
    if not isinstance(value, str):
        return None
    try:
        content = _seal().decrypt(value.encode(), ttl=settings.VPA_CACHE_SECONDS)
    except InvalidToken:
        return None
    fields = orjson.loads(content)
    # Another release may have written it with other fields.
    vpa = _load(fields) if len(fields) == _FIELDS else None
    return vpa if vpa is not None and vpa.address == address else None


@functools.cache
def _seal() -> Fernet:
    derived = HKDF(hashes.SHA256(), length=32, salt=None, info=b"vpa resolution")
    return Fernet(base64.urlsafe_b64encode(derived.derive(settings.SECRET_KEY.encode())))


def _dump(vpa: ResolvedVpa) -> list[object]:
    merchant = vpa.merchant
    block = [getattr(merchant, name) for name in _MERCHANT_FIELDS] if merchant else None
    account = vpa.account
    return [
        vpa.vpa_id.hex,
        vpa.address,
        vpa.kind.value,
        vpa.mcc,
        vpa.verified_name,
        [account.ifsc, account.account_type, account.account_number],
        block,
        vpa.expires_at.isoformat() if vpa.expires_at else None,
        vpa.closed_by,
    ]


def _load(value: list[object]) -> ResolvedVpa:
    vpa_id, address, kind, mcc, name, account, block, expires_at, closed_by = value
    assert isinstance(account, list), "what fill() wrote"
    merchant = None
    if isinstance(block, list):
        merchant = MerchantBlock(**dict(zip(_MERCHANT_FIELDS, block, strict=True)))
    return ResolvedVpa(
        vpa_id=uuid.UUID(str(vpa_id)),
        address=str(address),
        kind=VpaKind(str(kind)),
        mcc=str(mcc),
        verified_name=str(name),
        account=AccountAddress(ifsc=account[0], account_type=account[1], account_number=account[2]),
        merchant=merchant,
        expires_at=dt.datetime.fromisoformat(str(expires_at)) if expires_at else None,
        closed_by=ClosedBy(str(closed_by)) if closed_by else None,
    )
