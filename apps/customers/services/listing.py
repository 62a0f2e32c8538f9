"""Find a customer's accounts at a bank by their mobile number, and link the one they choose."""

import datetime as dt
import uuid
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from apps.common import clock, ids
from apps.common.errors import NotFoundError
from apps.common.faults import fault_point
from apps.customers import selectors
from apps.customers.contracts import CustomerPrincipal
from apps.customers.errors import BankUnknownError
from apps.customers.models import AccountListing, FoundAccount, LinkedAccount
from apps.customers.selectors import message_address, wire_device
from apps.customers.services import enrol
from apps.customers.states import AWAITING_ANSWER, RequestState
from apps.messaging import claims, wakeups
from apps.upi import liveness, timers
from apps.upi.contracts import (
    AccountAddress,
    Head,
    Link,
    ListedAccount,
    Party,
    Received,
    ReqListAccount,
    Request,
    RespListAccount,
    SendOutcome,
    SendResult,
    Txn,
)
from apps.upi.selectors import account_provider
from apps.upi.services import governor
from apps.upi.services.requests import open_within_budget, send_requests
from apps.upi.timer_models import Timer

STEP = "customers.listings"
API = "ListAccount"
NOT_SENT, OVER_BUDGET, NO_ACCOUNT = "NOT_SENT", "OVER_BUDGET", "XH"
ACCOUNT_LENGTH_MAX = 30
PURGE_AFTER_HOURS = 24
PURGE_ROWS_MAX = 500
_SUCCESS, _DONE = "SUCCESS", "00"
_REFERENCE_URL = "https://www.npci.org.in/"


@transaction.atomic(durable=True)
def ask(ifsc: str, *, principal: CustomerPrincipal, at: dt.datetime) -> AccountListing:
    """
    Take the question on; a twin of one that is under way is that one.

    Raises BankUnknownError, SwitchDownError, ApiBudgetError (25 a day, circular OC-215A).
    """
    customer = selectors.lock_customer(principal.customer_id)
    if ifsc[:4] != settings.UPI_IFSC[:4] and account_provider(ifsc) is None:
        raise BankUnknownError
    earlier = selectors.open_listing(customer.pk, ifsc)
    if earlier is not None:
        return earlier
    liveness.require_switch()
    governor.allow(API, customer.mobile, at)
    row = AccountListing.objects.create(
        customer=customer,
        device_id=principal.device_id,
        ifsc=ifsc,
        transaction_id=ids.new_upi_id(settings.UPI_ID_PREFIX),
        exchange_id=ids.uuid7(),
        created_at=at,
        next_action_at=Now(),
    )
    wakeups.wake_on_commit(STEP)
    return row


def link(
    listing_id: uuid.UUID | None, found_id: uuid.UUID | None, *, customer_id: uuid.UUID
) -> LinkedAccount:
    """
    Link an account that the customer's bank found for them. Linking twice is linking once.

    Raises NotFoundError, also for what another customer's bank found.
    """
    listing = selectors.listing_of(customer_id, listing_id)
    chosen = [each for each in selectors.found_accounts(listing) if each.pk == found_id]
    if not chosen:
        raise NotFoundError
    facts = enrol.AccountFacts(
        account_number=chosen[0].account_number,
        ifsc=chosen[0].ifsc,
        account_type=chosen[0].account_type,
        holder_name=chosen[0].holder_name,
    )
    return enrol.link_account(customer_id, facts, at=clock.now())


def advance_due(*, at: dt.datetime) -> int:
    """Send the questions that are due, each once, and call those unanswered for long UNKNOWN."""
    requests = _open_due(at=at)
    if requests:
        outcomes = send_requests(requests)
        fault_point("listing.sent")
        _record(outcomes, at=at)
    return len(requests) + _call_unknown()


def take_answer(received: Received[RespListAccount]) -> None:
    """Keep what the bank found until the customer chooses, in the receiver's transaction."""
    row = selectors.lock_listing_by_exchange(received.exchange_id)
    assert row is not None, f"{received.exchange_id}: an answer to no listing"
    if RequestState(row.state) not in AWAITING_ANSWER:
        return
    message = received.message
    if message.resp.result != _SUCCESS:
        _end(row, RequestState.FAILED, message.resp.err_code or NO_ACCOUNT, received.received_at)
        return
    found = [
        _found(row, place, each)
        for place, each in enumerate(message.account_list)
        # A bank answers for its own accounts only.
        if each.ifsc[:4] == row.ifsc[:4] and len(each.acc_ref_number) <= ACCOUNT_LENGTH_MAX
    ]
    FoundAccount.objects.bulk_create(found)
    state = RequestState.SUCCESS if found else RequestState.FAILED
    _end(row, state, _DONE if found else NO_ACCOUNT, received.received_at)


def purge() -> int:
    """Forget what banks found and nobody linked, a day later; a bounded number at a time."""
    old = clock.now() - dt.timedelta(hours=PURGE_AFTER_HOURS)
    rows = AccountListing.objects.filter(created_at__lt=old).values_list("pk", flat=True)
    picked = list(rows[:PURGE_ROWS_MAX])
    AccountListing.objects.filter(pk__in=picked).delete()
    return len(picked)


def _found(row: AccountListing, place: int, listed: ListedAccount) -> FoundAccount:
    return FoundAccount(
        listing=row,
        place=place,
        account_number=listed.acc_ref_number,
        ifsc=listed.ifsc,
        account_type=listed.acc_type,
        holder_name=listed.name,
        has_pin=listed.mbeba,
        credentials=[
            {"type": each.type, "sub_type": each.sub_type, "digits": each.d_length}
            for each in listed.creds_allowed
        ],
    )


def _end(row: AccountListing, state: RequestState, code: str, at: dt.datetime) -> None:
    row.state = state
    row.result_code = code[:20]
    row.ended_at = at
    row.claim = None
    row.next_action_at = None
    row.save()


@transaction.atomic(durable=True)
def _open_due(*, at: dt.datetime) -> list[Request]:
    claim = claims.claim_due(
        table=AccountListing._meta.db_table,
        states=[RequestState.CREATED],
        limit=settings.CLAIM_SEND_MAX,
        lease_seconds=settings.LEASE_WIRE_SECONDS,
    )
    if not claim:
        return []
    rows = selectors.claimed_listings(claim.ids)
    requests = [_request(row, at=at) for row in rows]
    refused = open_within_budget(requests)
    for row in rows:
        if row.exchange_id in refused:
            _end(row, RequestState.FAILED, OVER_BUDGET, at)
    wait = timers.span(Timer.ACCOUNT_ANSWER)
    AccountListing.objects.filter(pk__in=claim.ids, claim=claim.token).update(
        state=RequestState.SENDING, claim=None, next_action_at=Now() + wait
    )
    return [request for request in requests if request.exchange_id not in refused]


def _request(row: AccountListing, *, at: dt.datetime) -> Request:
    customer = row.device.customer
    message = ReqListAccount(
        head=Head(ts=at, org_id=settings.UPI_ORG_ID, msg_id=ids.new_upi_id(settings.UPI_ID_PREFIX)),
        txn=Txn(
            id=row.transaction_id,
            ts=at,
            type=API,
            note=API,
            ref_id=row.transaction_id,
            ref_url=_REFERENCE_URL,
            initiation_mode="00",
            purpose="00",
        ),
        payer=Party(
            addr=message_address(customer.mobile),
            name=customer.name,
            type="PERSON",
            code="0000",
            device=wire_device(row.device),
            # Of the account nothing is known but its bank.
            ac=AccountAddress(ifsc=row.ifsc, account_type="DEFAULT", account_number="0"),
        ),
        link=Link(value=customer.mobile),
    )
    return Request(exchange_id=row.exchange_id, message=message)


def _record(outcomes: Sequence[SendOutcome], *, at: dt.datetime) -> None:
    """Record what the sending itself proved; an answer may have come before, and stands."""
    for outcome in outcomes:
        if outcome.result is SendResult.NACKED:
            _fail_unanswered(outcome.exchange_id, outcome.code, at=at)
        elif outcome.result is SendResult.NOT_SENT:
            _fail_unanswered(outcome.exchange_id, NOT_SENT, at=at)


@transaction.atomic
def _fail_unanswered(exchange_id: uuid.UUID, code: str, *, at: dt.datetime) -> None:
    row = selectors.lock_listing_by_exchange(exchange_id)
    if row is not None and row.state == RequestState.SENDING:
        _end(row, RequestState.FAILED, code, at)


def _call_unknown() -> int:
    """Call questions UNKNOWN whose answer is overdue: nobody may conclude from silence."""
    return AccountListing.objects.filter(
        state=RequestState.SENDING, next_action_at__lte=Now()
    ).update(state=RequestState.UNKNOWN, next_action_at=None)
