"""The directory of peers and their keys, the exchanges on the wire, and the log of messages."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.common import ids
from apps.upi.budget_models import ApiCap, ApiUse, PeakHours
from apps.upi.contracts import DeliveryState
from apps.upi.directory_models import (
    AccountProvider,
    DirectoryPage,
    DirectoryPull,
    Psp,
    VerifiedMerchant,
)
from apps.upi.timer_models import TimerRule

__all__ = [
    "AccountProvider",
    "ApiCap",
    "ApiUse",
    "DirectoryPage",
    "DirectoryPull",
    "Exchange",
    "ExchangeRepeat",
    "MessageLog",
    "Organisation",
    "PeakHours",
    "PeerKey",
    "PinBlock",
    "Psp",
    "TimerRule",
    "VerifiedMerchant",
]

ID_LENGTH_MAX = 35


class Organisation(models.Model):
    """A participant that we exchange messages with: the switch, and whoever it answers for."""

    org_id = models.CharField(primary_key=True, max_length=20)
    name = models.CharField(max_length=99)
    is_up = models.BooleanField(db_default=True)
    heartbeats_missed = models.SmallIntegerField(db_default=0)
    heartbeat_answered_at = models.DateTimeField(null=True)
    # Since when it is up, or down; null: nobody has ever seen it otherwise.
    state_changed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.org_id


class PeerKey(models.Model):
    """A public key of a participant, ours too, and when it may be used. Rows are never edited."""

    class Purpose(models.TextChoices):
        SIGNING = "SIGNING"
        CREDENTIAL = "CREDENTIAL"

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="keys")
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the key's DER form")
    public_pem = models.TextField()
    valid_from_at = models.DateTimeField()
    valid_until_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="peer_key_once", fields=["organisation", "purpose", "fingerprint"]
            ),
            models.CheckConstraint(
                name="peer_key_purpose_is_known",
                condition=Q(purpose__in=["SIGNING", "CREDENTIAL"]),
            ),
            models.CheckConstraint(
                name="peer_key_ends_after_it_begins",
                condition=Q(valid_until_at=None) | Q(valid_until_at__gt=F("valid_from_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation_id} {self.purpose} {self.fingerprint[:16]}"


class Exchange(models.Model):
    """
    One request and its answer on the wire.

    IN: the peer's request; `answer_*` and the delivery are of our answer. OUT: our request, whose
    delivery it is; `answer_*` are of the peer's answer. `answer_id` and `id` name rows of the log.
    """

    class Direction(models.TextChoices):
        IN = "IN"
        OUT = "OUT"

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    direction = models.CharField(max_length=3, choices=Direction.choices)
    organisation = models.CharField(max_length=20)
    api = models.CharField(max_length=30)
    type = models.CharField(max_length=20)
    sub_type = models.CharField(max_length=20, db_default="")
    txn_id = models.CharField(max_length=ID_LENGTH_MAX)
    msg_id = models.CharField(max_length=ID_LENGTH_MAX)
    opened_at = models.DateTimeField()
    body_digest = models.BinaryField(null=True)
    content_digest = models.BinaryField()
    answer_id = models.UUIDField(null=True)
    answer_msg_id = models.CharField(max_length=ID_LENGTH_MAX, db_default="")
    answer_digest = models.BinaryField(null=True)
    answer_content_digest = models.BinaryField(null=True)
    answered_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=10, db_default=DeliveryState.NONE.value)
    delivery_code = models.CharField(max_length=20, db_default="")
    delivered_at = models.DateTimeField(null=True)
    sends = models.SmallIntegerField(db_default=0)
    expires_at = models.DateTimeField(null=True)
    claim = models.UUIDField(null=True)
    next_action_at = models.DateTimeField(null=True)
    attempts = models.SmallIntegerField(db_default=0)
    parked_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="exchange_in_message",
                fields=["organisation", "msg_id"],
                condition=Q(direction="IN"),
            ),
            models.UniqueConstraint(
                name="exchange_in_request",
                fields=["txn_id", "api", "type", "sub_type"],
                condition=Q(direction="IN"),
            ),
            models.UniqueConstraint(
                name="exchange_out_message", fields=["msg_id"], condition=Q(direction="OUT")
            ),
            models.UniqueConstraint(
                name="exchange_out_answer",
                fields=["organisation", "answer_msg_id"],
                condition=Q(direction="OUT", answer_id__isnull=False),
            ),
            models.CheckConstraint(
                name="exchange_direction_is_known", condition=Q(direction__in=["IN", "OUT"])
            ),
            models.CheckConstraint(
                name="exchange_state_fits_direction",
                condition=Q(direction="IN", state__in=["NONE", "DUE", "ACKED", "NACKED", "EXPIRED"])
                | Q(direction="OUT", state__in=["NONE", "ACKED", "NACKED", "NOT_SENT", "SILENT"]),
            ),
            models.CheckConstraint(
                name="exchange_due_has_an_answer",
                condition=~Q(state="DUE")
                | Q(
                    answer_id__isnull=False,
                    expires_at__isnull=False,
                    answered_at__isnull=False,
                ),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                name="exchange_due",
                fields=["next_action_at"],
                condition=Q(next_action_at__isnull=False),
            ),
            models.Index(name="exchange_out_txn", fields=["txn_id"], condition=Q(direction="OUT")),
        ]

    def __str__(self) -> str:
        return f"{self.direction} {self.api} {self.type} {self.txn_id}"


class ExchangeRepeat(models.Model):
    """
    The content of an exchange again, under another msgId.

    It gets the stored answer under its own msgIds, with its own delivery.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    exchange = models.ForeignKey(Exchange, on_delete=models.PROTECT, related_name="repeats")
    organisation = models.CharField(max_length=20)
    msg_id = models.CharField(max_length=ID_LENGTH_MAX)
    body_digest = models.BinaryField()
    received_at = models.DateTimeField()
    answer_msg_id = models.CharField(max_length=ID_LENGTH_MAX)
    answered_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=10, db_default=DeliveryState.NONE.value)
    delivery_code = models.CharField(max_length=20, db_default="")
    delivered_at = models.DateTimeField(null=True)
    sends = models.SmallIntegerField(db_default=0)
    expires_at = models.DateTimeField()
    claim = models.UUIDField(null=True)
    next_action_at = models.DateTimeField(null=True)
    attempts = models.SmallIntegerField(db_default=0)
    parked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "upi_exchange_repeat"
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="exchange_repeat_message", fields=["organisation", "msg_id"]
            ),
            models.CheckConstraint(
                name="exchange_repeat_state_is_known",
                condition=Q(state__in=["NONE", "DUE", "ACKED", "NACKED", "EXPIRED"]),
            ),
            models.CheckConstraint(
                name="exchange_repeat_due_was_answered",
                condition=~Q(state="DUE") | Q(answered_at__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                name="exchange_repeat_due",
                fields=["next_action_at"],
                condition=Q(next_action_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"repeat {self.msg_id}"


class MessageLog(models.Model):
    """
    A message as it came or went, credentials cut out.

    Of a received message the signed parts and the digest stay as they were, so that what was
    signed can still be proved: all but the credentials, which nobody may keep. History.
    """

    class Direction(models.TextChoices):
        IN = "IN"
        OUT = "OUT"

    class Outcome(models.TextChoices):
        ACCEPTED = "ACCEPTED"
        REPEATED = "REPEATED"
        REFUSED = "REFUSED"
        OPENED = "OPENED"

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    logged_at = models.DateTimeField()
    direction = models.CharField(max_length=3, choices=Direction.choices)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    exchange_id = models.UUIDField(null=True)
    organisation = models.CharField(max_length=20, db_default="")
    api = models.CharField(max_length=30, db_default="")
    type = models.CharField(max_length=20, db_default="")
    txn_id = models.CharField(max_length=ID_LENGTH_MAX, db_default="")
    msg_id = models.CharField(max_length=ID_LENGTH_MAX, db_default="")
    body = models.TextField(db_default="")
    body_size = models.IntegerField()
    body_digest = models.BinaryField()
    signed_info = models.TextField(db_default="")
    signature_value = models.TextField(db_default="")
    ack_code = models.CharField(max_length=20, db_default="")
    reason = models.TextField(db_default="")

    class Meta:
        db_table = "upi_message_log"
        indexes: ClassVar = [models.Index(name="message_log_txn", fields=["txn_id"])]

    def __str__(self) -> str:
        return f"{self.direction} {self.api} {self.msg_id}"


class PinBlock(models.Model):
    """
    Credentials on their way through, by exchange (or by the answer that carries them).

    UNLOGGED: not in the write-ahead log, gone after a crash, left out of backups; nor does ANALYZE
    read its values, for statistics are logged. No foreign key, for the row it belongs to is written
    elsewhere and lasts.
    """

    exchange_id = models.UUIDField(primary_key=True)
    credentials = models.JSONField()
    stored_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "upi_pin_block"
        indexes: ClassVar = [models.Index(name="pin_block_age", fields=["stored_at"])]

    def __str__(self) -> str:
        return f"credentials of {self.exchange_id}"
