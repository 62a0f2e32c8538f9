"""
The whole flow on one screen: what each role does with a leg in each state.

state → (the state in which it is worked on, the step). A step claims its due legs, does its work in
batches, records, and says how many it took in hand. The states that are missing here end, or wait
for somebody else: the switch, a host, a settlement file.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from django.conf import settings

from apps.messaging import claims
from apps.payments import selectors
from apps.payments.services import (
    authorise,
    check,
    collects,
    credit,
    debit,
    legs,
    posting,
    reverse,
    send,
    unknown,
    verify,
)
from apps.payments.services.outages import OUTAGES
from apps.payments.states import COMES, Role, State

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """
    What is done with legs in a state; `run` takes all that are due, or only those named.

    `makes_due` is the state in which it may leave a leg due at once, for the next step.
    """

    working: State
    run: Callable[[Sequence[UUID] | None], int]
    makes_due: State | None = None


STEPS: Mapping[Role, Mapping[State, Step]] = {
    Role.PAYER_PSP: {
        State.CREATED: Step(State.SENDING, functools.partial(send.send_due, Role.PAYER_PSP)),
        State.RECEIVED: Step(State.WAITING_PAYER, collects.present_due),
        State.WAITING_PAYER: Step(State.WAITING_PAYER, collects.expire_due),
        State.AUTHORISED: Step(State.UNKNOWN, check.ask_about_payments),
        State.SENDING: Step(State.UNKNOWN, check.ask_about_payments),
        State.UNKNOWN: Step(State.UNKNOWN, check.ask_about_payments),
    },
    Role.PAYEE_PSP: {
        State.CREATED: Step(State.SENDING, functools.partial(send.send_due, Role.PAYEE_PSP)),
        State.SENDING: Step(State.UNKNOWN, check.ask_about_authorised),
        State.RECEIVED: Step(State.RECEIVED, authorise.authorise_due),
        State.AUTHORISED: Step(State.UNKNOWN, check.ask_about_authorised),
        State.UNKNOWN: Step(State.UNKNOWN, check.ask_about_authorised),
    },
    Role.DEBIT: {
        State.RECEIVED: Step(State.VERIFYING, verify.verify_due, State.VERIFIED),
        State.VERIFYING: Step(State.VERIFYING, verify.verify_due, State.VERIFIED),
        State.VERIFIED: Step(State.POSTING, debit.post_due),
        State.POSTING: Step(
            State.UNKNOWN, functools.partial(posting.call_unknown, Role.DEBIT), State.UNKNOWN
        ),
        State.UNKNOWN: Step(
            State.UNKNOWN, functools.partial(unknown.enquire_due, Role.DEBIT), State.CANCELLING
        ),
        State.CANCELLING: Step(
            State.CANCELLING, functools.partial(unknown.cancel_due, Role.DEBIT)
        ),
    },
    Role.CREDIT: {
        State.RECEIVED: Step(State.POSTING, credit.post_due),
        State.POSTING: Step(
            State.UNKNOWN, functools.partial(posting.call_unknown, Role.CREDIT), State.UNKNOWN
        ),
        State.UNKNOWN: Step(
            State.UNKNOWN, functools.partial(unknown.enquire_due, Role.CREDIT), State.CANCELLING
        ),
        State.CANCELLING: Step(
            State.CANCELLING, functools.partial(unknown.cancel_due, Role.CREDIT)
        ),
    },
    Role.REVERSAL: {
        State.WAITING_ORIGINAL: Step(State.POSTING, reverse.reverse_due),
        State.POSTING: Step(
            State.UNKNOWN, functools.partial(posting.call_unknown, Role.REVERSAL), State.UNKNOWN
        ),
        State.UNKNOWN: Step(State.UNKNOWN, functools.partial(unknown.enquire_due, Role.REVERSAL)),
    },
}  # fmt: skip


def advance(role: Role) -> int:
    """
    Take every due leg of a role one step further, in the order of its flow.

    A leg that one step makes due for the next is taken on in the same round; no other step looks
    for what was not due when the round began. Returns how many legs were taken in hand; 0 says
    that nothing is left to do now.
    """
    return _take_on(role, selectors.due_states(role))


def take_new(role: Role) -> int:
    """
    Take on the legs that have just come, as `advance` does, and ask nobody what else is due.

    What else is due by the clock the sweeper finds within a second, and asks for it.
    """
    return _take_on(role, {COMES[role]})


def _take_on(role: Role, due: set[State]) -> int:
    done = 0
    ran: set[Callable[[Sequence[UUID] | None], int]] = set()
    for state, step in STEPS[role].items():
        if step.run in ran or state not in due:
            continue
        ran.add(step.run)
        taken = _run(role, state, step)
        done += taken
        if taken and step.makes_due is not None:
            due.add(step.makes_due)
    return done


def _run(role: Role, state: State, step: Step) -> int:
    """
    Run a step; a leg whose content breaks it is found by halving, and waits or parks alone.

    Only due legs are halved: a step that claims them before it asks a host gives them back first.
    """
    try:
        return step.run(None)
    except OUTAGES:
        raise
    except Exception:
        log.exception("batch_failed", role=role, state=state)
    states = [source for source, other in STEPS[role].items() if other.run is step.run]
    batch = [
        job.id
        for job in selectors.due_jobs(role=role, states=states, limit=settings.CLAIM_POST_MAX)
    ]
    halved = claims.bisect(batch, step.run, outages=OUTAGES)
    for leg_id, error in halved.failures:
        log.error("leg_failed", leg_id=str(leg_id), role=role, error=type(error).__name__)
        legs.fail([leg_id], reason=f"{state}: {type(error).__name__}")
    return sum(halved.results) + len(halved.failures)
