"""Write collects as the APIs show them."""

import datetime as dt
from typing import Any

from apps.common import clock, ids
from apps.common.masking import mask_vpa
from apps.payments.api.render import explained
from apps.payments.contracts import Payment
from apps.payments.states import PublicStatus, State, public_status
from apps.upi.response_codes import Language


def merchants(shown: Payment, language: Language) -> dict[str, Any]:
    """Return a collect as the merchant that asked sees it: the payer's address is masked."""
    facts = shown.transaction
    return {
        "object": "collect",
        "id": ids.public_id("col", shown.leg_id),
        "payment": ids.public_id("pay", shown.leg_id),
        "reference": facts.reference,
        **_common(shown, language),
        "payer_vpa": mask_vpa(facts.payer_address),
        "payee_vpa": facts.payee_address,
        "upi": {"txn_id": facts.id, "rrn": facts.rrn, "response_code": shown.code or None},
    }


def customers(shown: Payment, language: Language, *, at: dt.datetime) -> dict[str, Any]:
    """Return a collect as the customer who is asked sees it."""
    facts = shown.transaction
    is_waiting = shown.state is State.WAITING_PAYER
    return {
        "object": "collect",
        "id": ids.public_id("col", shown.leg_id),
        "txn_id": facts.id,
        "rrn": facts.rrn,
        **_common(shown, language),
        "awaits_approval": is_waiting and shown.expires_at is not None and at < shown.expires_at,
        "payer_vpa": facts.payer_address,
        "payee_vpa": facts.payee_address,
        "payee_name": facts.payee_name,
        "note": facts.note,
    }


def _common(shown: Payment, language: Language) -> dict[str, Any]:
    status, finality = public_status(shown.state)
    assert shown.expires_at is not None, "a collect ends by itself"
    return {
        "amount": shown.transaction.amount.paise,
        "currency": "INR",
        "status": status,
        "finality": finality,
        "failure": explained(shown.code, language) if status is PublicStatus.FAILED else None,
        "created_at": clock.iso(shown.created_at),
        "updated_at": clock.iso(shown.changed_at),
        "expires_at": clock.iso(shown.expires_at),
    }
