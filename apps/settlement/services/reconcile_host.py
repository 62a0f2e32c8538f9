"""Hold a business day of our calls and books against the core-banking host's file."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence

from django.db import transaction

from apps.accounts.states import CallKind
from apps.common.masking import mask_account
from apps.payments.open_items import ItemKind, open_items
from apps.payments.states import Role, State
from apps.settlement import host_judging, host_selectors, selectors
from apps.settlement.contracts import (
    Break,
    BreakKind,
    CallKey,
    HostLine,
    LineKind,
    OurCall,
    Reconciliation,
)

_ROLES = {Role.DEBIT, Role.CREDIT, Role.REVERSAL}


def reconcile_host(*, date: dt.date) -> Reconciliation:
    """
    Compare calls, legs and our books' mirror with the file of a day; what is open is a break too.

    The file was taken before. Reads one snapshot of the writer. What only the next day's file can
    tell is left for that day.
    """
    with transaction.atomic(durable=True):
        selectors.begin_snapshot()
        lines = host_selectors.lines_of_day(date)
        calls = host_selectors.calls_by_key({line.key for line in lines})
        posted = {call.key: call for call in host_selectors.calls_posted_on(date)}
        told = host_selectors.lines_by_key({*calls, *posted})
        breaks = [
            *_only_at_host(lines, calls),
            *_against_lines(calls.values(), told),
            *_only_with_us(posted.values(), told),
            *_against_transfers({**posted, **calls}.values()),
            *_open(),
        ]
    broken = {found.transaction_id for found in breaks}
    matched = [call for call in calls.values() if call.transaction_id not in broken]
    return Reconciliation(
        date=date,
        rows=len(lines),
        matched=len(matched),
        breaks=tuple(sorted(breaks, key=lambda found: (found.kind, found.transaction_id))),
    )


def _only_at_host(lines: Iterable[HostLine], calls: Mapping[CallKey, OurCall]) -> Iterator[Break]:
    for line in lines:
        if line.key in calls:
            continue
        detail = f"{_named(line.key)} {line.kind} {line.sign} of {mask_account(line.account)}"
        yield Break(BreakKind.ONLY_AT_HOST, line.upi_id, line.rrn, line.amount, detail)


def _against_lines(
    calls: Iterable[OurCall], told: Mapping[CallKey, Sequence[HostLine]]
) -> Iterator[Break]:
    codes = host_selectors.profile().processing_codes
    for call in calls:
        lines = told[call.key]
        differences = [host_judging.difference(line, call, codes=codes) for line in lines]
        found = next((each for each in differences if each is not None), None) or _outcome(
            call, lines
        )
        if found is not None:
            kind, detail = found
            yield _break(kind, call, detail)


def _outcome(call: OurCall, lines: Sequence[HostLine]) -> tuple[BreakKind, str] | None:
    """Hold what stands at the host against our leg; what is still open is listed as that."""
    posted = sum(line.kind is LineKind.POSTED for line in lines)
    if posted > 1:
        return BreakKind.TWICE_AT_HOST, f"posted {posted} times at the host"
    is_undone = posted < len(lines)
    is_open = call.state in {State.POSTING, State.UNKNOWN}
    if is_undone and (call.state is State.POSTED or call.kind is CallKind.REVERSAL):
        return BreakKind.UNDONE_AT_HOST, f"undone at the host, ours is {call.state}"
    if is_undone or is_open or call.state is State.POSTED:
        return None
    if call.cancelled_on is not None and not host_selectors.has_file(call.cancelled_on):
        # The host said that it undid it, on a day whose file is still to come.
        return None
    return BreakKind.STANDS_AT_HOST, f"posted at the host, ours is {call.state}"


def _only_with_us(
    calls: Iterable[OurCall], told: Mapping[CallKey, Sequence[HostLine]]
) -> Iterator[Break]:
    """Name what we posted and no file names, once the file that would is there."""
    for call in calls:
        if call.key in told:
            continue
        if call.settlement_date is not None or host_selectors.has_file(call.days[-1]):
            yield _break(BreakKind.ONLY_WITH_US, call, "posted here, in no file of the host")


def _against_transfers(calls: Iterable[OurCall]) -> Iterator[Break]:
    """Hold each movement against the transfer that mirrors it in our books."""
    found = list(calls)
    amounts = selectors.transfer_amounts(call.transfer_key for call in found)
    for call in found:
        mirrored = amounts.get(call.transfer_key)
        is_posted = call.state is State.POSTED
        if is_posted and mirrored is None:
            yield _break(BreakKind.LEG_WITHOUT_TRANSFER, call, "posted, and our books lack it")
        elif is_posted and mirrored is not None and mirrored != call.amount:
            detail = f"our books moved {mirrored.display()}"
            yield _break(BreakKind.TRANSFER_DIFFERS, call, detail)
        elif not is_posted and mirrored is not None:
            detail = f"our books moved it, the leg is {call.state}"
            yield _break(BreakKind.TRANSFER_WITHOUT_LEG, call, detail)


def _open() -> Iterator[Break]:
    for item in open_items(ItemKind.UNKNOWN, ItemKind.PARKED):
        if item.role in _ROLES:
            detail = f"{item.role} {item.state}; {item.owner}"
            yield Break(BreakKind.OPEN_ITEM, item.transaction_id, item.rrn, item.exposure, detail)


def _break(kind: BreakKind, call: OurCall, detail: str) -> Break:
    text = f"{call.kind}, {_named(call.key)}: {detail}"
    return Break(kind, call.transaction_id, call.rrn, call.amount, text)


def _named(key: CallKey) -> str:
    terminal, stan, _ = key
    return f"{terminal} {stan:06}"
