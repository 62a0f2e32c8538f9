"""Apply the banks' answers to what customers asked."""

import datetime as dt
import uuid

import redis
import structlog
from django_redis.exceptions import ConnectionInterrupted

from apps.customers import selectors, session_store
from apps.customers.models import AccountRequest
from apps.customers.states import AWAITING_ANSWER, RequestState
from apps.upi.contracts import Balance, RespBalEnq, ResponseMessage

log = structlog.get_logger(__name__)

SUCCESS = "SUCCESS"
# The bank said SUCCESS and sent a balance that is no amount: we cannot show one.
BALANCE_UNREADABLE = "BALANCE_UNREADABLE"


def settle(message: ResponseMessage, request: AccountRequest, *, at: dt.datetime) -> None:
    """
    Move a request to what its bank answered; a repeated answer changes nothing.

    The caller's transaction is open and holds the request's row lock. An answer is applied
    whatever claim stands, and clears it.
    """
    if RequestState(request.state) not in AWAITING_ANSWER:
        return
    request.state, request.result_code = _outcome(message, request)
    request.ended_at = at
    request.claim = None
    request.next_action_at = None
    request.save(update_fields=["state", "result_code", "ended_at", "claim", "next_action_at"])


def lock_answered(exchange_id: uuid.UUID) -> AccountRequest:
    """Return the request behind an exchange of ours, locked; there is one, for we opened it."""
    request = selectors.lock_request_by_exchange(exchange_id)
    assert request is not None, f"{exchange_id}: an account answer to no account request"
    return request


def _outcome(message: ResponseMessage, request: AccountRequest) -> tuple[RequestState, str]:
    if message.resp.result != SUCCESS:
        return RequestState.FAILED, message.resp.err_code or ""
    if isinstance(message, RespBalEnq):
        balance = message.payer.bal if message.payer else None
        if balance is None or not _hand_over(request, balance):
            return RequestState.FAILED, BALANCE_UNREADABLE
    return RequestState.SUCCESS, "00"


def _hand_over(request: AccountRequest, balance: Balance) -> bool:
    """
    Put the balance where its customer fetches it once; it never enters the database.

    Before the commit, so that whoever sees SUCCESS finds it: if the transaction fails, it only
    lapses. Redis answers within 200 ms or not at all; then the customer asks anew.
    """
    try:
        paise = balance.amount().paise
    except ValueError:
        return False
    try:
        session_store.put_balance(request.pk, paise)
    except (redis.RedisError, ConnectionInterrupted) as error:
        log.warning("balance_not_kept", error=type(error).__name__)
    return True
