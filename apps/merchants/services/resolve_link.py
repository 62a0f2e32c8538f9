"""Say what a scanned text or an opened link asks for, and whether it may be paid."""

import datetime as dt
import functools
from dataclasses import dataclass

from django.conf import settings

from apps.common import clock
from apps.merchants import link_judgement, selectors, signers
from apps.merchants.contracts import QrStatus
from apps.merchants.errors import LinkExpiredError, QrCodeRevokedError
from apps.merchants.link_judgement import Judgement, LinkFacts, Source
from apps.merchants.models import Merchant
from apps.merchants.services.order_link import check_payable
from apps.risk.selectors import limits_on
from apps.upi import selectors as directory
from apps.upi.links import emv, signature, uri
from apps.upi.links.intent import Intent
from apps.upi.links.signature import SignatureStatus
from apps.vpa import selectors as addresses


@dataclass(frozen=True, slots=True)
class ResolvedLink:
    """A link, what is known of it, and the judgement."""

    facts: LinkFacts
    judgement: Judgement
    is_emv: bool
    text: str

    @property
    def intent(self) -> Intent:
        """What the link says."""
        return self.facts.intent


def resolve_link(text: str, *, source: Source, at: dt.datetime) -> ResolvedLink:
    """
    Return what a payer's app shows before it lets anybody pay.

    An order's link that was paid or has ended is refused as a whole: there is nothing to show. So
    is a QR code of ours that was revoked.

    Raises LinkError and DuplicateParameterError for a text that is no link, LinkExpiredError,
    QrCodeRevokedError, AlreadyPaidError, hsm.errors.HsmError.
    """
    is_emv = emv.looks_like_emv(text)
    link = emv.read_link(text) if is_emv else uri.read(text)
    intent, address = link.intent, str(link.intent.payee)
    if intent.expires_at is not None and at > intent.expires_at:
        raise LinkExpiredError
    status = signature.judge(
        link,
        functools.partial(signers.keys_for, at=at),
        rsa_bits_min=settings.UPI_LINK_RSA_BITS_MIN,
    )
    is_ours = intent.payee.handle in settings.UPI_HANDLES
    payee = addresses.resolve(address) if is_ours else None
    listed = None if is_ours else directory.verified_merchant(address)
    merchant = selectors.merchant_at(address) if payee is not None else None
    if merchant is not None:
        _check_codes(text, at=at)
        _check_order(merchant, intent, status, at=at)
    facts = LinkFacts(
        intent=intent,
        signature=status,
        source=source,
        is_ours=is_ours,
        payee=payee,
        listed_name=listed.name if listed is not None else "",
        is_suspended=merchant is not None and merchant.state == Merchant.State.SUSPENDED,
        limits=limits_on(clock.business_date(at)),
    )
    return ResolvedLink(facts, link_judgement.judge(facts), is_emv, text)


def _check_codes(text: str, *, at: dt.datetime) -> None:
    """
    Refuse a code of ours that no merchant stands by: QrCodeRevokedError, LinkExpiredError.

    Of codes that are alike one that is alive is enough, for nobody can tell them apart.
    """
    found = {code.status(at=at) for code in selectors.qr_codes_saying(text)}
    if not found or QrStatus.ACTIVE in found:
        return
    if QrStatus.REVOKED in found:
        raise QrCodeRevokedError
    raise LinkExpiredError


def _check_order(
    merchant: Merchant, intent: Intent, status: SignatureStatus, *, at: dt.datetime
) -> None:
    """
    Refuse what was paid or has ended: AlreadyPaidError, LinkExpiredError.

    How an order stands is said to whoever has our link to it, or knows reference and amount: not
    to somebody who tries references.
    """
    order = selectors.live_order(merchant, intent.reference) if intent.reference else None
    if order is None:
        return
    knows_amount = intent.amount is not None and intent.amount.paise == order.amount_paise
    if status is SignatureStatus.VERIFIED or knows_amount:
        check_payable(order, at=at)
