"""Reads of the directory, the exchanges and the log."""

import datetime as dt
import functools
from collections.abc import Mapping, Sequence
from typing import cast
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.db import connection
from django.db.models import QuerySet

from apps.upi.contracts import Delivery, DeliveryState
from apps.upi.models import Exchange, MessageLog

_SIGNING_KEYS = """
    SELECT key.public_pem
      FROM upi_organisation organisation
      LEFT JOIN upi_peerkey key
        ON key.organisation_id = organisation.org_id AND key.purpose = 'SIGNING'
       AND key.valid_from_at <= %(at)s
       AND (key.valid_until_at IS NULL OR key.valid_until_at > %(at)s)
       AND (key.revoked_at IS NULL OR key.revoked_at > %(at)s)
     WHERE organisation.org_id = %(organisation)s
"""

_DELIVERY_IS_DUE = """
    SELECT EXISTS (SELECT FROM upi_exchange
                    WHERE next_action_at <= (SELECT clock_timestamp()) AND parked_at IS NULL)
        OR EXISTS (SELECT FROM upi_exchange_repeat
                    WHERE next_action_at <= (SELECT clock_timestamp()) AND parked_at IS NULL)
"""


def signing_keys(organisation: str, *, at: dt.datetime) -> list[RSAPublicKey] | None:
    """Return the keys with which a peer may sign at an instant; None for nobody we know."""
    with connection.cursor() as cursor:
        cursor.execute(_SIGNING_KEYS, {"organisation": organisation, "at": at})
        rows = cursor.fetchall()
    if not rows:
        return None
    return [_load_key(pem) for (pem,) in rows if pem is not None]


@functools.lru_cache(maxsize=256)
def _load_key(pem: str) -> RSAPublicKey:
    return cast("RSAPublicKey", load_pem_public_key(pem.encode()))


def deliveries(exchange_ids: Sequence[UUID]) -> Mapping[UUID, Delivery]:
    """Return how the deliveries on exchanges stand: of our answers, or of our own requests."""
    rows = Exchange.objects.filter(pk__in=exchange_ids).values_list(
        "pk", "state", "delivery_code", "delivered_at"
    )
    return {
        exchange_id: Delivery(
            exchange_id=exchange_id,
            state=DeliveryState(state),
            code=code,
            delivered_at=delivered_at,
        )
        for exchange_id, state, code, delivered_at in rows
    }


def delivery_is_due() -> bool:
    """Tell whether an answer waits to be sent, or to be given up."""
    with connection.cursor() as cursor:
        cursor.execute(_DELIVERY_IS_DUE)
        row = cursor.fetchone()
    return bool(row and row[0])


def messages_of(txn_id: str) -> QuerySet[MessageLog]:
    """Return the messages of a transaction in the order of time."""
    return MessageLog.objects.filter(txn_id=txn_id).order_by("pk")


def exchanges_of(txn_id: str) -> QuerySet[Exchange]:
    """Return the exchanges of a transaction in the order of time."""
    return Exchange.objects.filter(txn_id=txn_id).order_by("pk")
