"""The issuer's rows: accounts, their PINs, one-time passwords, and requests about credentials."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from apps.accounts.host_models import CancellationPace, CoreBankingCall, UnmatchedAnswer
from apps.accounts.states import (
    AccountState,
    HoldState,
    Pause,
    RequestKind,
    RequestState,
    Restriction,
    Side,
)
from apps.common.masking import mask_account
from apps.ledger.models import LedgerAccount

__all__ = [
    "AccountRestriction",
    "BankAccount",
    "CancellationPace",
    "CoreBankingCall",
    "CredentialRequest",
    "Otp",
    "PinState",
    "ServicePause",
    "UnmatchedAnswer",
]

# payments.md and upi-protocol 5.5: three wrong PINs lock; an OTP has three tries too.
PIN_TRIES_MAX = 3
OTP_TRIES_MAX = 3


class BankAccount(models.Model):
    """A customer's account. Its money is in the books; its PIN is a row beside it."""

    number = models.CharField(max_length=18, unique=True)
    ifsc = models.CharField(max_length=11)
    account_type = models.CharField(max_length=10)
    holder_name = models.CharField(max_length=99)
    mobile = models.CharField(max_length=12, db_index=True)
    state = models.CharField(
        max_length=7,
        choices=[(state.value, state.value) for state in AccountState],
        default=AccountState.ACTIVE.value,
    )
    ledger_account = models.OneToOneField(LedgerAccount, on_delete=models.PROTECT)
    # What the account may hold at most; None for accounts without such a limit.
    balance_max_paise = models.BigIntegerField(null=True, blank=True)
    card_key = models.CharField(max_length=40)
    card_mac = models.BinaryField(max_length=32)
    opened_at = models.DateTimeField()
    # Held by several persons: no one of them may link it by himself (upi-protocol 4.5, B2).
    is_joint = models.BooleanField(db_default=False)

    class Meta:
        db_table = "accounts_bank_account"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="bank_account_number_is_digits", condition=Q(number__regex=r"^[0-9]{9,18}$")
            ),
            models.CheckConstraint(
                name="bank_account_ifsc_has_its_form",
                condition=Q(ifsc__regex=r"^[A-Z]{4}0[A-Z0-9]{6}$"),
            ),
            models.CheckConstraint(
                name="bank_account_mobile_is_indian", condition=Q(mobile__regex=r"^91[0-9]{10}$")
            ),
            models.CheckConstraint(
                name="bank_account_state_is_known",
                condition=Q(state__in=["ACTIVE", "DORMANT", "FROZEN", "CLOSED"]),
            ),
            models.CheckConstraint(
                name="bank_account_type_is_known",
                condition=Q(account_type__in=["SAVINGS", "CURRENT"]),
            ),
            models.CheckConstraint(
                name="bank_account_balance_max_is_positive",
                condition=Q(balance_max_paise__isnull=True) | Q(balance_max_paise__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return mask_account(self.number)


class AccountRestriction(models.Model):
    """What may not be done with an account from one instant until, and without, another."""

    account = models.ForeignKey(BankAccount, on_delete=models.PROTECT, related_name="restrictions")
    kind = models.CharField(max_length=15, choices=[(k.value, k.value) for k in Restriction])
    valid_from_at = models.DateTimeField()
    valid_until_at = models.DateTimeField(null=True, blank=True)
    source = models.CharField(max_length=200)

    class Meta:
        db_table = "accounts_account_restriction"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="account_restriction_kind_is_known",
                condition=Q(kind__in=["NO_DEBIT", "NO_CREDIT", "COMPLIANCE", "SUSPECTED_FRAUD"]),
            ),
            # One that was called off before it began ends as it begins.
            models.CheckConstraint(
                name="account_restriction_ends_not_before_it_begins",
                condition=Q(valid_until_at__isnull=True)
                | Q(valid_until_at__gte=F("valid_from_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of account {self.account_id}"


class ServicePause(models.Model):
    """A time in which the bank works no debits or no credits: planned, or until further notice."""

    side = models.CharField(max_length=11, choices=[(side.value, side.value) for side in Side])
    kind = models.CharField(max_length=12, choices=[(kind.value, kind.value) for kind in Pause])
    valid_from_at = models.DateTimeField()
    valid_until_at = models.DateTimeField(null=True, blank=True)
    source = models.CharField(max_length=200)

    class Meta:
        db_table = "accounts_service_pause"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="service_pause_is_known",
                condition=Q(
                    side__in=["REMITTER", "BENEFICIARY"],
                    kind__in=["SERVICE", "CORE_BANKING", "CUT_OFF", "POOL_ACCOUNT"],
                )
                | Q(side="REMITTER", kind="HSM")
                | Q(side="BENEFICIARY", kind="MERCHANTS"),
            ),
            # One that was called off before it began ends as it begins.
            models.CheckConstraint(
                name="service_pause_ends_not_before_it_begins",
                condition=Q(valid_until_at__isnull=True)
                | Q(valid_until_at__gte=F("valid_from_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.kind}"


class PinState(models.Model):
    """
    The PIN of an account: a verifier, the tries that are left, and who is being verified.

    The row's key is the account's. It is also work: a hold that nobody finishes falls due.
    """

    account = models.OneToOneField(
        BankAccount,
        primary_key=True,
        db_column="id",
        on_delete=models.PROTECT,
        related_name="pin_state",
    )
    verifier_key = models.CharField(max_length=40, default="")
    verifier = models.BinaryField(max_length=64, null=True)
    tries_left = models.SmallIntegerField(default=PIN_TRIES_MAX)
    locked_at = models.DateTimeField(null=True)
    otps_asked = models.SmallIntegerField(default=0)
    otps_asked_from_at = models.DateTimeField(null=True)
    state = models.CharField(
        max_length=4,
        choices=[(state.value, state.value) for state in HoldState],
        default=HoldState.FREE.value,
    )
    holder = models.UUIDField(null=True)
    has_taken_try = models.BooleanField(default=False)
    claims = models.SmallIntegerField(default=0)
    binding = models.JSONField(null=True)
    claim = models.UUIDField(null=True)
    next_action_at = models.DateTimeField(null=True)
    attempts = models.SmallIntegerField(default=0)
    parked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "PIN state"
        verbose_name_plural = "PIN states"
        db_table = "accounts_pin_state"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="pin_state_tries_are_0_to_3",
                condition=Q(tries_left__gte=0, tries_left__lte=PIN_TRIES_MAX),
            ),
            models.CheckConstraint(
                name="pin_state_is_locked_without_tries",
                condition=Q(tries_left=0, locked_at__isnull=False)
                | Q(tries_left__gt=0, locked_at__isnull=True),
            ),
            models.CheckConstraint(
                name="pin_state_otps_are_counted_from_the_first",
                condition=Q(otps_asked=0, otps_asked_from_at__isnull=True)
                | Q(otps_asked__gt=0, otps_asked_from_at__isnull=False),
            ),
            models.CheckConstraint(
                name="pin_state_verifier_names_its_key",
                condition=Q(verifier__isnull=True, verifier_key="")
                | (Q(verifier__isnull=False) & ~Q(verifier_key="")),
            ),
            models.CheckConstraint(
                name="pin_state_hold_is_whole",
                condition=Q(
                    state="FREE",
                    holder__isnull=True,
                    claim__isnull=True,
                    binding__isnull=True,
                    next_action_at__isnull=True,
                    has_taken_try=False,
                    claims=0,
                )
                | Q(
                    state__in=["HELD", "LEFT"],
                    holder__isnull=False,
                    binding__isnull=False,
                    claims__gte=1,
                ),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_action_at"],
                name="pin_state_due",
                condition=Q(next_action_at__isnull=False),
            ),
            models.Index(
                fields=["holder"], name="pin_state_holder", condition=Q(holder__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"PIN of account {self.pk}"


class Otp(models.Model):
    """The newest one-time password of an account, as a verifier; the digits are kept nowhere."""

    account = models.OneToOneField(
        BankAccount,
        primary_key=True,
        db_column="id",
        on_delete=models.PROTECT,
        related_name="otp",
    )
    exchange_id = models.UUIDField()
    verifier_key = models.CharField(max_length=40)
    verifier = models.BinaryField(max_length=64)
    tries_left = models.SmallIntegerField(default=OTP_TRIES_MAX)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "accounts_otp"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="otp_tries_are_0_to_3",
                condition=Q(tries_left__gte=0, tries_left__lte=OTP_TRIES_MAX),
            )
        ]

    def __str__(self) -> str:
        return f"OTP of account {self.pk}"


class CredentialRequest(models.Model):
    """
    The switch's request for an OTP, a registration, a change of PIN or a balance.

    Its id is the exchange's. The card's digits are needed once and wiped with the answer.
    """

    id = models.UUIDField(primary_key=True)
    kind = models.CharField(max_length=12, choices=[(k.value, k.value) for k in RequestKind])
    txn_id = models.CharField(max_length=35)
    txn_type = models.CharField(max_length=20)
    txn_at = models.DateTimeField()
    note = models.CharField(max_length=50)
    reference = models.CharField(max_length=35)
    message_id = models.CharField(max_length=35)
    payer_address = models.CharField(max_length=255)
    payer_name = models.CharField(max_length=99)
    payer_type = models.CharField(max_length=6)
    payer_code = models.CharField(max_length=4)
    account_number = models.CharField(max_length=30)
    ifsc = models.CharField(max_length=11)
    mobile = models.CharField(max_length=15)
    card_digits = models.CharField(max_length=6)
    card_expiry = models.CharField(max_length=4)
    has_credentials = models.BooleanField()
    received_at = models.DateTimeField()
    state = models.CharField(
        max_length=8,
        choices=[(s.value, s.value) for s in RequestState],
        default=RequestState.RECEIVED.value,
    )
    result_code = models.CharField(max_length=3, default="")
    answered_at = models.DateTimeField(null=True)
    claim = models.UUIDField(null=True)
    next_action_at = models.DateTimeField(null=True)
    attempts = models.SmallIntegerField(default=0)
    parked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "accounts_credential_request"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="credential_request_kind_is_known",
                condition=Q(kind__in=["OTP", "REGISTRATION", "PIN_CHANGE", "BALANCE"]),
            ),
            models.CheckConstraint(
                name="credential_request_is_answered_once_it_has_a_result",
                condition=Q(
                    state="ANSWERED",
                    answered_at__isnull=False,
                    next_action_at__isnull=True,
                    card_digits="",
                    card_expiry="",
                )
                & ~Q(result_code="")
                | Q(state__in=["RECEIVED", "WORKING"], answered_at__isnull=True, result_code=""),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_action_at"],
                name="credential_request_due",
                condition=Q(next_action_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.txn_id}"
