"""
What a payer's app must do with a link: refuse it, warn, and within which bounds to let it be paid.

Pure: facts in, judgement out. Sources: upi-protocol 3.4, 6.2 to 6.4 and 7.1.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from apps.common.money import Money
from apps.risk.contracts import Limits
from apps.upi.links.intent import (
    BHARAT_QR_MODE,
    INTENT_MODES,
    MANDATE_QR_MODES,
    SECURE_MODES,
    Action,
    Intent,
)
from apps.upi.links.signature import SignatureStatus
from apps.vpa.contracts import ResolvedVpa, VpaKind

PERSON_MCC = "0000"
WALLET_LOAD_MCC = "6540"
_FROM_GALLERY = "01"
# Executions of mandates, foreign remittance, and what no app of ours can send.
_MODES_OF_OTHERS = frozenset({"11", "12", *(str(mode) for mode in range(25, 33))})
_DISABLED_HANDLES = (".aadhaar.npci", ".iin.npci")
# An EMV code has room for no longer name.
_EMV_NAME_SIGNS = 25


class Source(StrEnum):
    """Where the payer's app has a link from; IMAGE is a QR code out of a gallery or a message."""

    CAMERA = "camera"
    IMAGE = "image"
    LINK = "link"


class LinkRefusal(StrEnum):
    """Why a link must not be paid."""

    ACTION_NOT_SUPPORTED = "action_not_supported"
    COLLECT_BY_LINK = "collect_by_link"
    MODE_NOT_ALLOWED = "mode_not_allowed"
    SIGNATURE_BAD = "bad_signature"
    SIGNER_KEY_NOT_VALID = "signer_key_not_valid"
    SIGNATURE_MISSING = "signature_missing"
    SIGNER_UNKNOWN = "signer_unknown"
    ADDRESS_DISABLED = "address_disabled"
    PAYEE_UNKNOWN = "payee_unknown"
    PAYEE_SUSPENDED = "payee_suspended"
    PERSON_BY_INTENT = "person_by_intent"
    OFFLINE_BY_INTENT = "offline_by_intent"
    WALLET_BY_SHARED_QR = "wallet_by_shared_qr"
    SHARED_QR_LIMIT = "shared_qr_limit"
    LIMIT_EXCEEDED = "limit_exceeded"


class LinkWarning(StrEnum):
    """What the payer should see before paying."""

    UNSIGNED = "unsigned"
    SIGNER_UNKNOWN = "signer_unknown"
    NAME_UNVERIFIED = "name_unverified"
    NAME_DIFFERS = "name_differs"
    URL_NOT_SECURE = "url_not_secure"
    PARAMETER_UNKNOWN = "parameter_unknown"


TITLES: dict[LinkRefusal | LinkWarning, str] = {
    LinkRefusal.ACTION_NOT_SUPPORTED: "A mandate cannot be set up here",
    LinkRefusal.COLLECT_BY_LINK: "A request for money comes through the bank, not by a link",
    LinkRefusal.MODE_NOT_ALLOWED: "A link cannot start this kind of payment",
    LinkRefusal.SIGNATURE_BAD: "The link was changed, or is not by whom it says",
    LinkRefusal.SIGNER_KEY_NOT_VALID: "The link is signed with a key that does not count now",
    LinkRefusal.SIGNATURE_MISSING: "The link must be signed, and is not",
    LinkRefusal.SIGNER_UNKNOWN: "The link must be signed by somebody we know",
    LinkRefusal.ADDRESS_DISABLED: "Payments to such an address are not possible any more",
    LinkRefusal.PAYEE_UNKNOWN: "Nobody has this payment address",
    LinkRefusal.PAYEE_SUSPENDED: "The payee may not take payments now",
    LinkRefusal.PERSON_BY_INTENT: "A person cannot be paid by a link",
    LinkRefusal.OFFLINE_BY_INTENT: "This shop cannot be paid by a link",
    LinkRefusal.WALLET_BY_SHARED_QR: "Wallets cannot be loaded by a shared QR code",
    LinkRefusal.SHARED_QR_LIMIT: "A shared QR code cannot ask for so much",
    LinkRefusal.LIMIT_EXCEEDED: "The amount is over what one payment may be",
    LinkWarning.UNSIGNED: "The link is not signed",
    LinkWarning.SIGNER_UNKNOWN: "We do not know who signed the link",
    LinkWarning.NAME_UNVERIFIED: "The name is the link's own claim",
    LinkWarning.NAME_DIFFERS: "The link says another name than the payee's bank",
    LinkWarning.URL_NOT_SECURE: "The link's page is not protected",
    LinkWarning.PARAMETER_UNKNOWN: "The link says things that are not of UPI",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFacts:
    """
    What is known of a link.

    `payee` is what is behind an address of ours; `listed_name` the name of a merchant elsewhere
    whom the network's directory vouches for.
    """

    intent: Intent
    signature: SignatureStatus
    source: Source
    is_ours: bool
    payee: ResolvedVpa | None = None
    listed_name: str = ""
    is_suspended: bool = False
    limits: Limits = field(default_factory=Limits)

    @property
    def verified_name(self) -> str:
        """The payee's name if somebody vouches for it, else ""."""
        return self.payee.verified_name if self.payee is not None else self.listed_name

    @property
    def is_person(self) -> bool:
        """Whether the payee is a person; of a stranger, what the link says."""
        if self.payee is not None:
            return self.payee.kind is VpaKind.PERSON
        return not self.listed_name and self.intent.mcc == PERSON_MCC

    @property
    def is_unverified_shop(self) -> bool:
        """Whether the payee is known to sell offline, and nobody vouched for the link."""
        block = self.payee.merchant if self.payee is not None else None
        is_offline = block is not None and block.merchant_genre == "OFFLINE"
        return is_offline and self.signature is not SignatureStatus.VERIFIED

    @property
    def is_shared(self) -> bool:
        """Whether the QR code came as an image rather than before a camera."""
        return self.source is Source.IMAGE or self.intent.other("qrMedium") == _FROM_GALLERY


@dataclass(frozen=True, slots=True)
class Judgement:
    """Refusals and warnings in the order of checking, and the bounds of what may be paid."""

    refusals: tuple[LinkRefusal, ...]
    warnings: tuple[LinkWarning, ...]
    amount_min: Money
    amount_max: Money | None

    @property
    def is_payable(self) -> bool:
        """Whether nothing speaks against paying."""
        return not self.refusals


def judge(facts: LinkFacts) -> Judgement:
    """Return what is to be done with a link."""
    low, high, broken = _bounds(facts)
    refusals = [*_of_link(facts), *_of_payee(facts)]
    if broken is not None:
        refusals.append(broken)
    return Judgement(tuple(refusals), tuple(_warnings(facts)), low, high)


def _of_link(facts: LinkFacts) -> list[LinkRefusal]:
    found = []
    if facts.intent.action is Action.MANDATE:
        found.append(LinkRefusal.ACTION_NOT_SUPPORTED)
    if facts.intent.action is Action.COLLECT:
        found.append(LinkRefusal.COLLECT_BY_LINK)
    is_mandates = facts.intent.mode in MANDATE_QR_MODES
    is_mixed = is_mandates and facts.intent.action is not Action.MANDATE
    if is_mixed or facts.intent.mode in _MODES_OF_OTHERS:
        found.append(LinkRefusal.MODE_NOT_ALLOWED)
    is_secure = facts.intent.mode in SECURE_MODES
    if facts.signature is SignatureStatus.BAD:
        found.append(LinkRefusal.SIGNATURE_BAD)
    if facts.signature is SignatureStatus.KEY_NOT_VALID:
        found.append(LinkRefusal.SIGNER_KEY_NOT_VALID)
    if is_secure and facts.signature is SignatureStatus.UNSIGNED:
        found.append(LinkRefusal.SIGNATURE_MISSING)
    if is_secure and facts.signature is SignatureStatus.UNKNOWN_SIGNER:
        found.append(LinkRefusal.SIGNER_UNKNOWN)
    return found


def _of_payee(facts: LinkFacts) -> list[LinkRefusal]:
    found = []
    if f".{facts.intent.payee.handle}".endswith(_DISABLED_HANDLES):
        found.append(LinkRefusal.ADDRESS_DISABLED)
    if facts.is_ours and facts.payee is None:
        found.append(LinkRefusal.PAYEE_UNKNOWN)
    if facts.is_suspended:
        found.append(LinkRefusal.PAYEE_SUSPENDED)
    is_by_intent = facts.intent.mode in INTENT_MODES
    if is_by_intent and facts.is_person:
        found.append(LinkRefusal.PERSON_BY_INTENT)
    if is_by_intent and facts.is_unverified_shop:
        found.append(LinkRefusal.OFFLINE_BY_INTENT)
    mcc = facts.payee.mcc if facts.payee is not None else facts.intent.mcc
    if facts.is_shared and mcc == WALLET_LOAD_MCC:
        found.append(LinkRefusal.WALLET_BY_SHARED_QR)
    return found


def _bounds(facts: LinkFacts) -> tuple[Money, Money | None, LinkRefusal | None]:
    """Return the least and the most that may be paid, and which limit forbids even the least."""
    intent = facts.intent
    is_fixed = intent.amount is not None and intent.minimum is None
    low = intent.minimum or (intent.amount if is_fixed else None) or Money(1)
    high = intent.amount
    for limit, refusal in (
        (_shared_limit(facts), LinkRefusal.SHARED_QR_LIMIT),
        (facts.limits.payment_amount_paise, LinkRefusal.LIMIT_EXCEEDED),
    ):
        if limit is not None and low.paise > limit:
            return low, intent.amount, refusal
        if limit is not None and (high is None or high.paise > limit):
            high = Money(limit)
    return low, high, None


def _shared_limit(facts: LinkFacts) -> int | None:
    is_limited = facts.is_shared and (facts.is_person or facts.is_unverified_shop)
    return facts.limits.shared_qr_paise if is_limited else None


def _warnings(facts: LinkFacts) -> list[LinkWarning]:
    found = []
    if facts.signature is SignatureStatus.UNSIGNED:
        found.append(LinkWarning.UNSIGNED)
    if facts.signature is SignatureStatus.UNKNOWN_SIGNER:
        found.append(LinkWarning.SIGNER_UNKNOWN)
    if not facts.verified_name:
        found.append(LinkWarning.NAME_UNVERIFIED)
    elif not _says(facts.intent, facts.verified_name):
        found.append(LinkWarning.NAME_DIFFERS)
    if facts.intent.url.startswith("http:"):
        found.append(LinkWarning.URL_NOT_SECURE)
    if facts.intent.unknown:
        found.append(LinkWarning.PARAMETER_UNKNOWN)
    return found


def _says(intent: Intent, name: str) -> bool:
    verified, claimed = _folded(name), _folded(intent.payee_name)
    if intent.mode == BHARAT_QR_MODE:
        verified = verified[:_EMV_NAME_SIGNS].strip()
    return verified == claimed


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())
