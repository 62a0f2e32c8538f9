"""Write payments as the APIs show them."""

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework.response import Response

from apps.common import clock, ids
from apps.common.masking import mask_vpa
from apps.common.money import Money
from apps.merchants.models import Order
from apps.payments.contracts import Payment
from apps.payments.services.legs import DEEMED
from apps.payments.states import PublicStatus, State, public_status
from apps.upi.response_codes import Language, explain, inner_code


def payment(shown: Payment, language: Language) -> dict[str, Any]:
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
        "failure": explained(shown.code, language) if status is PublicStatus.FAILED else None,
        "deemed": explained(DEEMED, language) if _is_deemed(shown) else None,
        "created_at": clock.iso(shown.created_at),
        "updated_at": clock.iso(shown.changed_at),
    }


def merchant_payment(
    shown: Payment, order: Order | None, language: Language, *, refunded: Money
) -> dict[str, Any]:
    """
    Return a payment as the merchant that it pays sees it: the payer's address is masked.

    `refunded` is what went back of it, or is on its way.
    """
    facts = shown.transaction
    status, finality = public_status(shown.state)
    return {
        "object": "payment",
        "id": ids.public_id("pay", shown.leg_id),
        "order": ids.public_id("ord", order.pk) if order else None,
        "reference": facts.reference,
        "amount": facts.amount.paise,
        "amount_refunded": refunded.paise,
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
        "failure": explained(shown.code, language) if status is PublicStatus.FAILED else None,
        "deemed": explained(DEEMED, language) if _is_deemed(shown) else None,
        "created_at": clock.iso(shown.created_at),
        "updated_at": clock.iso(shown.changed_at),
    }


def following(rows: Sequence[Payment], *, has_more: bool) -> str | None:
    """Return the cursor of what follows a page of payments or collects."""
    return ids.public_id("pay", rows[-1].leg_id) if has_more else None


def taken(document: Mapping[str, Any], *, is_replay: bool) -> Response:
    """Answer what asks for a payment, refund or collect: it is taken on, or was before."""
    if is_replay:
        return Response(document, status=200, headers={"Idempotent-Replayed": "true"})
    return Response(document, status=202)


def explained(code: str, language: Language) -> dict[str, Any]:
    """Return a code as the APIs explain it."""
    return explain(code, language).as_document()


def _is_deemed(shown: Payment) -> bool:
    """Say whether the banks treat a payment as made that nobody has confirmed."""
    is_open = public_status(shown.state)[0] is PublicStatus.PENDING
    return shown.state is State.DEEMED or (is_open and inner_code(shown.code) == DEEMED)
