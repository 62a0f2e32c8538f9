"""Find a customer's accounts at a bank by their mobile number, and link the one they choose."""

import datetime as dt
import uuid

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from apps.accounts import selectors as accounts
from apps.common import clock, ids
from apps.common.errors import NotFoundError
from apps.customers import selectors
from apps.customers.contracts import CustomerPrincipal
from apps.customers.errors import BankUnknownError
from apps.customers.models import AccountListing, FoundAccount, LinkedAccount
from apps.customers.selectors import message_address, wire_device
from apps.customers.services import enrol
from apps.customers.states import AWAITING_ANSWER, RequestState
from apps.messaging import wakeups
from apps.upi import liveness
from apps.upi.contracts import (
    AccountAddress,
    Link,
    ListedAccount,
    Party,
    Received,
    ReqListAccount,
    RespListAccount,
)
from apps.upi.selectors import account_provider
from apps.upi.services import governor, questions
from apps.upi.timer_models import Timer

STEP = "customers.listings"
API = "ListAccount"
NO_ACCOUNT = "XH"
ACCOUNT_LENGTH_MAX = 30
PURGE_AFTER_HOURS = 24
PURGE_ROWS_MAX = 500
_SUCCESS, _DONE = "SUCCESS", "00"


@transaction.atomic(durable=True)
def ask(ifsc: str, *, principal: CustomerPrincipal, at: dt.datetime) -> AccountListing:
    """
    Take the question on; a twin of one that is under way is that one.

    Raises BankUnknownError, SwitchDownError, ApiBudgetError (25 a day, circular OC-215A).
    """
    customer = selectors.lock_customer(principal.customer_id)
    if not accounts.is_ours(ifsc) and account_provider(ifsc) is None:
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
    """Ask what is due; return how many rows moved."""
    return questions.advance_due(_QUESTION, at=at)


def take_answer(received: Received[RespListAccount]) -> None:
    """Keep what the bank found until the customer chooses, in the receiver's transaction."""
    row = selectors.lock_listing_by_exchange(received.exchange_id)
    assert row is not None, f"{received.exchange_id}: an answer to no listing"
    if RequestState(row.state) not in AWAITING_ANSWER:
        return
    message = received.message
    if message.resp.result != _SUCCESS:
        code = message.resp.err_code or NO_ACCOUNT
        questions.end(row, RequestState.FAILED, code, at=received.received_at)
        return
    found = [
        _found(row, place, each)
        for place, each in enumerate(message.account_list)
        # A bank answers for its own accounts only.
        if each.ifsc[:4] == row.ifsc[:4] and len(each.acc_ref_number) <= ACCOUNT_LENGTH_MAX
    ]
    FoundAccount.objects.bulk_create(found)
    state = RequestState.SUCCESS if found else RequestState.FAILED
    questions.end(row, state, _DONE if found else NO_ACCOUNT, at=received.received_at)


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


def _message(row: AccountListing, at: dt.datetime) -> ReqListAccount:
    customer = row.device.customer
    return ReqListAccount(
        head=questions.head_of(at=at),
        txn=questions.txn_of(row.transaction_id, API, at=at),
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


_QUESTION = questions.Question(
    name="listing",
    rows=AccountListing.objects,
    load=selectors.claimed_listings,
    lock=selectors.lock_listing_by_exchange,
    message_of=_message,
    refused=RequestState.FAILED,
    timer=Timer.ACCOUNT_ANSWER,
)
