"""One-time passwords: minted here, sent by SMS, kept as a verifier, good for three tries."""

import datetime as dt
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from apps.accounts import selectors
from apps.accounts.contracts import DebitCard
from apps.accounts.models import OTP_TRIES_MAX, BankAccount, CredentialRequest, Otp, PinState
from apps.accounts.services import pin, pin_rows
from apps.accounts.services.answering import DONE, Result
from apps.accounts.services.open_account import is_card_of
from apps.accounts.states import RequestState
from apps.common import clock
from apps.common.faults import fault_point
from apps.common.masking import mask_account
from apps.messaging import claims
from apps.messaging.channels import send_sms
from apps.messaging.contracts import Claim
from apps.messaging.errors import ChannelUnavailableError
from apps.upi import timers
from apps.upi.services import pin_blocks
from apps.upi.timer_models import Timer
from hsm import pin as hsm_pin
from hsm.errors import HsmError
from hsm.pin import PinVerdict, Verifier

log = structlog.get_logger(__name__)

# upi-protocol 4.5.
WRONG = "ZR"
EXPIRED = "ZS"
NO_TRIES_LEFT = "ZT"
BLOCKED = "RN"
CARD_UNKNOWN = "XN"
CARD_EXPIRED = "XL"
_NOT_SENT = "IR"

CODES = {
    PinVerdict.RIGHT: "",
    PinVerdict.WRONG: WRONG,
    PinVerdict.REFUSED: pin.OTHER_CONTENT,
    PinVerdict.MALFORMED: pin.MALFORMED,
    PinVerdict.UNAVAILABLE: pin.UNAVAILABLE,
}
DIGITS = 6
_TWENTY_FIRST_CENTURY = 2000


@dataclass(frozen=True, slots=True)
class Registration:
    """What the token said of a registration: the OTP's verdict, and the new PIN's verifier."""

    exchange_id: UUID
    account_id: int
    otp_minted_for: UUID
    verdict: PinVerdict
    verifier: Verifier | None = field(default=None, repr=False)


def admit(requests: Sequence[CredentialRequest], *, now: dt.datetime) -> dict[UUID, Result]:
    """
    Check the accounts of requests for an OTP, count them, and return those that are refused.

    A request is counted before its card is looked at, once, so that cards cannot be guessed
    either. The caller holds the rows of the requests.
    """
    accounts = selectors.accounts_by_number({request.account_number for request in requests})
    rows = selectors.lock_pin_states([account.pk for account in accounts.values()])
    refused = {}
    for request in requests:
        account = accounts.get(request.account_number)
        code = selectors.remitter_refusal(account, mobile=request.mobile)
        if not code and account is not None and request.state == RequestState.RECEIVED:
            code = _count(rows[account.pk], now=now)
        if code:
            refused[request.pk] = Result(code)
    pin_rows.save(rows.values())
    return refused


def send(requests: Sequence[CredentialRequest], *, claim: Claim) -> dict[UUID, Result]:
    """
    Check the card, mint an OTP, keep its verifier and send it; return what to answer.

    No transaction is open. Stops at half the lease and gives the rest back.
    """
    stop_at = time.monotonic() + settings.LEASE_PIN_SECONDS / 2
    accounts = selectors.accounts_by_number({request.account_number for request in requests})
    results = {}
    for place, request in enumerate(requests):
        if time.monotonic() > stop_at:
            claims.release(claim, [rest.pk for rest in requests[place:]])
            break
        try:
            code = _send(request, accounts[request.account_number])
        except HsmError as error:
            log.warning("otp_not_made", error=type(error).__name__)
            code = pin.UNAVAILABLE
        except ChannelUnavailableError as error:
            log.warning("otp_not_sent", error=str(error))
            code = _NOT_SENT
        results[request.pk] = Result(code or DONE)
    return results


def take(
    registering: Sequence[tuple[CredentialRequest, int | None]], *, now: dt.datetime
) -> tuple[dict[UUID, Otp], dict[UUID, str]]:
    """
    Take a try of each account's OTP; return the OTPs, and the codes of those without one.

    The caller holds the PIN rows of the accounts, so nobody else tries. A request that comes again
    after its worker died takes no second try.
    """
    otps = Otp.objects.in_bulk([account_id for _, account_id in registering])
    blocked = set(
        PinState.objects.filter(
            pk__in=[account_id for _, account_id in registering],
            otps_asked__gte=settings.OTPS_PER_DAY_MAX,
        ).values_list("pk", flat=True)
    )
    taken, refused, changed = {}, {}, []
    for request, account_id in registering:
        otp = otps.get(account_id)
        is_repeat = request.state == RequestState.WORKING
        code = _refuse(otp, is_repeat=is_repeat, now=now)
        if code:
            refused[request.pk] = BLOCKED if account_id in blocked else code
            continue
        assert otp is not None
        if not is_repeat:
            otp.tries_left -= 1
            changed.append(otp)
        taken[request.pk] = otp
    Otp.objects.bulk_update(changed, ["tries_left"])
    return taken, refused


def record(registrations: Sequence[Registration], *, claim: UUID) -> None:
    """
    Set the PINs of registrations that are still ours, use up their OTPs, and free the rows.

    A registration gives all tries back. An OTP's try comes back when the token said nothing of it
    and no claim had asked before.
    """
    rows = selectors.lock_pin_states([each.account_id for each in registrations])
    otps = Otp.objects.in_bulk([each.account_id for each in registrations])
    changed, freed = [], []
    for each in registrations:
        row, otp = rows[each.account_id], otps[each.account_id]
        if row.holder != each.exchange_id or row.claim != claim:
            continue
        # A newer OTP may have come meanwhile; this verdict is not about that one.
        if otp.exchange_id == each.otp_minted_for:
            if each.verdict is PinVerdict.RIGHT:
                otp.used_at = clock.now()
            elif each.verdict is not PinVerdict.WRONG and row.claims == 1:
                otp.tries_left += 1
        if each.verifier is not None:
            row.verifier_key, row.verifier = each.verifier.key_label, each.verifier.value
            row.otps_asked, row.otps_asked_from_at = 0, None
            pin.restore_tries(row)
        pin.free(row)
        changed.append(row)
        freed.append(each.exchange_id)
    pin_rows.save(changed)
    Otp.objects.bulk_update(list(otps.values()), ["tries_left", "used_at"])
    pin_blocks.delete(freed)


def _count(row: PinState, *, now: dt.datetime) -> str:
    day = timers.span(Timer.PIN_LOCK)
    if row.otps_asked_from_at is not None and row.otps_asked_from_at + day <= now:
        row.otps_asked, row.otps_asked_from_at = 0, None
    if row.otps_asked >= settings.OTPS_PER_DAY_MAX:
        return BLOCKED
    row.otps_asked += 1
    row.otps_asked_from_at = row.otps_asked_from_at or now
    return ""


def _send(request: CredentialRequest, account: BankAccount) -> str:
    """Return "" when the OTP is on its way, else the code of the refusal."""
    refusal = _refuse_card(request, account)
    if refusal:
        return refusal
    otp = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
    verifier = hsm_pin.otp_verifier(otp, bank_code=settings.UPI_BANK_CODE, account=account.number)
    with transaction.atomic():
        selectors.lock_pin_states([account.pk])
        Otp.objects.update_or_create(
            account=account,
            defaults={
                "exchange_id": request.pk,
                "verifier_key": verifier.key_label,
                "verifier": verifier.value,
                "tries_left": OTP_TRIES_MAX,
                "expires_at": selectors.database_now() + timers.span(Timer.OTP_LIFE),
                "used_at": None,
            },
        )
    fault_point("otp.kept")
    send_sms(
        account.mobile,
        f"{otp} is the OTP to set the UPI PIN of your account {mask_account(account.number)}. "
        "Tell it to nobody: the bank never asks for it.",
    )
    fault_point("otp.sent")
    return ""


def _refuse_card(request: CredentialRequest, account: BankAccount) -> str:
    card = DebitCard(request.card_digits, request.card_expiry)
    if not is_card_of(account, card):
        return CARD_UNKNOWN
    month, year = int(card.expiry[:2]), _TWENTY_FIRST_CENTURY + int(card.expiry[2:])
    today = clock.business_date(clock.now())
    return CARD_EXPIRED if (year, month) < (today.year, today.month) else ""


def _refuse(otp: Otp | None, *, is_repeat: bool, now: dt.datetime) -> str:
    if otp is None or otp.used_at is not None or otp.expires_at <= now:
        return EXPIRED
    if otp.tries_left == 0 and not is_repeat:
        return NO_TRIES_LEFT
    return ""
