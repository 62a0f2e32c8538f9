"""What follows when a PSP leg has ended: it is told, orders are paid, bounds are given back."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.messaging import outbox
from apps.payments import events
from apps.payments.contracts import Job
from apps.payments.services import live, orders, refunds
from apps.payments.states import Kind, Role, State


@dataclass(frozen=True, slots=True)
class End:
    """A PSP leg and what it came to, with the UPI code."""

    job: Job
    state: State
    code: str


def follow(ends: Sequence[End]) -> None:
    """Do what the ends of these legs bring about, in the transaction that moved them."""
    paid = [end for end in ends if end.job.role is Role.PAYER_PSP and end.job.kind != Kind.REFUND]
    outbox.publish([events.completed(end.job, end.state, end.code) for end in paid])
    tell_failed([end for end in ends if end.job.role is Role.PAYEE_PSP])
    refunds.end([(end.job, end.state, end.code) for end in ends if end.job.kind == Kind.REFUND])
    confirmed = [end.job for end in ends if end.state is State.CONFIRMED]
    orders.pay_orders(confirmed)
    refunds.begin_owed(confirmed)
    live.tell_on_commit([end.job for end in ends])


def tell_failed(ends: Sequence[End]) -> None:
    """Tell merchants of payments to them, and collects of theirs, that failed or were refused."""
    outbox.publish(
        [
            events.receipt_failed(end.job, end.code)
            for end in ends
            if end.job.owner_id is not None and end.state in {State.FAILED, State.REFUSED}
        ]
    )
