"""Reads of the directory, the exchanges and the log."""

import datetime as dt
import functools
from collections.abc import Collection, Mapping, Sequence
from typing import cast
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.db import connection
from django.db.models import Min, Q, QuerySet

from apps.common.clock import IST, business_date
from apps.upi.budget_models import ApiCap, ApiUse, CallDirection, PeakHours
from apps.upi.contracts import Delivery, DeliveryState
from apps.upi.directory_models import (
    AccountProvider,
    DirectoryPull,
    Psp,
    PspKey,
    PullState,
    VerifiedMerchant,
)
from apps.upi.models import Exchange, MessageLog, Organisation
from apps.upi.timer_models import TimerRule

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

# The planner takes a third of a table for due. An EXISTS would drop the order that makes it ask the
# index of what waits, and read a table from its start in which nothing does.
_DELIVERY_IS_DUE = """
    SELECT (SELECT true FROM upi_exchange
             WHERE next_action_at <= (SELECT clock_timestamp()) AND parked_at IS NULL
             ORDER BY next_action_at LIMIT 1) IS NOT NULL
        OR (SELECT true FROM upi_exchange_repeat
             WHERE next_action_at <= (SELECT clock_timestamp()) AND parked_at IS NULL
             ORDER BY next_action_at LIMIT 1) IS NOT NULL
"""

_DIRECTORY_IS_DUE = """
    SELECT EXISTS (SELECT FROM upi_directory_pull
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


def organisation(org_id: str) -> Organisation | None:
    """Return a peer and whether it is there, None for nobody we know."""
    return Organisation.objects.filter(pk=org_id).first()


def lock_organisation(org_id: str) -> Organisation | None:
    """Return a peer, its row locked until the transaction ends."""
    return Organisation.objects.select_for_update(no_key=True).filter(pk=org_id).first()


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


def answer_body(exchange_id: UUID) -> str | None:
    """Return the answer to a request of ours as the log has it, None before it came."""
    answer_id = Exchange.objects.filter(pk=exchange_id).values_list("answer_id", flat=True).first()
    if answer_id is None:
        return None
    return MessageLog.objects.values_list("body", flat=True).get(pk=answer_id)


def known_transactions(txn_ids: Sequence[str]) -> set[str]:
    """Return those of the transactions about which the switch has sent us a request."""
    rows = Exchange.objects.filter(direction=Exchange.Direction.IN, txn_id__in=txn_ids)
    return set(rows.values_list("txn_id", flat=True))


def api_caps(apis: Collection[str], *, at: dt.datetime) -> dict[str, ApiCap]:
    """Return the caps on our calls on the Indian day of an instant, by API; absent: not bounded."""
    rows = ApiCap.objects.filter(api__in=apis, direction=CallDirection.OUT)
    return {row.api: row for row in rows.filter(_holds_on(business_date(at)))}


def caps_on_others(api: str, *, at: dt.datetime) -> list[ApiCap]:
    """Return the caps on how often others may ask us, a customer's before a whole PSP's."""
    rows = ApiCap.objects.filter(api=api, direction=CallDirection.IN)
    return list(rows.filter(_holds_on(business_date(at))).order_by("subject_kind"))


def timer_rules(*, on: dt.date) -> list[TimerRule]:
    """Return the rules of the timers that hold on an Indian day."""
    return list(TimerRule.objects.filter(_holds_on(on)))


def peak_hours(*, at: dt.datetime) -> list[PeakHours]:
    """Return the peak hours of the Indian day of an instant, the earliest first."""
    return list(PeakHours.objects.filter(_holds_on(business_date(at))).order_by("begins_at"))


def peak_ends(hours: Sequence[PeakHours], *, at: dt.datetime) -> dt.datetime | None:
    """Return when the peak in which an instant lies ends; None outside of peak hours."""
    local = at.astimezone(IST)
    ends = [row.ends_at for row in hours if row.begins_at <= local.time() < row.ends_at]
    return dt.datetime.combine(local.date(), max(ends), tzinfo=IST) if ends else None


def uses(api: str, subject: str, *, since: dt.datetime) -> int:
    """Return how many calls of an API were opened for a subject after an instant."""
    rows = ApiUse.objects.filter(direction=CallDirection.OUT, api=api, subject=subject)
    return rows.filter(used_at__gt=since).count()


def filling_use(cap: ApiCap, subject: str) -> dt.datetime | None:
    """Return when the oldest of the uses was made that fill a cap; None if they do not."""
    assert cap.cap is not None, "there are uses that fill a cap"
    uses = ApiUse.objects.filter(direction=cap.direction, api=cap.api, subject=subject)
    instants = uses.order_by("-used_at").values_list("used_at", flat=True)
    return instants[cap.cap - 1 : cap.cap].first()


def first_opened(txn_ids: Collection[str]) -> dict[str, dt.datetime]:
    """Return when we opened the payments that we began, by transaction id."""
    rows = Exchange.objects.filter(
        direction=Exchange.Direction.OUT, api="ReqPay", txn_id__in=txn_ids
    )
    return dict(rows.values_list("txn_id").annotate(Min("opened_at")))


def lock_pull(exchange_id: UUID) -> DirectoryPull | None:
    """Return the list that waits for the answer on an exchange, its row locked."""
    pulls = DirectoryPull.objects.select_for_update(no_key=True)
    return pulls.filter(exchange_id=exchange_id, state=PullState.ASKED).first()


def directory_is_due() -> bool:
    """Tell whether a list is due, or its answer overdue."""
    with connection.cursor() as cursor:
        cursor.execute(_DIRECTORY_IS_DUE)
        row = cursor.fetchone()
    return bool(row and row[0])


def psp_of_handle(handle: str) -> Psp | None:
    """Return the PSP whose handle it is, None if the directory knows none."""
    return Psp.objects.filter(handles__contains=[handle.lower()]).order_by("pk").first()


def psp_keys(org_id: str) -> list[PspKey]:
    """Return the keys with which a PSP signs links, and those that it used or will use."""
    return list(PspKey.objects.filter(org_id=org_id).order_by("pk"))


def account_providers() -> QuerySet[AccountProvider]:
    """Return the banks whose accounts can be linked now, by name."""
    return AccountProvider.objects.filter(is_active=True).order_by("name")


def account_provider(ifsc: str) -> AccountProvider | None:
    """Return the bank of a branch code, None if no such bank lets its accounts be linked."""
    return account_providers().filter(ifsc__startswith=ifsc[:4]).first()


def verified_merchant(address: str) -> VerifiedMerchant | None:
    """Return the merchant whom the network vouches for at an address, with its keys."""
    return VerifiedMerchant.objects.filter(address=address.lower()).first()


def _holds_on(date: dt.date) -> Q:
    return Q(valid_from_date__lte=date) & (
        Q(valid_to_date__isnull=True) | Q(valid_to_date__gt=date)
    )
