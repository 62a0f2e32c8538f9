"""The engine's public facts, as events."""

from apps.common import clock, ids
from apps.common.masking import mask_number_in
from apps.messaging.contracts import Event
from apps.payments.contracts import Job, TransactionFacts
from apps.payments.models import Refund
from apps.payments.states import Kind, State, public_status
from apps.upi.response_codes import explain


def accepted(facts: TransactionFacts) -> Event:
    """Tell that a customer's payment was accepted: it will end one way or the other."""
    return Event("payments.transaction.accepted", facts.id, _facts(facts))


def completed(job: Job, state: State, code: str) -> Event:
    """Tell that a customer's payment ended; a deemed one is still owed to the payee."""
    status, finality = public_status(state)
    data = _facts(job.transaction)
    data |= {"state": state, "status": status, "finality": finality, "response_code": code}
    data["response_class"] = explain(code).kind
    return Event("payments.transaction.completed", job.transaction_id, data)


def receipt_failed(job: Job, code: str) -> Event:
    """Tell that a payment to a merchant of ours, or a collect of its, has failed."""
    assert job.owner_id is not None, "only a merchant is told"
    data: dict[str, str | int | None] = dict(_facts(job.transaction))
    data |= {
        "merchant_id": ids.public_id("mer", job.owner_id),
        "payment_id": ids.public_id("pay", job.id),
        "collect_id": ids.public_id("col", job.id) if job.kind == Kind.COLLECT else None,
        "reference": job.transaction.reference,
        "response_code": code,
        "response_class": explain(code).kind,
    }
    return Event("payments.receipt.failed", job.transaction_id, data)


def refund_completed(refund: Refund, *, rrn: str) -> Event:
    """Tell that a refund ended; a deemed one is still owed to the payer by its bank."""
    return Event(
        "payments.refund.completed",
        refund.refund_transaction_id or "",
        {
            "refund_id": ids.public_id("rfd", refund.pk),
            "merchant_id": ids.public_id("mer", refund.merchant_id),
            "transaction_id": refund.refund_transaction_id,
            "original_transaction_id": refund.transaction_id,
            "rrn": rrn,
            "amount_paise": refund.amount_paise,
            "currency": "INR",
            "reference": refund.reference,
            "reason": refund.reason,
            "state": refund.state,
            "response_code": refund.code,
            "response_class": explain(refund.code).kind if refund.code else "",
        },
    )


def requested(job: Job) -> Event:
    """Tell that somebody asks a customer of ours for money, until it expires."""
    assert job.expires_at is not None, "a collect ends by itself"
    data = _facts(job.transaction) | {"expires_at": clock.iso(job.expires_at)}
    return Event("payments.collect.requested", job.transaction_id, data)


def posted(job: Job) -> Event:
    """Tell that money moved on an account of ours: debited, credited, or given back."""
    data = _facts(job.transaction) | {"account_number_ending": job.account_number[-4:]}
    return Event(f"payments.{job.role.lower()}.posted", job.transaction_id, data)


def _facts(facts: TransactionFacts) -> dict[str, str | int]:
    return {
        "transaction_id": facts.id,
        "rrn": facts.rrn,
        "amount_paise": facts.amount.paise,
        "currency": "INR",
        "payer_address": mask_number_in(facts.payer_address),
        "payee_address": mask_number_in(facts.payee_address),
    }
