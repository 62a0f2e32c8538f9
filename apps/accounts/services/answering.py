"""Answer requests about credentials, in the transaction that records what came of them."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from apps.accounts.models import CredentialRequest
from apps.accounts.states import RequestKind, RequestState
from apps.common import clock, ids
from apps.common.money import Money
from apps.upi import timers
from apps.upi.contracts import (
    Answer,
    Balance,
    DueAnswer,
    Head,
    Party,
    Resp,
    RespBalEnq,
    ResponseMessage,
    RespOtp,
    RespRegMob,
    RespSetCre,
    Txn,
)
from apps.upi.services.answers import record_answers
from apps.upi.timer_models import Timer

DONE = "00"

_ANSWERED = f"""
    UPDATE accounts_credential_request AS request
       SET state = '{RequestState.ANSWERED}', result_code = done.code, answered_at = %s,
           card_digits = '', card_expiry = '', claim = NULL, next_action_at = NULL
      FROM unnest(%s::uuid[], %s::text[]) AS done (id, code)
     WHERE request.id = done.id
"""  # noqa: S608 - the state is ours

_MESSAGES: Mapping[RequestKind, type[ResponseMessage]] = {
    RequestKind.OTP: RespOtp,
    RequestKind.REGISTRATION: RespRegMob,
    RequestKind.PIN_CHANGE: RespSetCre,
    RequestKind.BALANCE: RespBalEnq,
}


@dataclass(frozen=True, slots=True)
class Result:
    """What to answer: "00" or the UPI code of the refusal, and the balance where it was asked."""

    code: str
    balance: Money | None = field(default=None, repr=False)
    key_index: str = ""


def answer(
    requests: Sequence[CredentialRequest], results: Mapping[UUID, Result], *, claim: UUID
) -> list[DueAnswer]:
    """Record results and answers of requests that the caller has locked; return what to send."""
    now = clock.now()
    exchange_ids = [request.pk for request in requests]
    codes = [results[exchange_id].code for exchange_id in exchange_ids]
    with connection.cursor() as cursor:
        cursor.execute(_ANSWERED, [now, exchange_ids, codes])
    return record_answers(
        [_answer(request, results[request.pk], now=now) for request in requests], claim=claim
    )


def _answer(request: CredentialRequest, result: Result, *, now: dt.datetime) -> Answer:
    kind = RequestKind(request.kind)
    more: dict[str, Any] = {}
    if kind is RequestKind.BALANCE and result.balance is not None:
        more["payer"] = _payer(request, result.balance, key_index=result.key_index)
    is_done = result.code == DONE
    message = _MESSAGES[kind](
        head=Head(
            ts=now, org_id=settings.UPI_ORG_ID, msg_id=ids.new_upi_id(settings.UPI_ID_PREFIX)
        ),
        txn=Txn(
            id=request.txn_id,
            ts=request.txn_at,
            type=request.txn_type,
            note=request.note or None,
            ref_id=request.reference or None,
        ),
        resp=Resp(
            req_msg_id=request.message_id,
            result="SUCCESS" if is_done else "FAILURE",
            err_code="" if is_done else result.code,
        ),
        **more,
    )
    limit = timers.span(Timer.ANSWER)
    return Answer(exchange_id=request.pk, message=message, expires_at=request.received_at + limit)


def _payer(request: CredentialRequest, balance: Money, *, key_index: str) -> Party:
    return Party(
        addr=request.payer_address,
        name=request.payer_name or None,
        type=request.payer_type,
        code=request.payer_code,
        bal=Balance.of(balance, ki=key_index),
    )
