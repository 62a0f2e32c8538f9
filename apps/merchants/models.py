"""Merchants, their keys and orders, and the webhooks that tell them of payments."""

import datetime as dt

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import HashIndex
from django.db import models
from django.db.models import Q

from apps.common import ids
from apps.merchants.contracts import QrStatus, Verdict
from apps.vpa.models import Vpa


class Merchant(models.Model):
    """A business that the bank onboarded to be paid by UPI."""

    class State(models.TextChoices):
        """Whether the merchant may take payments."""

        ACTIVE = "ACTIVE"
        SUSPENDED = "SUSPENDED"

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    name = models.CharField(max_length=99)
    vpa = models.OneToOneField(Vpa, on_delete=models.PROTECT, related_name="merchant")
    state = models.CharField(max_length=9, choices=State, default=State.ACTIVE)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return ids.public_id("mer", self.id)


class ApiKey(models.Model):
    """A secret that a merchant's server authenticates with; we keep only its code by the HSM."""

    class State(models.TextChoices):
        """Whether the key opens anything."""

        ACTIVE = "ACTIVE"
        REVOKED = "REVOKED"

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="keys")
    name = models.CharField(max_length=60)
    secret_code = models.BinaryField(max_length=32)
    is_live = models.BooleanField()
    scopes = ArrayField(models.CharField(max_length=20))
    state = models.CharField(max_length=7, choices=State, default=State.ACTIVE)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "API key"
        verbose_name_plural = "API keys"
        constraints = [
            models.CheckConstraint(
                name="api_key_is_revoked_at_an_instant",
                condition=Q(state="ACTIVE", revoked_at__isnull=True)
                | Q(state="REVOKED", revoked_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return ids.public_id("key", self.id)


class Order(models.Model):
    """What a merchant expects to be paid, once; `reference` is the wire's Txn/@refId."""

    class State(models.TextChoices):
        """EXPIRED is not stored: an order unpaid after `expires_at` has expired by itself."""

        CREATED = "CREATED"
        PAID = "PAID"

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="orders")
    is_live = models.BooleanField()
    reference = models.CharField(max_length=35, db_collation="C")
    amount_paise = models.BigIntegerField()
    note = models.CharField(max_length=50, blank=True)
    metadata = models.JSONField(default=dict)
    state = models.CharField(max_length=7, choices=State, default=State.CREATED)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)
    transaction_id = models.CharField(max_length=35, unique=True, null=True)  # noqa: DJ001
    rrn = models.CharField(max_length=12, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="order_reference_is_unique_per_merchant",
                fields=["merchant", "is_live", "reference"],
            ),
            models.CheckConstraint(
                name="order_amount_is_positive", condition=Q(amount_paise__gt=0)
            ),
            models.CheckConstraint(
                name="order_is_paid_by_a_transaction",
                condition=Q(state="CREATED", paid_at__isnull=True, transaction_id__isnull=True)
                | Q(state="PAID", paid_at__isnull=False, transaction_id__isnull=False),
            ),
        ]
        indexes = [models.Index(name="orders_of_merchant", fields=["merchant", "is_live", "id"])]

    def __str__(self) -> str:
        return ids.public_id("ord", self.id)


class QrCode(models.Model):
    """
    A QR code of a merchant, as it was made: to be shown and printed again, sign for sign.

    A static code asks for no amount and lives on unless it was given an end; a dynamic one is for
    one order. A code that its merchant called back is revoked for good.
    """

    class Kind(models.TextChoices):
        """Whether the code is for everybody or for one order."""

        STATIC = "STATIC", "static"
        DYNAMIC = "DYNAMIC", "dynamic"

    class Format(models.TextChoices):
        """A signed `upi://` link, or an EMV code, which cannot be signed."""

        UPI = "UPI", "UPI link"
        BHARATQR = "BHARATQR", "BharatQR"

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="qr_codes")
    kind = models.CharField(max_length=7, choices=Kind)
    format = models.CharField(max_length=8, choices=Format)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="qr_codes", null=True)
    store_code = models.CharField(max_length=20, blank=True)
    terminal_code = models.CharField(max_length=20, blank=True)
    payload = models.CharField(max_length=2048)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "QR code"
        verbose_name_plural = "QR codes"
        constraints = [
            models.CheckConstraint(
                name="qr_code_is_dynamic_for_an_order",
                condition=Q(kind="STATIC", order__isnull=True)
                | Q(kind="DYNAMIC", order__isnull=False, expires_at__isnull=False),
            )
        ]
        indexes = [
            models.Index(name="qr_codes_of_merchant", fields=["merchant", "id"]),
            HashIndex(name="qr_codes_by_payload", fields=["payload"]),
        ]

    def __str__(self) -> str:
        return ids.public_id("qr", self.id)

    def status(self, *, at: dt.datetime) -> QrStatus:
        """Return how the code stands at an instant."""
        if self.revoked_at is not None:
            return QrStatus.REVOKED
        has_ended = self.expires_at is not None and at > self.expires_at
        return QrStatus.EXPIRED if has_ended else QrStatus.ACTIVE


class OrderFulfilment(models.Model):
    """What one payment did for the order that it named; a transaction is judged once."""

    transaction_id = models.CharField(primary_key=True, max_length=35)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="fulfilments")
    verdict = models.CharField(max_length=14, choices=[(verdict, verdict) for verdict in Verdict])
    amount_paise = models.BigIntegerField()
    rrn = models.CharField(max_length=12)
    paid_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="order_is_paid_once", fields=["order"], condition=Q(verdict="PAID")
            )
        ]

    def __str__(self) -> str:
        return f"{self.transaction_id} {self.verdict}"


class WebhookEndpoint(models.Model):
    """
    Where a merchant wants to be told.

    The signing secret is derived by the HSM from the id and `secret_version`: it is not stored.
    """

    class State(models.TextChoices):
        """Whether we call it."""

        ACTIVE = "ACTIVE"
        DISABLED = "DISABLED"
        DELETED = "DELETED"

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="webhooks")
    is_live = models.BooleanField()
    url = models.CharField(max_length=2048)
    secret_version = models.PositiveSmallIntegerField(default=1)
    # The secret before the last rotation signs too until then.
    previous_secret_until_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=8, choices=State, default=State.ACTIVE)
    created_at = models.DateTimeField()
    failing_since_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return ids.public_id("whk", self.id)


class WebhookDelivery(models.Model):
    """One fact for one endpoint: the bytes that are signed and sent, however often."""

    class State(models.TextChoices):
        """Where the delivery stands."""

        PENDING = "PENDING"
        DELIVERED = "DELIVERED"
        FAILED = "FAILED"

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.PROTECT, related_name="deliveries"
    )
    event_id = models.UUIDField()
    event_type = models.CharField(max_length=40)
    body = models.BinaryField()
    state = models.CharField(max_length=9, choices=State, default=State.PENDING)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    claim = models.UUIDField(null=True)
    next_action_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    parked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "webhook delivery"
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.UniqueConstraint(
                name="event_is_delivered_once_per_endpoint", fields=["endpoint", "event_id"]
            )
        ]
        indexes = [
            models.Index(
                name="webhook_delivery_due",
                fields=["next_action_at"],
                condition=Q(next_action_at__isnull=False),
            ),
            models.Index(
                name="webhook_delivery_pending",
                fields=["endpoint"],
                condition=Q(state="PENDING"),
            ),
        ]

    def __str__(self) -> str:
        return ids.public_id("whd", self.id)


class WebhookAttempt(models.Model):
    """One POST of a delivery and what came of it."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    delivery = models.ForeignKey(
        WebhookDelivery, on_delete=models.PROTECT, related_name="attempts_made"
    )
    attempted_at = models.DateTimeField()
    elapsed_ms = models.PositiveIntegerField()
    outcome = models.CharField(max_length=24)
    http_status = models.PositiveSmallIntegerField(null=True)

    def __str__(self) -> str:
        return f"{self.outcome} {self.http_status or ''}".strip()


class Announcement(models.Model):
    """What the network's list of verified merchants was last asked to say of a merchant of ours."""

    class State(models.TextChoices):
        """What came of it; a refused one is announced anew."""

        ASKED = "ASKED"
        LISTED = "LISTED"
        REMOVED = "REMOVED"
        REFUSED = "REFUSED"

    merchant = models.OneToOneField(
        Merchant, on_delete=models.PROTECT, primary_key=True, related_name="announcement"
    )
    operation = models.CharField(max_length=6)
    # SHA-256 over name, address and keys: what differs from it is announced again.
    content = models.CharField(max_length=64)
    state = models.CharField(max_length=7, choices=State, default=State.ASKED)
    exchange_id = models.UUIDField()
    result_code = models.CharField(max_length=20, blank=True)
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.operation} {self.merchant_id}"
