"""The books: accounts, the transfers between them, and the keys that make one happen once."""

import hashlib
from uuid import UUID

from django.db import models
from django.db.models import F, Q

from apps.common import ids
from apps.common.money import Money
from apps.ledger.contracts import Kind

KEY_LENGTH_MAX = 120


def digest_of(key: str) -> bytes:
    """Return what stands for a key: 128 bits, of which no two keys will ever share one."""
    return hashlib.blake2b(key.encode(), digest_size=16).digest()


class LedgerAccount(models.Model):
    """
    One account of the books, with its totals in paise.

    The totals are written by `services.posting` alone, under the row's lock. A customer's account
    may not be debited beyond what was credited; a bank account of the bank's own says for itself.
    """

    code = models.CharField(max_length=40, unique=True, null=True, blank=True)
    name = models.CharField(max_length=100)
    debits_posted_paise = models.BigIntegerField(default=0)
    credits_posted_paise = models.BigIntegerField(default=0)
    debits_pending_paise = models.BigIntegerField(default=0)
    credits_pending_paise = models.BigIntegerField(default=0)
    debits_must_not_exceed_credits = models.BooleanField(default=False)
    credits_must_not_exceed_debits = models.BooleanField(default=False)
    opened_at = models.DateTimeField()

    class Meta:
        db_table = "ledger_account"
        verbose_name = "ledger account"
        constraints = [
            models.CheckConstraint(
                name="ledger_account_totals_are_not_negative",
                condition=Q(
                    debits_posted_paise__gte=0,
                    credits_posted_paise__gte=0,
                    debits_pending_paise__gte=0,
                    credits_pending_paise__gte=0,
                ),
            ),
            models.CheckConstraint(
                name="ledger_account_debits_do_not_exceed_credits",
                condition=Q(debits_must_not_exceed_credits=False)
                | Q(credits_posted_paise__gte=F("debits_posted_paise") + F("debits_pending_paise")),
            ),
            models.CheckConstraint(
                name="ledger_account_credits_do_not_exceed_debits",
                condition=Q(credits_must_not_exceed_debits=False)
                | Q(
                    debits_posted_paise__gte=F("credits_posted_paise") + F("credits_pending_paise")
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.code or f"{self.pk}"

    @property
    def balance(self) -> Money:
        """Posted credits less posted debits."""
        return Money(self.credits_posted_paise - self.debits_posted_paise)

    @property
    def available(self) -> Money:
        """The balance less what is set aside."""
        return self.balance - Money(self.debits_pending_paise)


class Transfer(models.Model):
    """
    One amount that went from one account to another, with both balances after it.

    Partitioned by month and append-only. The accounts are ids without a foreign key: a key's
    trigger would run for every row of the hottest table of the bank.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    key = models.CharField(max_length=KEY_LENGTH_MAX, db_collation="C")
    kind = models.CharField(max_length=7, choices=[(kind.value, kind.value) for kind in Kind])
    debit_account_id = models.BigIntegerField()
    credit_account_id = models.BigIntegerField()
    amount_paise = models.BigIntegerField()
    pending_key = models.CharField(max_length=KEY_LENGTH_MAX, null=True, db_collation="C")  # noqa: DJ001
    purpose = models.CharField(max_length=40)
    debit_balance_after_paise = models.BigIntegerField()
    credit_balance_after_paise = models.BigIntegerField()
    posted_at = models.DateTimeField()

    class Meta:
        db_table = "ledger_transfer"
        constraints = [
            models.CheckConstraint(
                name="ledger_transfer_amount_is_positive", condition=Q(amount_paise__gt=0)
            ),
            models.CheckConstraint(
                name="ledger_transfer_accounts_differ",
                condition=~Q(debit_account_id=F("credit_account_id")),
            ),
        ]
        indexes = [
            models.Index(fields=["debit_account_id", "id"], name="ledger_transfer_debit"),
            models.Index(fields=["credit_account_id", "id"], name="ledger_transfer_credit"),
        ]

    def __str__(self) -> str:
        return f"{self.id}"

    @property
    def amount(self) -> Money:
        """What moved."""
        return Money(self.amount_paise)


class TransferKey(models.Model):
    """
    The key under which a transfer happened, with enough of it to tell a repeat from a clash.

    Narrow and not partitioned, since a partitioned table can hold nothing unique but its id. Keys
    are kept as their digests, which are a third as long in the index that every transfer searches.
    """

    digest = models.UUIDField(primary_key=True)
    transfer_id = models.UUIDField()
    kind = models.CharField(max_length=7, choices=[(kind.value, kind.value) for kind in Kind])
    debit_account_id = models.BigIntegerField()
    credit_account_id = models.BigIntegerField()
    amount_paise = models.BigIntegerField()
    pending_digest = models.UUIDField(null=True)
    purpose = models.CharField(max_length=40)

    class Meta:
        db_table = "ledger_transfer_key"
        constraints = [
            models.UniqueConstraint(
                name="ledger_transfer_key_resolves_once",
                fields=["pending_digest"],
                condition=Q(pending_digest__isnull=False),
            ),
            models.CheckConstraint(
                name="ledger_transfer_key_names_its_pending",
                condition=Q(
                    kind__in=[Kind.POST.value, Kind.VOID.value], pending_digest__isnull=False
                )
                | Q(kind__in=[Kind.SINGLE.value, Kind.PENDING.value], pending_digest__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.digest}"

    @staticmethod
    def digest_of(key: str) -> UUID:
        """Return what stands for a key, as the database has it."""
        return UUID(bytes=digest_of(key))
