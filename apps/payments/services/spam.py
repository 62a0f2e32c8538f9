"""Block for all customers whom some of them call a spammer: by dated rules, and for a time."""

import datetime as dt
from collections.abc import Collection, Mapping
from uuid import UUID

import structlog
from django.db import connection
from django.db.models import Count, Q

from apps.common import clock
from apps.payments.models import RequesterBlock, SpamReport, SpamRule

log = structlog.get_logger(__name__)

# Of two customers who report at once, the second counts the first.
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"


def report(*, customer_id: UUID, address: str, transaction_id: str, at: dt.datetime) -> None:
    """
    Keep that a customer calls a collect spam, and block who asked if a rule says so.

    Part of the caller's transaction, which holds the collect's row lock.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ONE_AT_A_TIME, [f"spam {address}"])
    SpamReport.objects.create(
        customer_id=customer_id, address=address, transaction_id=transaction_id, reported_at=at
    )
    present = blocks_of([address], at=at).get(address, "")
    for rule in _rules(at):
        if rule.code > present and _customers(address, rule, at=at) >= rule.customers_min:
            RequesterBlock.objects.create(
                address=address,
                code=rule.code,
                blocked_at=at,
                until_at=at + dt.timedelta(hours=rule.block_hours),
            )
            log.info("requester_blocked", code=rule.code)


def blocks_of(addresses: Collection[str], *, at: dt.datetime) -> Mapping[str, str]:
    """Return under which code each address that is blocked now is blocked: the strictest."""
    rows = RequesterBlock.objects.filter(address__in=addresses, until_at__gt=at).order_by("code")
    return {row.address: row.code for row in rows}


def _rules(at: dt.datetime) -> list[SpamRule]:
    today = clock.business_date(at)
    valid = Q(valid_to_date__isnull=True) | Q(valid_to_date__gt=today)
    return list(SpamRule.objects.filter(valid, valid_from_date__lte=today).order_by("code"))


def _customers(address: str, rule: SpamRule, *, at: dt.datetime) -> int:
    # A report that waited for the lock may have been made before one that did not wait.
    since = at - dt.timedelta(hours=rule.within_hours)
    reports = SpamReport.objects.filter(address=address, reported_at__gt=since)
    counted = reports.aggregate(customers=Count("customer_id", distinct=True))
    return int(counted["customers"])
