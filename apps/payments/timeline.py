"""What happened to one payment, in order: legs, messages, calls to a host, transfers, events."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Q

from apps.accounts.models import CoreBankingCall
from apps.accounts.states import CallKind, CallState
from apps.common import ids
from apps.common.errors import NotFoundError
from apps.common.masking import mask_account, mask_message
from apps.common.money import Money
from apps.ledger.models import Transfer
from apps.messaging.models import OutboxEvent
from apps.payments.models import (
    Contradiction,
    Leg,
    LegHistory,
    Refund,
    StatusCheck,
    Transaction,
)
from apps.payments.states import Kind, Role, State, is_final
from apps.upi.models import MessageLog
from apps.upi.response_codes import explain

_MILLISECOND = dt.timedelta(milliseconds=1)
# Ids are made by the clocks of many processes.
_SLACK = dt.timedelta(seconds=60)


class Lane(StrEnum):
    """Whose part of the payment a step is."""

    PAYER_PSP = "payer PSP"
    PAYEE_PSP = "payee PSP"
    DEBIT = "remitter"
    CREDIT = "beneficiary"
    REVERSAL = "reversal"
    WIRE = "switch"
    HOST = "core banking"
    BOOKS = "books"
    EVENTS = "events"


_LANES = {
    Role.PAYER_PSP: Lane.PAYER_PSP,
    Role.PAYEE_PSP: Lane.PAYEE_PSP,
    Role.DEBIT: Lane.DEBIT,
    Role.CREDIT: Lane.CREDIT,
    Role.REVERSAL: Lane.REVERSAL,
}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened, so many milliseconds after the first; `detail` may be long."""

    at: dt.datetime
    elapsed_ms: float
    lane: Lane
    text: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Next:
    """What a leg that has not ended waits for; `due_at` is None when others must act."""

    role: Role
    state: State
    due_at: dt.datetime | None
    is_parked: bool


@dataclass(frozen=True, slots=True)
class Timeline:
    """All of a payment: its steps in the order of time, and what comes next."""

    transaction: Transaction
    legs: Sequence[Leg]
    steps: Sequence[Step]
    nexts: Sequence[Next]


@dataclass(frozen=True, slots=True)
class _Fact:
    at: dt.datetime
    lane: Lane
    text: str
    detail: str = ""


def timeline_of(txn_id: str) -> Timeline:
    """
    Return what happened to a payment. Accounts and addresses in it are masked.

    Raises NotFoundError.
    """
    transaction = Transaction.objects.filter(pk=txn_id).first()
    if transaction is None:
        raise NotFoundError
    legs = list(Leg.objects.filter(transaction_id=txn_id).order_by("pk"))
    facts = [
        *_accepted(legs),
        *_moves(legs),
        *_messages(txn_id, legs),
        *_host_calls(legs),
        *_transfers(legs),
        *_checks(legs),
        *_contradictions(txn_id),
        *_refunds(txn_id),
        *_events(transaction, legs),
    ]
    facts.sort(key=lambda fact: fact.at)
    begun = facts[0].at if facts else transaction.created_at
    return Timeline(
        transaction=transaction,
        legs=legs,
        steps=[
            Step(
                at=fact.at,
                elapsed_ms=(fact.at - begun) / _MILLISECOND,
                lane=fact.lane,
                text=fact.text,
                detail=fact.detail,
            )
            for fact in facts
        ],
        nexts=[
            Next(Role(leg.role), State(leg.state), leg.next_action_at, leg.parked_at is not None)
            for leg in legs
            if not is_final(Role(leg.role), State(leg.state))
        ],
    )


def _accepted(legs: Sequence[Leg]) -> list[_Fact]:
    return [
        _Fact(leg.received_at, _LANES[Role(leg.role)], _BEGINNINGS[leg.role, leg.kind])
        for leg in legs
        if (leg.role, leg.kind) in _BEGINNINGS
    ]


_BEGINNINGS: Mapping[tuple[str, str], str] = {
    (Role.PAYER_PSP, Kind.PAY): "accepted from the app",
    (Role.PAYER_PSP, Kind.REFUND): "refund accepted from the merchant, or owed",
    (Role.PAYEE_PSP, Kind.COLLECT): "collect accepted from the merchant",
}


def _moves(legs: Sequence[Leg]) -> list[_Fact]:
    by_id = {leg.pk: leg for leg in legs}
    return [
        _Fact(
            move.at,
            _LANES[Role(by_id[move.leg_id].role)],
            " ".join(filter(None, [move.source, "→", move.target, _meaning(move.code)])),
        )
        for move in LegHistory.objects.filter(leg_id__in=list(by_id)).order_by("pk")
    ]


def _meaning(code: str) -> str:
    return explain(code).for_operators() if code else ""


def _messages(txn_id: str, legs: Sequence[Leg]) -> list[_Fact]:
    # A reversal and a status check travel under ids of their own.
    wire_ids = {txn_id, *(leg.wire_transaction_id for leg in legs)}
    exchanges = StatusCheck.objects.filter(leg_id__in=[leg.pk for leg in legs])
    asked = [check.exchange_id for check in exchanges]
    logged = MessageLog.objects.filter(Q(txn_id__in=sorted(wire_ids)) | Q(exchange_id__in=asked))
    return [
        _Fact(message.logged_at, Lane.WIRE, _words(message), mask_message(message.body))
        for message in logged.order_by("pk")
    ]


def _words(message: MessageLog) -> str:
    direction = "→" if message.direction == MessageLog.Direction.OUT else "←"
    words = [direction, message.api, message.type]
    if message.outcome in {MessageLog.Outcome.REFUSED, MessageLog.Outcome.REPEATED}:
        words += [message.outcome.lower(), message.ack_code]
    return " ".join(filter(None, words))


def _host_calls(legs: Sequence[Leg]) -> list[_Fact]:
    by_id = {leg.pk: leg for leg in legs}
    # By the two indexes: enquiries are not in that of what moves money.
    enquiries = Q(kind=CallKind.ENQUIRY, leg_id__in=list(by_id))
    others = Q(kind__in=_OF_A_LEG, leg_id__in=list(by_id))
    calls = CoreBankingCall.objects.filter(enquiries | others).order_by("pk")
    return [
        fact
        for call in calls
        if call.leg_id is not None
        for fact in _host_call(call, account=by_id[call.leg_id].account_number)
    ]


_OF_A_LEG = (CallKind.DEBIT, CallKind.CREDIT, CallKind.REVERSAL, CallKind.CANCEL)


def _host_call(call: CoreBankingCall, *, account: str) -> list[_Fact]:
    name = call.kind.lower()
    detail = _host_detail(call, account=account)
    asked = f"→ {name} {Money(call.amount_paise).display()}{_SILENT.get(call.state, '')}"
    facts = [_Fact(call.transmitted_at, Lane.HOST, asked, detail)]
    if call.repeated_at is not None:
        again = f"→ {name} sent again, {call.repeats} in all"
        facts.append(_Fact(call.repeated_at, Lane.HOST, again, detail))
    if call.answered_at is not None:
        late = " late" if call.state == CallState.LATE else ""
        said = f"← {name} answered{late}: {_host_word(call)}"
        facts.append(_Fact(call.answered_at, Lane.HOST, said, detail))
    return facts


_SILENT: Mapping[str, str] = {
    CallState.NOT_SENT: ": not sent",
    CallState.SILENT: ": no answer in time",
}


def _host_word(call: CoreBankingCall) -> str:
    if call.kind == CallKind.ENQUIRY and call.original_code:
        return f"{call.response_code}, the call had {call.original_code}"
    return call.response_code


def _host_detail(call: CoreBankingCall, *, account: str) -> str:
    named = [
        ("account", mask_account(account)),
        ("terminal", call.terminal),
        ("STAN", f"{call.stan:06}"),
        ("RRN", call.rrn),
        ("approval", call.approval),
        ("the host's day", f"{call.settlement_date:%d %b %Y}" if call.settlement_date else ""),
    ]
    return "; ".join(f"{name} {value}" for name, value in named if value)


def _transfers(legs: Sequence[Leg]) -> list[_Fact]:
    moved = [leg.transfer_id for leg in legs if leg.transfer_id is not None]
    return [
        _Fact(
            transfer.posted_at,
            Lane.BOOKS,
            f"{transfer.purpose} {Money(transfer.amount_paise).display()}",
            f"account {transfer.debit_account_id}: "
            f"{Money(transfer.debit_balance_after_paise).display()} after; "
            f"account {transfer.credit_account_id}: "
            f"{Money(transfer.credit_balance_after_paise).display()} after",
        )
        for transfer in Transfer.objects.filter(pk__in=moved).order_by("pk")
    ]


def _checks(legs: Sequence[Leg]) -> list[_Fact]:
    by_id = {leg.pk: leg for leg in legs}
    facts = []
    for check in StatusCheck.objects.filter(leg_id__in=list(by_id)).order_by("asked_at"):
        lane = _LANES[Role(by_id[check.leg_id].role)]
        facts.append(_Fact(check.asked_at, lane, f"status check {check.number}"))
        if check.answered_at is not None:
            said = f"status check {check.number} answered {_meaning(check.answer_code)}"
            facts.append(_Fact(check.answered_at, lane, said.rstrip()))
    return facts


def _contradictions(txn_id: str) -> list[_Fact]:
    return [
        _Fact(
            told.told_at,
            _LANES[Role(told.role)],
            f"{told.source} said {told.told} of a leg that is {told.state}: a person must look",
        )
        for told in Contradiction.objects.filter(transaction_id=txn_id).order_by("pk")
    ]


def _refunds(txn_id: str) -> list[_Fact]:
    facts = []
    for refund in Refund.objects.filter(transaction_id=txn_id):
        amount, own = refund.amount.display(), refund.refund_transaction_id or ""
        opened = f"refund of {amount} opened: {refund.reason.lower()}"
        facts.append(_Fact(refund.opened_at, Lane.BOOKS, opened, own))
        if refund.ended_at is not None:
            ended = f"refund of {amount} ended: {refund.state} {refund.code}".rstrip()
            facts.append(_Fact(refund.ended_at, Lane.BOOKS, ended, own))
    return facts


def _events(transaction: Transaction, legs: Sequence[Leg]) -> list[_Fact]:
    # Facts have no index by subject; those of a payment were written while its legs moved.
    ended_at = max((leg.changed_at for leg in legs), default=transaction.created_at)
    written = OutboxEvent.objects.filter(
        subject=transaction.pk,
        pk__gte=ids.uuid7_floor(transaction.created_at - _SLACK),
        pk__lt=ids.uuid7_floor(ended_at + _SLACK),
    )
    return [_Fact(event.created_at, Lane.EVENTS, event.type) for event in written.order_by("pk")]
