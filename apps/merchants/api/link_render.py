"""Write links and QR codes as the APIs show them."""

import re
from typing import Any

from apps.common import clock, ids
from apps.merchants import qr_image
from apps.merchants.link_judgement import TITLES, LinkRefusal, LinkWarning
from apps.merchants.models import QrCode
from apps.merchants.services.resolve_link import ResolvedLink
from apps.upi.links.intent import MandateTerms

# What POST /app/v1/payments takes of a link: the wire carries less than a link may say.
_PAYEE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .,&'()/\-]{0,98}")
_NOT_OF_A_NOTE = re.compile(r"[^A-Za-z0-9]+")
_NOTE_SIGNS_MAX = 50
_URL_SIGNS_MAX = 35


def resolved(found: ResolvedLink) -> dict[str, Any]:
    """Return what a payer's app shows before paying, and the payment to send when it may."""
    intent, facts, judgement = found.intent, found.facts, found.judgement
    low, high = judgement.amount_min, judgement.amount_max
    is_fixed = intent.amount is not None and intent.minimum is None
    return {
        "object": "intent",
        "format": "bharatqr" if found.is_emv else "upi",
        "action": intent.action.value,
        "is_payable": judgement.is_payable,
        "payee": _payee(found),
        "amount": intent.amount.paise if intent.amount is not None else None,
        "amount_min": low.paise,
        "amount_max": high.paise if high is not None else None,
        "is_amount_editable": not is_fixed,
        "currency": "INR",
        "reference": intent.reference,
        "note": intent.note,
        "url": intent.url or None,
        "initiation_mode": intent.mode,
        "purpose": intent.purpose,
        "signature": {"status": facts.signature.value, "orgid": intent.signer or None},
        "expires_at": clock.iso(intent.expires_at) if intent.expires_at else None,
        "mandate": _mandate(intent.mandate) if intent.mandate is not None else None,
        "refusals": _notices(judgement.refusals),
        "warnings": _notices(judgement.warnings),
        "payment": _payment(found) if judgement.is_payable else None,
    }


def qr_code(row: QrCode, *, is_whole: bool) -> dict[str, Any]:
    """Return a QR code; its image only when it is shown whole."""
    document = {
        "object": "qr_code",
        "id": ids.public_id("qr", row.pk),
        "kind": row.kind.lower(),
        "format": row.format.lower(),
        "order": ids.public_id("ord", row.order_id) if row.order_id else None,
        "store": row.store_code,
        "terminal": row.terminal_code,
        "payload": row.payload,
        "status": row.status(at=clock.now()).value,
        "created_at": clock.iso(row.created_at),
        "expires_at": clock.iso(row.expires_at) if row.expires_at else None,
        "revoked_at": clock.iso(row.revoked_at) if row.revoked_at else None,
    }
    return {**document, "qr_svg": qr_image.svg(row.payload)} if is_whole else document


def _payee(found: ResolvedLink) -> dict[str, Any]:
    payee, intent, verified = found.facts.payee, found.intent, found.facts.verified_name
    return {
        "vpa": str(intent.payee),
        "name": verified or intent.payee_name,
        "is_name_verified": bool(verified),
        "claimed_name": intent.payee_name,
        "kind": "person" if found.facts.is_person else "merchant",
        "mcc": payee.mcc if payee is not None else intent.mcc,
    }


def _mandate(terms: MandateTerms) -> dict[str, Any]:
    """Return what a mandate's link asks the payer to agree to; what it leaves out is null."""
    start, end, first = terms.start_date, terms.end_date, terms.first_amount
    return {
        "kind": terms.kind.lower(),
        "name": terms.name or None,
        "start_date": start.isoformat() if start is not None else None,
        "end_date": end.isoformat() if end is not None else None,
        "amount_rule": terms.amount_rule.lower() or None,
        "recurrence": terms.recurrence.lower() or None,
        "recurrence_value": terms.recurrence_value,
        "recurrence_type": terms.recurrence_type.lower() or None,
        "first_amount": first.paise if first is not None else None,
        "is_revocable": terms.is_revocable,
        "is_shared": terms.is_shared,
        "is_blocked": terms.is_blocked,
        "umn": terms.umn or None,
        "skip": terms.skip or None,
    }


def _payment(found: ResolvedLink) -> dict[str, Any]:
    """Return the members of a payment that the link decides; the app adds account and PIN."""
    intent, name = found.intent, _payee(found)["name"]
    is_fixed = intent.amount is not None and intent.minimum is None
    members = {
        "payee_vpa": str(intent.payee),
        "payee_name": name if _PAYEE_NAME.fullmatch(name) else "",
        "note": _NOT_OF_A_NOTE.sub(" ", intent.note)[:_NOTE_SIGNS_MAX].strip(),
        "ref_id": intent.reference,
        "ref_url": intent.url if len(intent.url) <= _URL_SIGNS_MAX else "",
        "initiation_mode": intent.mode,
        "purpose": intent.purpose,
    }
    kept: dict[str, Any] = {member: value for member, value in members.items() if value}
    if is_fixed and intent.amount is not None:
        kept["amount"] = intent.amount.paise
    source = found.facts.source.value
    return {**kept, "currency": "INR", "link": found.text, "link_source": source}


def _notices(found: tuple[LinkRefusal, ...] | tuple[LinkWarning, ...]) -> list[dict[str, str]]:
    return [{"code": each.value, "title": TITLES[each]} for each in found]
