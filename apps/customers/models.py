"""The PSP's customers, the devices they pay with, their linked accounts, and what they ask."""

from django.db import models
from django.db.models import Q

from apps.common import ids
from apps.customers.states import RequestKind, RequestState, TokenKind

MOBILE = r"^91[6-9][0-9]{9}$"


class Customer(models.Model):
    """A person who uses the bank's app."""

    class State(models.TextChoices):
        """Whether the person is still a customer."""

        ACTIVE = "ACTIVE"
        CLOSED = "CLOSED"

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    mobile = models.CharField(max_length=12)
    name = models.CharField(max_length=99)
    state = models.CharField(max_length=6, choices=State, default=State.ACTIVE)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="customer_mobile_is_one_active_customer",
                fields=["mobile"],
                condition=Q(state="ACTIVE"),
            ),
            models.CheckConstraint(
                name="customer_mobile_is_indian", condition=Q(mobile__regex=MOBILE)
            ),
        ]

    def __str__(self) -> str:
        return ids.public_id("cus", self.id)


class Device(models.Model):
    """A phone bound to a customer: its key signs the challenges that begin sessions."""

    class State(models.TextChoices):
        """Whether the phone may act for the customer."""

        BOUND = "BOUND"
        REVOKED = "REVOKED"

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="devices")
    public_key_pem = models.TextField()
    identifier = models.CharField(max_length=35)
    os = models.CharField(max_length=20)
    app = models.CharField(max_length=20)
    capability = models.CharField(max_length=99)
    location = models.CharField(max_length=40)
    geocode = models.CharField(max_length=15)
    ip = models.GenericIPAddressField()
    state = models.CharField(max_length=7, choices=State, default=State.BOUND)
    # Counts the sessions begun and ended; a token carries the number it was made under.
    session_number = models.PositiveIntegerField(default=0)
    bound_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="customer_has_one_bound_device",
                fields=["customer"],
                condition=Q(state="BOUND"),
            ),
            models.CheckConstraint(
                name="device_is_revoked_at_an_instant",
                condition=Q(state="BOUND", revoked_at__isnull=True)
                | Q(state="REVOKED", revoked_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return ids.public_id("dev", self.id)


class LinkedAccount(models.Model):
    """A bank account that the customer pays from and is paid into."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="accounts")
    account_number = models.CharField(max_length=30)
    ifsc = models.CharField(max_length=11)
    account_type = models.CharField(max_length=12)
    holder_name = models.CharField(max_length=99)
    is_default = models.BooleanField(default=False)
    linked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="account_is_linked_once_per_customer",
                fields=["customer", "ifsc", "account_number"],
            ),
            models.UniqueConstraint(
                name="customer_has_one_default_account",
                fields=["customer"],
                condition=Q(is_default=True),
            ),
        ]

    def __str__(self) -> str:
        return ids.public_id("acc", self.id)


class AccountRequest(models.Model):
    """
    A question to the account's bank: an OTP, a PIN registration or change, the balance.

    The credential blocks are in upi.PinBlock only; the balance is never in this database.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="requests")
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey(LinkedAccount, on_delete=models.PROTECT, related_name="requests")
    kind = models.CharField(max_length=16, choices=[(kind, kind) for kind in RequestKind])
    transaction_id = models.CharField(max_length=35, unique=True)
    # Of the card, only what the registration message asks for, and only until it is sent.
    card_digits = models.CharField(max_length=6, blank=True)
    card_expiry = models.CharField(max_length=4, blank=True)
    # Our outbound exchange; also where the credential blocks wait.
    exchange_id = models.UUIDField(unique=True)
    state = models.CharField(
        max_length=7,
        choices=[(state, state) for state in RequestState],
        default=RequestState.CREATED,
    )
    result_code = models.CharField(max_length=20, blank=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    claim = models.UUIDField(null=True)
    next_action_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    parked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="account_request_ends_at_an_instant",
                condition=Q(state__in=["SUCCESS", "FAILED"], ended_at__isnull=False)
                | (~Q(state__in=["SUCCESS", "FAILED"]) & Q(ended_at__isnull=True)),
            ),
        ]
        indexes = [
            models.Index(
                name="account_request_due",
                fields=["next_action_at"],
                condition=Q(next_action_at__isnull=False, parked_at__isnull=True),
            ),
            models.Index(
                name="balance_enquiries_of_a_day",
                fields=["customer", "created_at"],
                condition=Q(kind="BALANCE"),
            ),
        ]

    def __str__(self) -> str:
        return ids.public_id("arq", self.id)


class AccountListing(models.Model):
    """A question to a bank: which accounts has this customer's mobile number there."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="listings")
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="+")
    ifsc = models.CharField(max_length=11)
    transaction_id = models.CharField(max_length=35, unique=True)
    exchange_id = models.UUIDField(unique=True)
    state = models.CharField(
        max_length=7,
        choices=[(state, state) for state in RequestState],
        default=RequestState.CREATED,
    )
    result_code = models.CharField(max_length=20, blank=True)
    created_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True)
    claim = models.UUIDField(null=True)
    next_action_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    parked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="account_listing_ends_at_an_instant",
                condition=Q(state__in=["SUCCESS", "FAILED"], ended_at__isnull=False)
                | (~Q(state__in=["SUCCESS", "FAILED"]) & Q(ended_at__isnull=True)),
            ),
            models.UniqueConstraint(
                name="account_listing_is_asked_once_at_a_time",
                fields=["customer", "ifsc"],
                condition=Q(state__in=["CREATED", "SENDING"]),
            ),
        ]
        indexes = [
            models.Index(
                name="account_listing_due",
                fields=["next_action_at"],
                condition=Q(next_action_at__isnull=False, parked_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return ids.public_id("lst", self.id)


class DeviceToken(models.Model):
    """
    A registration of a phone's common library with the switch, by its challenge.

    The challenge waits in upi.PinBlock until it is sent. `check_value` is the switch's answer, by
    which the library knows itself registered.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="tokens")
    kind = models.CharField(max_length=7, choices=[(kind, kind) for kind in TokenKind])
    transaction_id = models.CharField(max_length=35, unique=True)
    exchange_id = models.UUIDField(unique=True)
    state = models.CharField(
        max_length=7,
        choices=[(state, state) for state in RequestState],
        default=RequestState.CREATED,
    )
    result_code = models.CharField(max_length=20, blank=True)
    check_value = models.CharField(max_length=44, blank=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    claim = models.UUIDField(null=True)
    next_action_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    parked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="device_token_ends_at_an_instant",
                condition=Q(state__in=["SUCCESS", "FAILED"], ended_at__isnull=False)
                | (~Q(state__in=["SUCCESS", "FAILED"]) & Q(ended_at__isnull=True)),
            ),
        ]
        indexes = [
            models.Index(name="device_tokens_of_a_day", fields=["device", "created_at"]),
            models.Index(
                name="device_token_due",
                fields=["next_action_at"],
                condition=Q(next_action_at__isnull=False, parked_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return ids.public_id("dtk", self.id)


class FoundAccount(models.Model):
    """
    An account that a bank found for a customer, until they link it or the listing is old.

    `credentials` are those that the account takes: `{"type", "sub_type", "digits"}`.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    listing = models.ForeignKey(AccountListing, on_delete=models.CASCADE, related_name="accounts")
    place = models.PositiveSmallIntegerField()
    account_number = models.CharField(max_length=30)
    ifsc = models.CharField(max_length=11)
    account_type = models.CharField(max_length=12)
    holder_name = models.CharField(max_length=99)
    has_pin = models.BooleanField()
    credentials = models.JSONField(default=list)

    def __str__(self) -> str:
        return ids.public_id("fac", self.id)
