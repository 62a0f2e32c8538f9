"""Our side of a day: legs, and the transfers that carry them."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from django.db import connection

from apps.common.ids import uuid7_floor
from apps.common.money import Money
from apps.ledger.models import Transfer
from apps.ledger.selectors import stored_transfers
from apps.payments.contracts import Job
from apps.payments.models import FileVerdict, Leg
from apps.payments.selectors import jobs_of
from apps.payments.states import Role, State

# The transfers of payments, as core banking names their purpose.
_PURPOSES = ("UPI_DEBIT", "UPI_CREDIT", "UPI_REVERSAL")
_CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class OurSide:
    """What our books have of one transaction."""

    jobs: tuple[Job, ...]

    def leg(self, role: Role, kind: str | None = None) -> Job | None:
        """Return the leg of a role."""
        for job in self.jobs:
            if job.role is role and (kind is None or job.kind == kind):
                return job
        return None

    def posted(self, role: Role, kind: str | None = None) -> Money:
        """Return what a leg has moved."""
        job = self.leg(role, kind)
        is_posted = job is not None and job.state is State.POSTED
        return job.transaction.amount if job is not None and is_posted else Money(0)

    @property
    def net_debit(self) -> Money:
        """What left our payer and did not come back."""
        return self.posted(Role.DEBIT) - self.posted(Role.REVERSAL, Role.DEBIT)

    @property
    def net_credit(self) -> Money:
        """What reached our payee."""
        return self.posted(Role.CREDIT)


def our_sides(transaction_ids: Collection[str]) -> dict[str, OurSide]:
    """Return what we have of these transactions; what we know nothing of is absent."""
    jobs: dict[str, list[Job]] = {}
    wanted = sorted(transaction_ids)
    for start in range(0, len(wanted), _CHUNK):
        for job in jobs_of(wanted[start : start + _CHUNK], list(Role)):
            jobs.setdefault(job.transaction_id, []).append(job)
    return {transaction_id: OurSide(tuple(found)) for transaction_id, found in jobs.items()}


def posted_transaction_ids(*, start: dt.datetime, end: dt.datetime) -> set[str]:
    """Return the transactions of which a leg was posted in this time."""
    found = Leg.objects.filter(
        role__in=[Role.DEBIT, Role.CREDIT, Role.REVERSAL],
        state=State.POSTED,
        changed_at__gte=start,
        changed_at__lt=end,
    )
    return set(found.values_list("transaction_id", flat=True))


def known_verdicts(transaction_ids: Collection[str]) -> set[str]:
    """Return those of the transactions that some day's file names."""
    found = FileVerdict.objects.filter(transaction_id__in=transaction_ids)
    return set(found.values_list("transaction_id", flat=True))


def transfer_amounts(leg_keys: Iterable[str]) -> Mapping[str, Money]:
    """Return the amounts of the transfers that carry legs, by the legs' keys."""
    keys = sorted(set(leg_keys))
    found: dict[str, Money] = {}
    for start in range(0, len(keys), _CHUNK):
        stored = stored_transfers(keys[start : start + _CHUNK])
        found |= {key: transfer.order.amount for key, transfer in stored.items()}
    return found


def transfers_between(*, start: dt.datetime, end: dt.datetime) -> dict[str, Money]:
    """Return the payments' transfers of a time, by key."""
    found = Transfer.objects.filter(
        pk__gte=uuid7_floor(start), pk__lt=uuid7_floor(end), purpose__in=_PURPOSES
    )
    return {key: Money(paise) for key, paise in found.values_list("key", "amount_paise")}


def begin_snapshot() -> None:
    """Make the open transaction see one instant of the writer, and change nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
