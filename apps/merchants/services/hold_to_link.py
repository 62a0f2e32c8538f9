"""Hold a payment to the link that it was made from."""

import datetime as dt
from dataclasses import dataclass

from apps.common.money import Money
from apps.merchants.errors import LinkDiffersError, LinkNotPayableError
from apps.merchants.link_judgement import LinkRefusal, Source
from apps.merchants.services.resolve_link import ResolvedLink, resolve_link
from apps.upi.links.intent import INTENT_MODES
from apps.vpa import selectors as addresses
from apps.vpa.contracts import VpaKind


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPayment:
    """What somebody is about to pay, and the text that they say it comes from, if from any."""

    payee: str
    amount: Money
    reference: str
    mode: str
    purpose: str
    link: str
    source: str

    @property
    def is_judged(self) -> bool:
        """Whether `hold_to_link` has anything to judge: a link, or a mode that needs one."""
        return bool(self.link) or self.mode in INTENT_MODES


def hold_to_link(payment: LinkPayment, *, at: dt.datetime) -> None:
    """
    Refuse a payment that its link does not ask for; the app was told so, but apps can be changed.

    A person of ours is not paid by intent, with or without a link. Raises LinkNotPayableError,
    LinkDiffersError (`field` names a member of the payment) and what `resolve_link` refuses.
    """
    if payment.mode in INTENT_MODES and _is_person(payment.payee):
        raise LinkNotPayableError(refusals=[LinkRefusal.PERSON_BY_INTENT.value])
    if not payment.link:
        return
    found = resolve_link(payment.link, source=Source(payment.source), at=at)
    if not found.judgement.is_payable:
        raise LinkNotPayableError(refusals=[each.value for each in found.judgement.refusals])
    _check_same(payment, found)


def _is_person(address: str) -> bool:
    payee = addresses.resolve(address)
    return payee is not None and payee.kind is VpaKind.PERSON


def _check_same(payment: LinkPayment, found: ResolvedLink) -> None:
    intent, judgement = found.intent, found.judgement
    pairs = {
        "payee_vpa": (payment.payee, str(intent.payee)),
        "ref_id": (payment.reference, intent.reference),
        "initiation_mode": (payment.mode, intent.mode),
        "purpose": (payment.purpose, intent.purpose),
    }
    for field, (paid, asked) in pairs.items():
        if paid != asked:
            raise LinkDiffersError(field=field)
    high = judgement.amount_max
    if payment.amount < judgement.amount_min or (high is not None and payment.amount > high):
        raise LinkDiffersError(field="amount")
