"""Issue, recognise and revoke the API keys of merchants."""

import datetime as dt
import hmac
import re
import secrets
import uuid
from collections.abc import Collection

from django.conf import settings

from apps.common import ids
from apps.common.secret import Secret
from apps.merchants import selectors
from apps.merchants.contracts import MerchantPrincipal, Scope
from apps.merchants.errors import MerchantSuspendedError, MerchantUnauthenticatedError
from apps.merchants.models import ApiKey, Merchant
from hsm.mac import mac

SECRET_BYTES = 32
# The prefix lets a leaked key be recognised by scanners; the id finds the row, the rest proves.
_KEY = re.compile(r"sk_(live|test)_([0-9a-z]{26})_[A-Za-z0-9_-]{43}")


def issue_key(
    *,
    merchant_id: uuid.UUID,
    name: str,
    is_live: bool,
    scopes: Collection[Scope] = tuple(Scope),
    at: dt.datetime,
) -> tuple[ApiKey, Secret[str]]:
    """Make a key and return it with its text, which nobody can read again."""
    key_id = ids.uuid7()
    mode = "live" if is_live else "test"
    identifier = ids.public_id("key", key_id).removeprefix("key_")
    text = f"sk_{mode}_{identifier}_{secrets.token_urlsafe(SECRET_BYTES)}"
    key = ApiKey.objects.create(
        id=key_id,
        merchant_id=merchant_id,
        name=name,
        secret_code=_code(text),
        is_live=is_live,
        scopes=sorted(scopes),
        created_at=at,
    )
    return key, Secret(text)


def authenticate(text: str) -> MerchantPrincipal:
    """
    Return the merchant behind a key.

    Raises MerchantUnauthenticatedError, MerchantSuspendedError.
    """
    key = _recognise(text)
    if key is None:
        raise MerchantUnauthenticatedError
    if key.merchant.state != Merchant.State.ACTIVE:
        raise MerchantSuspendedError
    return MerchantPrincipal(
        merchant_id=key.merchant_id,
        key_id=key.pk,
        is_live=key.is_live,
        scopes=frozenset(key.scopes),
    )


def revoke_key(key_id: uuid.UUID, *, at: dt.datetime) -> int:
    """Revoke a key; it is refused from now on. Return whether there was one to revoke."""
    return ApiKey.objects.filter(pk=key_id, state=ApiKey.State.ACTIVE).update(
        state=ApiKey.State.REVOKED, revoked_at=at
    )


def revoke_exposed(text: str, *, at: dt.datetime) -> bool:
    """Revoke a key whose text stood where others read it. Return whether the text was a key."""
    key = _recognise(text)
    return key is not None and revoke_key(key.pk, at=at) == 1


def _recognise(text: str) -> ApiKey | None:
    match = _KEY.fullmatch(text)
    if match is None:
        return None
    key = selectors.active_key(ids.parse_public_id("key", f"key_{match[2]}"))
    if key is None or not hmac.compare_digest(bytes(key.secret_code), _code(text)):
        return None
    return key


def _code(text: str) -> bytes:
    return mac(settings.HSM_MAC_KEY, b"api-key|" + text.encode())
