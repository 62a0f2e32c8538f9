"""Take what the switch sends: each handler is one part of the receiver's durable transaction."""

import functools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction

from apps.accounts import selectors as accounts
from apps.common import clock
from apps.common.addresses import VpaAddress
from apps.common.faults import fault_point
from apps.messaging import wakeups
from apps.payments import selectors
from apps.payments.contracts import Job, Move, NewLeg, OpenedLeg, TransactionFacts
from apps.payments.errors import (
    AnswerRefusedError,
    LegExistsError,
    RefundUnknownError,
    TransactionDiffersError,
    TransactionUnknownError,
)
from apps.payments.messages import confirmation_answer
from apps.payments.services import answering, legs
from apps.payments.services.conclude import Word, conclude
from apps.payments.services.opening import adopt_request, open_leg
from apps.payments.services.reading import (
    device_mark_to_json,
    facts_of,
    request_of,
    risk_scores_to_json,
)
from apps.payments.states import COMES, Kind, Role, State
from apps.upi import timers
from apps.upi.contracts import (
    Answer,
    Party,
    Received,
    Ref,
    ReqAuthDetails,
    ReqPay,
    ReqTxnConfirmation,
    RespPay,
    Txn,
    TxnConfirmation,
)
from apps.upi.deadlines import collect_expiry
from apps.upi.services import pin_blocks
from apps.upi.services.answers import record_answers
from apps.upi.timer_models import Timer
from apps.vpa.selectors import resolve

log = structlog.get_logger(__name__)

# upi-protocol 4.1: the payment details do not match.
DETAILS_DIFFER = "B6"


def receive_authorisation(received: Received[ReqAuthDetails]) -> None:
    """Take the question who one of our addresses is."""
    leg = NewLeg(
        role=Role.PAYEE_PSP, kind=Kind.PAY, state=State.RECEIVED, request=request_of(received)
    )
    _open(received, leg)
    _passed("payee_psp.received")


def receive_collect(received: Received[ReqAuthDetails]) -> None:
    """Take the question whether a customer of ours pays what somebody asks for."""
    leg = NewLeg(
        role=Role.PAYER_PSP,
        kind=Kind.COLLECT,
        state=State.RECEIVED,
        request=request_of(received),
        expires_at=collect_expiry(received.message.txn, received_at=received.received_at),
    )
    _open(received, leg)
    _passed("collect.received")


def receive_debit(received: Received[ReqPay]) -> None:
    """Take a debit of one of our accounts, and hold its PIN block until the verdict."""
    payer = received.message.payer
    if received.message.txn.sub_type == Kind.REFUND:
        _receive_refund_debit(received)
        return
    has_pin = any(cred.type == "PIN" and cred.data.reveal() for cred in payer.creds)
    elsewhere = "" if _is_ours(payer) else accounts.remitter_refusal(None)
    leg = NewLeg(
        role=Role.DEBIT,
        kind="DEBIT",
        state=State.RECEIVED,
        # upi-protocol 5.5: a missing block is a format error, told apart from one that is gone.
        code=elsewhere or ("" if has_pin else "XF"),
        request=request_of(received),
        device_mobile=(payer.device.mobile or "") if payer.device else "",
        device=device_mark_to_json(payer.device),
        asked_at=min(received.received_at, received.message.head.ts),
        **_account(payer),
    )
    if _open(received, leg).is_new and has_pin and not elsewhere:
        pin_blocks.store(received.exchange_id, payer.creds)
    _passed("debit.received")


def _receive_refund_debit(received: Received[ReqPay]) -> None:
    """
    Take the debit of a refund of ours: nobody gives a PIN for it.

    The refund's own row is locked, so that it cannot fail, and its share of the payment be given
    to another, while its debit is taken.
    """
    message = received.message
    refunds = selectors.lock_jobs_of([message.txn.id], [Role.PAYER_PSP])
    account = _account(message.payer)
    if not any(
        job.kind == Kind.REFUND
        and job.state in {State.SENDING, State.UNKNOWN}
        and job.account_number == account.get("account_number")
        and _is_ours(message.payer)
        for job in refunds
    ):
        raise RefundUnknownError
    leg = NewLeg(
        role=Role.DEBIT,
        kind="DEBIT",
        state=State.RECEIVED,
        request=request_of(received),
        asked_at=min(received.received_at, message.head.ts),
        **account,
    )
    _open(received, leg)
    _passed("debit.received")


def receive_credit(received: Received[ReqPay]) -> None:
    """Take a credit to one of our accounts."""
    leg = NewLeg(
        role=Role.CREDIT,
        kind="CREDIT",
        state=State.RECEIVED,
        code=_misdirection(received.message),
        request=request_of(received),
        asked_at=min(received.received_at, received.message.head.ts),
        **_account(received.message.payee),
    )
    _open(received, leg)
    _passed("credit.received")


def receive_reversal(received: Received[ReqPay]) -> None:
    """Take the reversal of a debit or credit, whether or not that has come."""
    message = received.message
    kind = message.txn.sub_type or ""
    leg = NewLeg(
        role=Role.REVERSAL,
        kind=kind,
        state=State.WAITING_ORIGINAL,
        request=request_of(received),
        is_on_us=_is_ours(message.payee),
        **_account(message.payer if kind == "DEBIT" else message.payee),
    )
    _open(received, leg)
    _passed("reversal.received")


# Who began a transaction of each kind, and who was asked about it.
_BEGAN = {(Role.PAYER_PSP, Kind.PAY), (Role.PAYER_PSP, Kind.REFUND), (Role.PAYEE_PSP, Kind.COLLECT)}
_PSPS = (Role.PAYER_PSP, Role.PAYEE_PSP)


def receive_payment_answer(received: Received[RespPay]) -> None:
    """Take how something that we began has ended. It may come before our ReqPay was acked."""
    message = received.message
    jobs = selectors.lock_jobs_of([message.txn.id], _PSPS)
    began = [job for job in jobs if (job.role, job.kind) in _BEGAN]
    if not began:
        raise TransactionUnknownError
    job = began[0]
    if job.state is State.CREATED:
        # Nothing was sent yet, so nothing can have been answered.
        raise AnswerRefusedError("U06", "the payment has not been sent")
    is_done = message.resp.result == "SUCCESS"
    check_content(message.txn, message.resp.refs, job.transaction, is_done=is_done)
    if (state := _told(job.role, message.resp.result)) is not None:
        conclude([Word(job, state, message.resp.err_code or "")], source="RespPay")
    elif message.resp.result == "DEEMED":
        _take_deemed(job)
    _passed("payment_answer.recorded")


def _take_deemed(job: Job) -> None:
    """Note that a collect of ours is deemed paid: whoever waits for its expiry need not."""
    if job.state is State.SENDING:
        wait = timers.seconds(Timer.CHECK_FIRST_AFTER)
        legs.move([Move.of(job, State.UNKNOWN, code=legs.DEEMED, due_in_seconds=wait)])
    else:
        legs.note_deemed(job.id)


def receive_confirmation(received: Received[ReqTxnConfirmation]) -> None:
    """Take how a payment to an address of ours ended, and say that we did."""
    message = received.message
    original = message.txn.org_txn_id or message.txn.id
    jobs = selectors.lock_jobs_of([original], _PSPS)
    asked = [job for job in jobs if (job.role, job.kind) not in _BEGAN]
    if asked:
        told = message.txn_confirmation
        is_done = told.org_status == "SUCCESS"
        check_content(message.txn, told.refs, asked[0].transaction, is_done=is_done)
        _take_confirmation(asked[0], told)
    elif message.txn_confirmation.type != Kind.REFUND:
        raise TransactionUnknownError
    answer = confirmation_answer(message.head.msg_id, message.txn, at=clock.now())
    record_answers(
        [
            Answer(
                exchange_id=received.exchange_id,
                message=answer,
                expires_at=received.received_at + answering.answer_life(Role.PAYEE_PSP),
            )
        ],
        claim=None,
    )
    _passed("confirmation.recorded")


def _take_confirmation(job: Job, told: TxnConfirmation) -> None:
    """Apply the end to the leg that was asked. Of money that comes back no PSP is asked before."""
    status, code = told.org_status, told.org_err_code or ""
    if job.state is State.RECEIVED:
        if status != "FAILURE":
            raise AnswerRefusedError("U21", "nobody of ours has been authorised")
        answering.refuse_authorisation(job, code)
    elif job.state in {State.REFUSED, State.WAITING_PAYER} and status != "FAILURE":
        raise AnswerRefusedError("U21", "it was not agreed to")
    elif job.state is not State.REFUSED and (state := _told(job.role, status)) is not None:
        conclude([Word(job, state, code)], source="ReqTxnConfirmation")
    elif status == "DEEMED":
        legs.note_deemed(job.id)


# What is pending or deemed has no end yet for a payee: the check or the file will tell it.
_PAYEE_ENDS = {"SUCCESS": State.CONFIRMED, "FAILURE": State.FAILED}
_PAYER_ENDS = {"SUCCESS": State.SUCCESS, "FAILURE": State.FAILED, "DEEMED": State.DEEMED}


def _told(role: Role, result: str) -> State | None:
    """Return how the switch says that a leg has ended; a payee's is not ended by a deemed one."""
    return (_PAYER_ENDS if role is Role.PAYER_PSP else _PAYEE_ENDS).get(result)


def _open(received: Received[ReqPay] | Received[ReqAuthDetails], leg: NewLeg) -> OpenedLeg:
    facts = facts_of(received.message)
    scores = risk_scores_to_json(received.message.txn)
    opened = open_leg(facts, replace(leg, risk_scores=scores))
    if opened.is_new:
        is_for_all = leg.state is not COMES.get(leg.role)
        wakeups.wake_on_commit(f"payments.{leg.role.lower()}", is_for_all=is_for_all)
    elif leg.role is Role.REVERSAL:
        answering.answer_further_request(opened, leg)
    elif opened.state is State.REFUSED_BY_REVERSAL and opened.exchange_id is None:
        adopt_request(opened.id, leg)
        answering.answer_late_original(facts.id, leg.role)
    else:
        raise LegExistsError
    return opened


def _account(party: Party) -> dict[str, Any]:
    account = party.ac
    if account is None:
        return {}
    return {
        "account_number": account.account_number,
        "account_type": account.account_type,
        "ifsc": account.ifsc,
    }


def _misdirection(message: ReqPay) -> str:
    """
    Return the code that declines money on its way to the wrong account.

    That is one of another bank, whose number may be one of ours too; or, for an address of ours,
    one that the address does not lead to. What is given back goes to the account that it came
    from, wherever the address leads now.
    """
    payee = message.payee
    if not _is_ours(payee):
        return accounts.beneficiary_refusal(None)
    if message.txn.sub_type == Kind.REFUND:
        return _refund_misdirection(message)
    if payee.ac is None:
        return ""
    address = VpaAddress.parse(payee.addr)
    if address.branch:
        named = (address.branch, address.user)
        is_named = named == (payee.ac.ifsc.upper(), payee.ac.account_number.lower())
        return "" if is_named else DETAILS_DIFFER
    if address.handle not in settings.UPI_HANDLES:
        return ""
    target = resolve(payee.addr.lower())
    is_elsewhere = target is not None and target.account.account_number != payee.ac.account_number
    return DETAILS_DIFFER if is_elsewhere else ""


def _refund_misdirection(message: ReqPay) -> str:
    account = message.payee.ac
    payer_account = selectors.account_refunded_to(message.txn.id)
    is_elsewhere = account is not None and payer_account not in {"", account.account_number}
    return DETAILS_DIFFER if is_elsewhere else ""


def _is_ours(party: Party) -> bool:
    """Say whether the account or the address of a party is one of this bank's."""
    if party.ac is not None:
        return accounts.is_ours(party.ac.ifsc)
    return party.addr.lower().partition("@")[2] in settings.UPI_HANDLES


def check_content(txn: Txn, refs: Sequence[Ref], facts: TransactionFacts, *, is_done: bool) -> None:
    """
    Refuse a word about another payment, or about one done with another amount.

    Nothing may be concluded from it. What was not done has settled nothing, or all of it.
    """
    if txn.cust_ref and txn.cust_ref != facts.rrn:
        raise TransactionDiffersError("rrn")
    addresses = {"PAYER": facts.payer_address, "PAYEE": facts.payee_address}
    for ref in refs:
        if ref.addr.lower() != addresses.get(ref.type, ref.addr.lower()):
            raise TransactionDiffersError(f"{ref.type.lower()}_address")
        is_other = ref.sett_amount != facts.amount and (is_done or bool(ref.sett_amount))
        if is_other or (ref.org_amount is not None and ref.org_amount != facts.amount):
            raise TransactionDiffersError("amount")


def _passed(point: str) -> None:
    """Mark a place at which a process may die: before its transaction commits, and after."""
    fault_point(f"{point}.uncommitted")
    transaction.on_commit(functools.partial(fault_point, point))
