"""Write payments as the APIs show them."""

from typing import Any

from apps.common import clock, ids
from apps.common.masking import mask_vpa
from apps.merchants.models import Order
from apps.payments.contracts import Payment
from apps.payments.failures import failure_of
from apps.payments.states import PublicStatus, public_status


def payment(shown: Payment) -> dict[str, Any]:
    """Return a payment as its payer sees it."""
    facts = shown.transaction
    status, finality = public_status(shown.state)
    return {
        "object": "payment",
        "id": ids.public_id("pay", shown.leg_id),
        "txn_id": facts.id,
        "rrn": facts.rrn,
        "amount": facts.amount.paise,
        "currency": "INR",
        "status": status,
        "finality": finality,
        "payer_vpa": facts.payer_address,
        "payee_vpa": facts.payee_address,
        "payee_name": facts.payee_name,
        "note": facts.note,
        "failure": _failure(shown) if status is PublicStatus.FAILED else None,
        "created_at": clock.iso(shown.created_at),
        "updated_at": clock.iso(shown.changed_at),
    }


def merchant_payment(shown: Payment, order: Order | None) -> dict[str, Any]:
    """Return a payment as the merchant that it pays sees it: the payer's address is masked."""
    facts = shown.transaction
    status, finality = public_status(shown.state)
    return {
        "object": "payment",
        "id": ids.public_id("pay", shown.leg_id),
        "order": ids.public_id("ord", order.pk) if order else None,
        "reference": facts.reference,
        "amount": facts.amount.paise,
        "currency": "INR",
        "status": status,
        "finality": finality,
        "upi": {
            "txn_id": facts.id,
            "rrn": facts.rrn,
            "payer_vpa": mask_vpa(facts.payer_address),
            "payee_vpa": facts.payee_address,
            "response_code": "00" if status is PublicStatus.SUCCEEDED else shown.code or None,
            "purpose": facts.purpose,
            "initiation_mode": facts.initiation_mode,
        },
        "failure": _failure(shown) if status is PublicStatus.FAILED else None,
        "created_at": clock.iso(shown.created_at),
        "updated_at": clock.iso(shown.changed_at),
    }


def _failure(shown: Payment) -> dict[str, str]:
    failure = failure_of(shown.code)
    return {"code": failure.code, "upi_code": shown.code, "title": failure.title}
