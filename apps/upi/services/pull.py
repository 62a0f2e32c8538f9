"""
Pull the switch's lists once a day, through the governor, page by page.

The row of a list says when it is due and for which page we wait. Whatever goes wrong, the old rows
of the list stay and the row is due again later.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from apps.common import clock, ids
from apps.common.clock import IST, business_date
from apps.common.secret import Secret
from apps.messaging import claims, wakeups
from apps.upi import selectors, timers
from apps.upi.contracts import (
    Credential,
    Head,
    Message,
    Received,
    ReqListAccPvd,
    ReqListKeys,
    ReqListPsp,
    ReqListVae,
    Request,
    ResponseMessage,
    SendOutcome,
    SendResult,
    Txn,
)
from apps.upi.directory_models import DirectoryList, DirectoryPage, DirectoryPull, PullState
from apps.upi.services import listings
from apps.upi.services.requests import open_within_budget, send_requests
from apps.upi.timer_models import Timer

log = structlog.get_logger(__name__)

STEP = "upi.directory"
# upi-protocol 1.10: a page has at least a thousand rows.
PAGE_ROWS = 1000
PAGES_MAX = 1000
NO_ANSWER, NOT_SENT = "NO_ANSWER", "NOT_SENT"
EMPTY, INCOMPLETE, TOO_LONG = "EMPTY", "INCOMPLETE", "TOO_LONG"
_SUCCESS, _DONE = "SUCCESS", "00"
_REFERENCE_URL = "https://www.npci.org.in/"
_RETRY_AFTER = dt.timedelta(hours=1)
_MAY_BE_EMPTY = frozenset({DirectoryList.PSP_KEYS, DirectoryList.MERCHANTS})
_MESSAGES: dict[DirectoryList, tuple[type[Message], str]] = {
    DirectoryList.PSPS: (ReqListPsp, "ListPsp"),
    DirectoryList.PROVIDERS: (ReqListAccPvd, "ListAccPvd"),
    DirectoryList.KEYS: (ReqListKeys, "ListKeys"),
    DirectoryList.PSP_KEYS: (ReqListKeys, "ListPSPKeys"),
    DirectoryList.MERCHANTS: (ReqListVae, "ListVae"),
}


def pull_due() -> int:
    """Ask for the lists that are due, and give up on answers that are overdue; return how many."""
    done, requests = _open_due()
    if requests:
        _record(send_requests(requests))
    return done


def make_due(names: Sequence[DirectoryList] = tuple(DirectoryList)) -> None:
    """Make lists due now, whatever their schedule; the governor still judges."""
    DirectoryPull.objects.filter(pk__in=names, state=PullState.IDLE).update(next_action_at=Now())


def receive_answer(received: Received[ResponseMessage]) -> None:
    """Take a page of a list, in the receiver's transaction; the last one changes the directory."""
    pull = selectors.lock_pull(received.exchange_id)
    if pull is None:
        log.info("directory_page_late", exchange_id=str(received.exchange_id))
        return
    message = received.message
    if message.resp.result != _SUCCESS:
        _fail(pull, message.resp.err_code or NO_ANSWER, at=received.received_at)
        return
    pull.pages += 1
    entries = listings.entries_of(message)
    DirectoryPage.objects.create(pull=pull, number=pull.pages, entries=entries)
    if _is_last(message.head):
        _finish(pull, total=message.head.page_total, at=received.received_at)
    elif pull.pages >= PAGES_MAX or not entries:
        _fail(pull, TOO_LONG, at=received.received_at)
    else:
        _release(pull, state=PullState.IDLE, due_at=received.received_at)
        wakeups.wake_on_commit(STEP)


@transaction.atomic(durable=True)
def _open_due() -> tuple[int, list[Request]]:
    claim = claims.claim_due(
        table=DirectoryPull._meta.db_table,
        states=list(PullState),
        limit=len(DirectoryList),
        lease_seconds=settings.LEASE_WIRE_SECONDS,
    )
    now = clock.now()
    asked: dict[UUID, DirectoryPull] = {}
    requests = []
    for pull in DirectoryPull.objects.filter(pk__in=claim.ids).order_by("pk"):
        if pull.state == PullState.ASKED:
            _fail(pull, NO_ANSWER, at=now)
            continue
        request = _request(pull, at=now)
        asked[request.exchange_id] = pull
        requests.append(request)
    refused = open_within_budget(requests)
    for exchange_id, pull in asked.items():
        if exchange_id in refused:
            _put_off(pull, due_at=refused[exchange_id].retry_at)
        else:
            _await(pull, exchange_id, at=now)
    return len(claim.ids), [each for each in requests if each.exchange_id not in refused]


def _request(pull: DirectoryPull, *, at: dt.datetime) -> Request:
    kind, txn_type = _MESSAGES[DirectoryList(pull.pk)]
    number = ids.new_upi_id(settings.UPI_ID_PREFIX)
    head = Head(
        ts=at,
        org_id=settings.UPI_ORG_ID,
        msg_id=ids.new_upi_id(settings.UPI_ID_PREFIX),
        page_size=PAGE_ROWS,
        page_seq_num=pull.pages + 1,
    )
    txn = Txn(id=number, ts=at, type=txn_type, note=txn_type, ref_id=number, ref_url=_REFERENCE_URL)
    more: dict[str, Any] = {"creds": (_challenge(),)} if kind is ReqListKeys else {}
    return Request(exchange_id=ids.uuid7(), message=kind(head=head, txn=txn, **more))


def _challenge() -> Credential:
    # A list of keys proves no device: the part is there because the message's form wants it.
    return Credential(
        type="Challenge", sub_type="initial", code="NPCI", ki="20150822", data=Secret("NA")
    )


def _await(pull: DirectoryPull, exchange_id: UUID, *, at: dt.datetime) -> None:
    if pull.pages == 0:
        pull.begun_at = at
    pull.exchange_id = exchange_id
    wait = timers.span(Timer.ACCOUNT_ANSWER)
    _release(pull, state=PullState.ASKED, due_at=at + wait)


def _put_off(pull: DirectoryPull, *, due_at: dt.datetime) -> None:
    _forget_pages(pull)
    _release(pull, state=PullState.IDLE, due_at=due_at)


def _record(outcomes: Sequence[SendOutcome]) -> None:
    """Give up what the sending itself proved to be refused or unsent; an answer may have come."""
    for outcome in outcomes:
        if outcome.result not in {SendResult.NACKED, SendResult.NOT_SENT}:
            continue
        with transaction.atomic():
            pull = selectors.lock_pull(outcome.exchange_id)
            if pull is not None:
                _fail(pull, outcome.code or NOT_SENT, at=clock.now())


def _finish(pull: DirectoryPull, *, total: int | None, at: dt.datetime) -> None:
    pages = DirectoryPage.objects.filter(pull=pull).order_by("number")
    entries = [entry for page in pages.values_list("entries", flat=True) for entry in page]
    name = DirectoryList(pull.pk)
    if not entries and (name not in _MAY_BE_EMPTY or pull.rows):
        # A list that had rows does not lose all of them in a day: that is a fault over there.
        _fail(pull, EMPTY, at=at)
        return
    if total is not None and len(entries) != total:
        _fail(pull, INCOMPLETE, at=at)
        return
    pull.rows = listings.store(name, entries, at=at)
    pull.pulled_at = at
    pull.result_code = _DONE
    _forget_pages(pull)
    _release(pull, state=PullState.IDLE, due_at=_next_pull(at))
    log.info("directory_pulled", list=name.value, rows=pull.rows)


def _fail(pull: DirectoryPull, code: str, *, at: dt.datetime) -> None:
    pull.result_code = code[:20]
    _forget_pages(pull)
    _release(pull, state=PullState.IDLE, due_at=at + _RETRY_AFTER)
    log.warning("directory_pull_failed", list=pull.pk, code=code)


def _forget_pages(pull: DirectoryPull) -> None:
    pull.pages = 0
    DirectoryPage.objects.filter(pull=pull).delete()


def _release(pull: DirectoryPull, *, state: PullState, due_at: dt.datetime) -> None:
    pull.state = state
    pull.claim = None
    pull.next_action_at = due_at
    pull.save()


def _is_last(head: Head) -> bool:
    """Tell whether a page ends its list; a list without numbers has one page."""
    if head.page_total is None or head.page_rec_end is None:
        return True
    return head.page_rec_end >= head.page_total


def _next_pull(at: dt.datetime) -> dt.datetime:
    day = business_date(at) + dt.timedelta(days=1)
    return dt.datetime.combine(day, settings.UPI_DIRECTORY_PULL_AT, tzinfo=IST)
