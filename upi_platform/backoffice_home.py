"""The first page of the back office: the money, the platform's health, and what is open."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.timesince import timesince

from apps.common import clock
from apps.common.money import ZERO, Money
from apps.ledger.selectors import books_sum
from apps.messaging.selectors import dead_letters_open, oldest_unpublished_seconds
from apps.payments.declines import Declines, declines
from apps.payments.open_items import ItemKind, OpenItem, open_items
from apps.upi.selectors import organisation

OPEN_ITEMS_SHOWN = 10
DECLINES_SHOWN = 10
_DECLINE_HEADERS = ("Code", "Class", "Job", "Meaning", "Legs")
# The relay is told at once and asks each second: older than this, it is not doing its work.
UNPUBLISHED_SECONDS_MAX = 60
# The others wait for a day file: `manage.py reconcile` lists them all.
_SHOWN = (ItemKind.UNKNOWN, ItemKind.PARKED, ItemKind.HOST_ANSWER_UNMATCHED)
_TABLE_HEADERS = ("Transaction", "Job", "State", "Since", "Exposure", "Owner")


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the first page, and whether it is as it should be."""

    title: str
    value: str
    note: str
    is_good: bool
    url: str = ""


def home(request: HttpRequest) -> dict[str, Any]:
    """Return the figures and the open items that this operator may see."""
    figures: list[Figure] = []
    table: dict[str, Any] = {}
    decline_table: dict[str, Any] = {}
    if request.user.has_perm("payments.view_transaction"):
        items = open_items(*_SHOWN)
        unmatched = [item for item in items if item.kind is ItemKind.HOST_ANSWER_UNMATCHED]
        figures.append(_open_figure(items[: len(items) - len(unmatched)]))
        table = {
            "headers": _TABLE_HEADERS,
            "rows": [_row(item) for item in items[:OPEN_ITEMS_SHOWN]],
        }
        today = clock.business_date(clock.now())
        declined = declines(first=today, last=today)
        figures.append(_declines_figure(declined))
        figures.append(_unmatched_figure(unmatched))
        decline_table = {
            "headers": _DECLINE_HEADERS,
            "rows": [_decline(row) for row in declined[:DECLINES_SHOWN]],
        }
    if request.user.has_perm("ledger.view_transfer"):
        figures.append(_books_figure())
    if request.user.has_perm("upi.view_organisation"):
        figures.append(_switch_figure())
    if request.user.has_perm("messaging.view_deadletter"):
        figures += [_letters_figure(), _outbox_figure()]
    return {"figures": figures, "open_items": table, "declines": decline_table}


def _open_figure(items: Sequence[OpenItem]) -> Figure:
    exposure = sum((item.exposure for item in items), ZERO)
    return Figure(
        title="Unknown or parked",
        value=str(len(items)),
        note=f"{exposure.display()} at most" if items else "every payment has its end",
        is_good=not items,
        url=_list_of("payments_leg"),
    )


def _unmatched_figure(items: Sequence[OpenItem]) -> Figure:
    return Figure(
        title="Unmatched answers",
        value=str(len(items)),
        note="of core banking: find out what they mean" if items else "of core banking",
        is_good=not items,
        url=_list_of("accounts_unmatchedanswer"),
    )


def _declines_figure(declined: Sequence[Declines]) -> Figure:
    """Technical declines are ours to mend, business declines are the customers'."""
    technical = sum(row.count for row in declined if row.kind == "TD")
    business = sum(row.count for row in declined if row.kind == "BD")
    return Figure(
        title="Declined today",
        value=f"{technical} TD, {business} BD",
        note="technical and business declines" if declined else "nothing was declined",
        is_good=technical == 0,
        url=_list_of("payments_transaction"),
    )


def _decline(row: Declines) -> list[str]:
    return [row.code, row.kind or "–", row.role, row.meaning, str(row.count)]


def _books_figure() -> Figure:
    total: Money = books_sum()
    return Figure(
        title="Sum of the books",
        value=total.display(),
        note="debits equal credits" if total == ZERO else "the books do not balance",
        is_good=total == ZERO,
        url=_list_of("ledger_ledgeraccount"),
    )


def _switch_figure() -> Figure:
    peer = organisation(settings.UPI_SWITCH_ORG_ID)
    is_up = peer is None or peer.is_up
    since = peer.state_changed_at if peer else None
    note = f"since {timesince(since, clock.now())}" if since else "answers our heartbeats"
    return Figure(
        title="Switch",
        value="up" if is_up else "down",
        note=note if peer else "no heartbeat yet",
        is_good=is_up,
        url=_list_of("upi_organisation"),
    )


def _letters_figure() -> Figure:
    letters = dead_letters_open()
    return Figure(
        title="Dead letters",
        value=str(letters),
        note="wait for their owners" if letters else "nothing is parked",
        is_good=letters == 0,
        url=_list_of("messaging_deadletter"),
    )


def _outbox_figure() -> Figure:
    seconds = oldest_unpublished_seconds()
    return Figure(
        title="Oldest fact unpublished",
        value=f"{seconds:.0f} s",
        note="Kafka has everything" if seconds == 0 else "waits for the relay",
        is_good=seconds <= UNPUBLISHED_SECONDS_MAX,
        url=_list_of("messaging_outboxevent"),
    )


def _row(item: OpenItem) -> list[str]:
    return [
        item.transaction_id or f"RRN {item.rrn}",
        item.role or "–",
        f"{item.state} {item.code}".strip(),
        f"{timesince(item.since, clock.now())} ago",
        item.exposure.display(),
        item.owner,
    ]


def _list_of(model: str) -> str:
    """Return the page of a model, or nothing while it has none."""
    try:
        return reverse(f"admin:{model}_changelist")
    except NoReverseMatch:
        return ""
