"""Accept what a customer asks their account's bank."""

import datetime as dt
import re
import uuid
from dataclasses import dataclass, field

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from apps.common import ids
from apps.customers import selectors
from apps.customers.contracts import CustomerPrincipal
from apps.customers.errors import (
    DailyLimitError,
    InvalidTransactionIdError,
    TransactionIdTakenError,
)
from apps.customers.models import AccountRequest, LinkedAccount
from apps.customers.states import RequestKind, RequestState
from apps.messaging import wakeups
from apps.upi import liveness
from apps.upi.contracts import Credential
from apps.upi.selectors import api_caps
from apps.upi.services import governor, pin_blocks

STEP = "customers.requests"
BALANCE_API = "BalEnq"


@dataclass(frozen=True, slots=True)
class Card:
    """What proves a debit card at registration: its last six digits, its expiry as MMYY."""

    digits: str = field(repr=False)
    expiry: str = field(repr=False)


NO_CARD = Card(digits="", expiry="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a customer asks; `credentials` go to upi.PinBlock and nowhere else."""

    kind: RequestKind
    account_id: uuid.UUID | None
    transaction_id: str
    card: Card = NO_CARD
    credentials: tuple[Credential, ...] = ()


def check_transaction_id(text: object) -> str:
    """
    Return the id if an app of this PSP may have minted it: our prefix and 32 hexadecimal digits.

    Raises InvalidTransactionIdError.
    """
    pattern = rf"{settings.UPI_ID_PREFIX}[0-9a-f]{{32}}"
    if type(text) is not str or not re.fullmatch(pattern, text):
        raise InvalidTransactionIdError(field="txn_id")
    return text


@transaction.atomic(durable=True)
def accept(ask: Ask, *, principal: CustomerPrincipal, at: dt.datetime) -> AccountRequest:
    """
    Take a request on and wake its sender. The same transaction id again: the same request.

    Raises NotFoundError (not this customer's account), TransactionIdTakenError (the id stands for
    something else), DailyLimitError, SwitchDownError.
    """
    account = selectors.account_of(principal.customer_id, ask.account_id)
    # One customer's requests are decided one after the other: twins see each other, counts hold.
    selectors.lock_customer(principal.customer_id)
    earlier = selectors.request_by_transaction(ask.transaction_id)
    if earlier is not None:
        return _same(earlier, ask, principal)
    liveness.require_switch()
    if ask.kind == RequestKind.BALANCE:
        _check_daily_limit(principal.customer_id, at=at)
    request = _create(ask, account, principal, at=at)
    if ask.credentials:
        pin_blocks.store(request.exchange_id, ask.credentials)
    wakeups.wake_on_commit(STEP)
    return request


def _same(earlier: AccountRequest, ask: Ask, principal: CustomerPrincipal) -> AccountRequest:
    is_same = (earlier.customer_id, earlier.account_id, earlier.kind) == (
        principal.customer_id,
        ask.account_id,
        ask.kind,
    )
    if not is_same:
        raise TransactionIdTakenError
    return earlier


def _check_daily_limit(customer_id: uuid.UUID, *, at: dt.datetime) -> None:
    """
    Count the enquiries of the last 24 hours (circular OC-215A: 50 per app and customer).

    Those too that were not sent yet: the governor of the wire counts only as they leave.
    """
    cap = api_caps([BALANCE_API], at=at).get(BALANCE_API)
    if cap is None or cap.cap is None:
        return
    earlier = selectors.balance_enquiries(customer_id, since=at - governor.span(cap), limit=cap.cap)
    if len(earlier) >= cap.cap:
        wait = earlier[-1] + governor.span(cap) - at
        raise DailyLimitError(retry_after_seconds=max(1, int(wait.total_seconds()) + 1))


def _create(
    ask: Ask, account: LinkedAccount, principal: CustomerPrincipal, *, at: dt.datetime
) -> AccountRequest:
    try:
        with transaction.atomic():
            return AccountRequest.objects.create(
                customer_id=principal.customer_id,
                device_id=principal.device_id,
                account=account,
                kind=ask.kind,
                transaction_id=ask.transaction_id,
                card_digits=ask.card.digits,
                card_expiry=ask.card.expiry,
                exchange_id=ids.uuid7(),
                state=RequestState.CREATED,
                created_at=at,
                next_action_at=Now(),
            )
    except IntegrityError as error:
        # Another customer's app took the id between our look and our insert.
        raise TransactionIdTakenError from error
