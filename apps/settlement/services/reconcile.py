"""Hold a day of our books against the switch's file, and name every difference."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence

from django.conf import settings
from django.db import transaction

from apps.common import clock
from apps.common.masking import mask_account
from apps.common.money import ZERO, Money
from apps.ledger.selectors import books_sum
from apps.payments.contracts import Job
from apps.payments.open_items import open_items
from apps.payments.services.posting import leg_key
from apps.payments.services.settle import DEEMED, DONE
from apps.payments.states import Role, State, is_final
from apps.settlement import selectors
from apps.settlement.contracts import Break, BreakKind, RawRow, Reconciliation
from apps.settlement.selectors import OurSide
from apps.upi import timers
from apps.upi.timer_models import Timer

_DAY = dt.timedelta(days=1)
# A payment that is posted just before midnight may end after it: it is in the next day's file.
HANGING = dt.timedelta(minutes=15)
_SETTLED = {DONE, DEEMED}
_SUCCESSES = {State.SUCCESS, State.DEEMED, State.CONFIRMED}


def reconcile(rows: Sequence[RawRow], *, date: dt.date, now: dt.datetime) -> Reconciliation:
    """
    Compare legs, transfers and the file of an Indian day; everything open is a break too.

    Reads one snapshot of the writer. Postings younger than the switch needs to end a payment are
    left for the next time.
    """
    with transaction.atomic(durable=True):
        selectors.begin_snapshot()
        start, end = _window(date, now=now)
        ids = {row.transaction_id for row in rows}
        posted = selectors.posted_transaction_ids(start=start, end=end)
        transfers = selectors.transfers_between(start=start, end=end)
        named = {key.rpartition("/")[2] for key in transfers}
        sides = selectors.our_sides(ids | posted | named)
        breaks = [
            *_against_rows(rows, sides),
            *_not_in_file(posted - ids, sides),
            *_against_transfers(sides, transfers),
            *_books(),
            *_open(),
        ]
    broken = {found.transaction_id for found in breaks}
    return Reconciliation(
        date=date,
        rows=len(rows),
        matched=len(ids - broken),
        breaks=tuple(sorted(breaks, key=lambda found: (found.kind, found.transaction_id))),
    )


def _window(date: dt.date, *, now: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    start, end = clock.day_start(date), clock.day_start(date + _DAY)
    young = timers.span(Timer.CHECK_FIRST_AFTER)
    return start - HANGING, min(end - HANGING, now - young)


def _against_rows(rows: Sequence[RawRow], sides: dict[str, OurSide]) -> Iterator[Break]:
    for row in rows:
        side = sides.get(row.transaction_id, OurSide(()))
        for check in _CHECKS:
            found = check(row, side)
            if found is not None:
                yield found


def _check_debit(row: RawRow, side: OurSide) -> Break | None:
    is_ours = row.remitter == settings.UPI_BANK_CODE
    expected = row.amount if is_ours and row.response_code in _SETTLED else ZERO
    return _compare(
        row, side.net_debit, expected, BreakKind.DEBIT_MISSING, BreakKind.DEBIT_UNEXPECTED
    )


def _check_credit(row: RawRow, side: OurSide) -> Break | None:
    is_ours = row.beneficiary == settings.UPI_BANK_CODE
    expected = row.amount if is_ours and row.response_code in _SETTLED else ZERO
    if row.response_code == DEEMED and not side.net_credit:
        # Owed to the beneficiary: an open item of its own.
        return None
    return _compare(
        row, side.net_credit, expected, BreakKind.CREDIT_MISSING, BreakKind.CREDIT_UNEXPECTED
    )


def _compare(
    row: RawRow, ours: Money, expected: Money, missing: BreakKind, unexpected: BreakKind
) -> Break | None:
    if ours == expected:
        return None
    if ours and expected:
        # The amounts themselves differ, which has its own name.
        return None
    kind = missing if not ours else unexpected
    detail = f"file {row.response_code} expects {expected.display()}, we have {ours.display()}"
    return Break(kind, row.transaction_id, row.rrn, row.amount, detail)


def _check_amount(row: RawRow, side: OurSide) -> Break | None:
    ours = side.jobs[0].transaction.amount if side.jobs else row.amount
    if ours == row.amount:
        return None
    exposure = Money(abs(ours.paise - row.amount.paise))
    detail = f"file {row.amount.display()}, ours {ours.display()}"
    return Break(BreakKind.AMOUNT_DIFFERS, row.transaction_id, row.rrn, exposure, detail)


def _check_rrn(row: RawRow, side: OurSide) -> Break | None:
    ours = side.jobs[0].transaction.rrn if side.jobs else row.rrn
    if ours == row.rrn:
        return None
    detail = f"file {row.rrn}, ours {ours}"
    return Break(BreakKind.RRN_DIFFERS, row.transaction_id, row.rrn, row.amount, detail)


def _check_account(row: RawRow, side: OurSide) -> Break | None:
    named = {Role.DEBIT: row.remitter_account, Role.CREDIT: row.beneficiary_account}
    for role, account in named.items():
        job = side.leg(role)
        if job is not None and job.account_number and job.account_number != account:
            detail = f"file {mask_account(account)}, our {role} {mask_account(job.account_number)}"
            return Break(BreakKind.ACCOUNT_DIFFERS, row.transaction_id, row.rrn, row.amount, detail)
    return None


def _check_status(row: RawRow, side: OurSide) -> Break | None:
    is_settled = row.response_code in _SETTLED
    for role in (Role.PAYER_PSP, Role.PAYEE_PSP):
        job = side.leg(role)
        if job is None or not is_final(role, job.state):
            continue
        if (job.state in _SUCCESSES) != is_settled:
            detail = f"file {row.response_code}, our {role} says {job.state}"
            return Break(BreakKind.STATUS_DIFFERS, row.transaction_id, row.rrn, row.amount, detail)
    return None


_CHECKS: tuple[Callable[[RawRow, OurSide], Break | None], ...] = (
    _check_amount,
    _check_rrn,
    _check_debit,
    _check_credit,
    _check_account,
    _check_status,
)


def _not_in_file(transaction_ids: set[str], sides: dict[str, OurSide]) -> Iterator[Break]:
    """Name postings that no file knows, unless what was taken was given back."""
    elsewhere = selectors.known_verdicts(transaction_ids)
    for transaction_id in sorted(transaction_ids - elsewhere):
        side = sides[transaction_id]
        if not side.net_debit and not side.net_credit:
            continue
        facts = side.jobs[0].transaction
        detail = f"debited {side.net_debit.display()}, credited {side.net_credit.display()}"
        yield Break(BreakKind.NOT_IN_FILE, transaction_id, facts.rrn, facts.amount, detail)


def _against_transfers(
    sides: dict[str, OurSide], transfers: Mapping[str, Money]
) -> Iterator[Break]:
    """Hold each leg against the transfer of its key, and each of the day's transfers against it."""
    jobs = {leg_key(job): job for side in sides.values() for job in side.jobs if _moves_money(job)}
    amounts = selectors.transfer_amounts(jobs)
    for key, job in jobs.items():
        is_posted = job.state is State.POSTED
        if is_posted and key not in amounts:
            yield _leg_break(BreakKind.LEG_WITHOUT_TRANSFER, job, "posted, and no money has moved")
        elif is_posted and amounts[key] != job.transaction.amount:
            detail = f"the transfer moved {amounts[key].display()}"
            yield _leg_break(BreakKind.TRANSFER_DIFFERS, job, detail)
        elif not is_posted and key in amounts:
            yield _leg_break(BreakKind.TRANSFER_WITHOUT_LEG, job, f"the leg is {job.state}")
    for key in sorted(transfers.keys() - jobs.keys()):
        transaction_id = key.rpartition("/")[2]
        detail = f"no leg has the key {key}"
        yield Break(BreakKind.TRANSFER_WITHOUT_LEG, transaction_id, "", transfers[key], detail)


def _moves_money(job: Job) -> bool:
    return job.role in {Role.DEBIT, Role.CREDIT} or (job.role, job.kind) == (
        Role.REVERSAL,
        Role.DEBIT,
    )


def _leg_break(kind: BreakKind, job: Job, detail: str) -> Break:
    facts = job.transaction
    return Break(kind, facts.id, facts.rrn, facts.amount, f"{job.role}: {detail}")


def _books() -> Iterator[Break]:
    difference = books_sum()
    if difference:
        detail = f"all accounts together are {difference.display()}, not zero"
        yield Break(BreakKind.BOOKS_UNBALANCED, "", "", Money(abs(difference.paise)), detail)


def _open() -> Iterator[Break]:
    for item in open_items():
        detail = f"{item.kind} {item.state} {item.code}".rstrip() + f"; {item.owner}"
        yield Break(BreakKind.OPEN_ITEM, item.transaction_id, item.rrn, item.exposure, detail)
