"""Requests that wait for an answer of ours, and the answers, for tests of their delivery."""

import datetime as dt
from uuid import UUID

from django.db import transaction

from apps.common import clock, ids
from apps.upi.contracts import (
    Answer,
    DueAnswer,
    Head,
    Received,
    Ref,
    Resp,
    RespPay,
)
from apps.upi.models import Exchange
from apps.upi.services import answers
from tests.upi import routes, wire


def receive(door, name: str = "CREDIT", **facts) -> Received:
    assert door.send(wire.fresh(name, **facts)).err == ""
    return routes.received[-1]


def answer_to(received: Received, *, seconds: float = 12) -> Answer:
    request = received.message
    head = Head(ts=clock.now(), org_id="900001", msg_id=ids.new_upi_id("EXB"))
    ref = Ref(
        type="PAYEE",
        addr=request.payee.addr,
        sett_amount=request.payee.amount,
        approval_num="000124",
        resp_code="00",
    )
    message = RespPay(
        head=head,
        txn=request.txn,
        resp=Resp(req_msg_id=request.head.msg_id, result="SUCCESS", refs=(ref,)),
    )
    return Answer(
        exchange_id=received.exchange_id,
        message=message,
        expires_at=received.received_at + dt.timedelta(seconds=seconds),
    )


def record(answer: Answer, *, claim: UUID | None = None) -> Answer:
    with transaction.atomic():
        answers.record_answers([answer], claim=claim)
    return answer


def record_claimed(answer: Answer) -> list[DueAnswer]:
    with transaction.atomic():
        return answers.record_answers([answer], claim=ids.uuid7())


def make_due(model=Exchange) -> None:
    """Let the time pass that a delivery waits."""
    model.objects.filter(next_action_at__isnull=False).update(
        next_action_at=clock.now() - dt.timedelta(seconds=1)
    )


def state() -> tuple[str, str, int]:
    exchange = Exchange.objects.get(direction="IN")
    return exchange.state, exchange.delivery_code, exchange.sends
