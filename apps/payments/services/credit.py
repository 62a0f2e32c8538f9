"""Give the money to the payee: the beneficiary's step."""

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings

from apps.accounts import checking
from apps.accounts import selectors as accounts
from apps.accounts.checking import Standing
from apps.accounts.core_banking.base import Order, core_banking
from apps.accounts.models import BankAccount
from apps.common.faults import fault_point
from apps.merchants.selectors import suspended_addresses
from apps.payments import selectors
from apps.payments.contracts import Job
from apps.payments.services import orders, posting
from apps.payments.services.posting import Batch, Decision
from apps.payments.states import Role, State
from apps.upi.services.answers import send_answers

# upi-protocol 4.1: internal exception on the beneficiary's side; the merchant may not be paid.
TOO_LATE = "UB"
INVALID_MERCHANT = "X6"
ENTITY = "ENTITY"


def post_due(only: Sequence[UUID] | None = None) -> int:
    """Credit the accounts that wait for it, answer, and return how many were decided."""
    claim, decided, exchanges = posting.post(
        admit=lambda batch: _admit(batch, only), complete=_complete
    )
    if exchanges:
        fault_point("credit.posted")
        send_answers(exchanges, claim=claim)
        fault_point("credit.answered")
    return decided


def _admit(batch: Batch, only: Sequence[UUID] | None) -> list[Order]:
    """
    Take the due legs and hold them against time, receipt, account, balance, merchant and risk.

    In this order, which is that of upi-protocol 4.2; what is down at our side comes last.
    """
    jobs = selectors.lock_due_jobs(
        role=Role.CREDIT, states=[State.RECEIVED], limit=settings.CLAIM_POST_MAX, only=only
    )
    known = accounts.accounts_by_number({job.account_number for job in jobs})
    standing = checking.standing_of(known.values())
    credited: list[tuple[Job, BankAccount]] = []
    for job in jobs:
        account = known.get(job.account_number)
        code = TOO_LATE if job.is_late else job.code or standing.credit_refusal(account)
        if account is None or code:
            batch.decided.append(Decision(job, State.DECLINED, code))
        else:
            credited.append((job, account))
    for job, code in _last_refusals(credited, standing):
        if code:
            batch.decided.append(Decision(job, State.DECLINED, code))
        else:
            batch.jobs[job.id] = job
    return [posting.order_of(job, account_number=job.account_number) for job in batch.jobs.values()]


def _last_refusals(
    credited: Sequence[tuple[Job, BankAccount]], standing: Standing
) -> list[tuple[Job, str]]:
    """Return the legs with what is asked after the account: balance, merchant, risk, pauses."""
    amounts = [(account, job.transaction.amount) for job, account in credited]
    # A host's balances are its own: it judges them itself.
    is_ours = core_banking().posts_at_once
    balances = checking.balance_refusals(amounts) if is_ours else [""] * len(amounts)
    suspended = suspended_addresses(
        [
            job.transaction.payee_address
            for job, _ in credited
            if job.transaction.payee_type == ENTITY
        ]
    )
    return [
        (
            job,
            code
            or (INVALID_MERCHANT if job.transaction.payee_address in suspended else "")
            or standing.credit_risk(account),
        )
        for (job, account), code in zip(credited, balances, strict=True)
    ]


def _complete(decisions: Sequence[Decision]) -> None:
    orders.pay_orders([each.job for each in decisions if each.state is State.POSTED])
