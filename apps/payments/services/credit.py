"""Give the money to the payee: the beneficiary's step."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.conf import settings

from apps.accounts import checking
from apps.accounts import selectors as accounts
from apps.accounts.checking import Standing
from apps.accounts.core_banking.base import Order, core_banking
from apps.accounts.models import BankAccount
from apps.common.faults import fault_point
from apps.merchants.models import Merchant
from apps.merchants.selectors import standing_by_address
from apps.payments import selectors
from apps.payments.contracts import Job
from apps.payments.services import orders, posting
from apps.payments.services.posting import Batch, Decision
from apps.payments.states import Role, State
from apps.upi.services.answers import send_answers

# upi-protocol 4.1: internal exception on the beneficiary's side.
TOO_LATE = "UB"
# upi-protocol 4.2: an address of ours at which nobody sells, and a merchant who may not be paid.
UNKNOWN_MERCHANT = "X6"
BLOCKED_MERCHANT = "YH"
ENTITY = "ENTITY"


def post_due(only: Sequence[UUID] | None = None) -> int:
    """Credit the accounts that wait for it, answer, and return how many were decided."""
    decided, answers = posting.post(admit=lambda batch: _admit(batch, only), complete=_complete)
    if answers:
        fault_point("credit.posted")
        send_answers(answers)
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
    merchants = standing_by_address(
        [job.transaction.payee_address for job, _ in credited if _is_to_our_merchant(job)]
    )
    offline = posting.offline_code(Role.CREDIT)
    return [
        (
            job,
            code
            or _merchant_refusal(job, merchants, standing)
            or standing.credit_risk(account)
            or offline,
        )
        for (job, account), code in zip(credited, balances, strict=True)
    ]


def _is_to_our_merchant(job: Job) -> bool:
    """Whether the payee says to be a merchant that this bank onboarded."""
    facts = job.transaction
    handle = facts.payee_address.partition("@")[2]
    return facts.payee_type == ENTITY and handle in settings.UPI_HANDLES


def _merchant_refusal(job: Job, merchants: Mapping[str, str], standing: Standing) -> str:
    """Return why a merchant may not be paid: unknown, blocked, or out of reach."""
    if not _is_to_our_merchant(job):
        return ""
    state = merchants.get(job.transaction.payee_address)
    if state is None:
        return UNKNOWN_MERCHANT
    return BLOCKED_MERCHANT if state == Merchant.State.SUSPENDED else standing.merchant_refusal()


def _complete(decisions: Sequence[Decision]) -> None:
    orders.pay_orders([each.job for each in decisions if each.state is State.POSTED])
