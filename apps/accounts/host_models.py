"""What was asked of the core-banking host, and answers of it that fit nothing we asked."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from apps.accounts.states import CallKind, CallState, Unmatched
from apps.common import ids

_OF_A_LEG = Q(kind__in=["DEBIT", "CREDIT", "REVERSAL", "CANCEL"])


class CoreBankingCall(models.Model):
    """
    One call to the host: written before it is sent, so that what was sent is always known.

    It has what a repeat, a cancellation and the host's own file need to name it, and neither the
    account nor anything of the customer's: that is the leg's.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    leg_id = models.UUIDField(null=True)
    original = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=8, choices=[(kind.value, kind.value) for kind in CallKind])
    mti_class = models.CharField(max_length=2)
    acquirer = models.CharField(max_length=11)
    # Ours, the Indian day; the host's own comes with its answer.
    business_date = models.DateField()
    terminal = models.CharField(max_length=8)
    stan = models.IntegerField()
    transmitted_at = models.DateTimeField()
    rrn = models.CharField(max_length=12)
    amount_paise = models.BigIntegerField()
    state = models.CharField(
        max_length=8,
        choices=[(state.value, state.value) for state in CallState],
        default=CallState.PLANNED.value,
    )
    repeats = models.SmallIntegerField(db_default=0)
    # When it was last sent again: from that day on the host's files say what came of it.
    repeated_at = models.DateTimeField(null=True)
    response_code = models.CharField(max_length=2, default="", db_default="")
    # Of an enquiry: what the host says it answered the original.
    original_code = models.CharField(max_length=2, default="", db_default="")
    approval = models.CharField(max_length=6, default="", db_default="")
    settlement_date = models.DateField(null=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "core-banking call"
        db_table = "accounts_core_banking_call"
        # The constraint below finds what moves money; these the few calls about others.
        indexes: ClassVar = [
            models.Index(
                name="core_banking_call_enquiry",
                fields=["leg_id"],
                condition=Q(kind="ENQUIRY"),
            ),
            models.Index(
                name="core_banking_call_original",
                fields=["original"],
                condition=Q(original__isnull=False),
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="core_banking_call_trace_is_used_once_a_day",
                fields=["business_date", "stan", "terminal", "acquirer", "mti_class"],
            ),
            # A movement is ordered once for ever, and so is its cancellation: both only repeat.
            models.UniqueConstraint(
                name="core_banking_call_is_one_for_a_leg",
                fields=["leg_id", "kind"],
                condition=_OF_A_LEG,
            ),
            models.CheckConstraint(
                name="core_banking_call_kind_is_known",
                condition=_OF_A_LEG | Q(kind__in=["ENQUIRY", "BALANCE"]),
            ),
            models.CheckConstraint(
                name="core_banking_call_has_its_leg",
                condition=Q(kind="BALANCE", leg_id__isnull=True)
                | ~Q(kind="BALANCE") & Q(leg_id__isnull=False),
            ),
            models.CheckConstraint(
                name="core_banking_call_has_its_original",
                condition=Q(kind__in=["ENQUIRY", "CANCEL"], original__isnull=False)
                | ~Q(kind__in=["ENQUIRY", "CANCEL"]) & Q(original__isnull=True),
            ),
            models.CheckConstraint(
                name="core_banking_call_stan_has_six_digits",
                condition=Q(stan__gte=1, stan__lte=999_999),
            ),
            models.CheckConstraint(
                name="core_banking_call_amount_is_not_negative", condition=Q(amount_paise__gte=0)
            ),
            models.CheckConstraint(
                name="core_banking_call_is_answered_with_a_code",
                condition=Q(state__in=["ANSWERED", "LATE"], answered_at__isnull=False)
                & ~Q(response_code="")
                | Q(
                    state__in=["PLANNED", "NOT_SENT", "SILENT"],
                    answered_at__isnull=True,
                    response_code="",
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.terminal} {self.stan:06}"


class UnmatchedAnswer(models.Model):
    """
    An answer of the host that was not applied: somebody has to find out what it means.

    Its fields are kept as text, escaped, for they need not be what they should be. It is open until
    an operator closes it and says why; who and when is here, more of it in the audit log.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7)
    received_at = models.DateTimeField()
    reason = models.CharField(
        max_length=13, choices=[(reason.value, reason.value) for reason in Unmatched]
    )
    call = models.ForeignKey(CoreBankingCall, null=True, on_delete=models.PROTECT)
    mti = models.CharField(max_length=4)
    terminal = models.CharField(max_length=32)
    stan = models.CharField(max_length=6)
    transmitted = models.CharField(max_length=10)
    rrn = models.CharField(max_length=12)
    processing_code = models.CharField(max_length=6)
    amount = models.CharField(max_length=12)
    response_code = models.CharField(max_length=2)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=100, default="", db_default="")
    closing_reason = models.CharField(max_length=150, default="", db_default="")

    class Meta:
        db_table = "accounts_unmatched_answer"
        indexes: ClassVar = [
            models.Index(
                name="unmatched_answer_open",
                fields=["received_at"],
                condition=Q(closed_at__isnull=True),
            )
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="unmatched_answer_is_closed_by_somebody",
                condition=Q(closed_at__isnull=True, closed_by="", closing_reason="")
                | Q(closed_at__isnull=False) & ~Q(closed_by="") & ~Q(closing_reason=""),
            ),
            models.CheckConstraint(
                name="unmatched_answer_reason_is_known",
                condition=Q(
                    reason__in=["NO_CALL", "OTHER_CONTENT", "CONTRADICTION", "AFTER_CANCEL"]
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mti} {self.stan}: {self.reason}"


class CancellationPace(models.Model):
    """When the latest cancellations were sent: one row, behind which all processes keep the cap."""

    id = models.SmallIntegerField(primary_key=True)
    sent_at = ArrayField(models.DateTimeField())

    class Meta:
        db_table = "accounts_cancellation_pace"
        constraints: ClassVar = [
            models.CheckConstraint(name="cancellation_pace_is_one_row", condition=Q(id=1))
        ]

    def __str__(self) -> str:
        return "the pace of cancellations"
