"""Challenges, sessions and fetched balances in Redis, under hashes: losing them costs a log-in."""

import hashlib
import uuid
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache


@dataclass(frozen=True, slots=True)
class StoredSession:
    """What a token stands for."""

    customer_id: uuid.UUID
    device_id: uuid.UUID
    session_number: int


def put_challenge(challenge: str, *, device_id: str) -> None:
    """Remember for which device a challenge was made."""
    cache.set(_key("challenge", challenge), device_id, settings.CHALLENGE_LIFE_SECONDS)


def take_challenge(challenge: str) -> str | None:
    """Return the device of a challenge; it is used up by this, whoever asks."""
    key = _key("challenge", challenge)
    device_id: str | None = cache.get(key)
    # DEL answers 1 to exactly one of those who read the challenge at the same time.
    return device_id if device_id is not None and cache.delete(key) else None


def put_session(token: str, session: StoredSession) -> None:
    """Remember a session until its life ends."""
    value = [session.customer_id.hex, session.device_id.hex, session.session_number]
    cache.set(_key("session", token), value, settings.SESSION_LIFE_SECONDS)


def get_session(token: str) -> StoredSession | None:
    """Return what the token stands for, None when its life has ended."""
    value: list[str | int] | None = cache.get(_key("session", token))
    if value is None:
        return None
    customer, device, number = value
    return StoredSession(uuid.UUID(str(customer)), uuid.UUID(str(device)), int(number))


def drop_session(token: str) -> None:
    """Forget a session."""
    cache.delete(_key("session", token))


def put_balance(request_id: uuid.UUID, paise: int) -> None:
    """Keep a balance for the one time that its customer fetches it."""
    cache.set(_key("balance", request_id.hex), paise, settings.BALANCE_HANDOVER_SECONDS)


def take_balance(request_id: uuid.UUID) -> int | None:
    """Return the balance and forget it."""
    key = _key("balance", request_id.hex)
    paise: int | None = cache.get(key)
    return paise if paise is not None and cache.delete(key) else None


def _key(kind: str, secret: str) -> str:
    # A copy of Redis must not be a bunch of keys: it holds only what the secrets hash to.
    return f"{kind}:{hashlib.sha256(secret.encode()).hexdigest()}"
