"""Payment addresses of this bank's handles."""

from django.db import models
from django.db.models import F, Q

from apps.common import ids
from apps.customers.models import Customer
from apps.vpa.contracts import ClosedBy, VpaKind
from apps.vpa.states import VerificationState

# ASCII, lower case: two addresses that look alike must be one (upi-protocol 6.1).
ADDRESS = r"^[a-z0-9][a-z0-9.\-_]{0,253}@[a-z][a-z0-9.]{1,63}$"


class Vpa(models.Model):
    """
    An address, the account behind it, and the name that the bank vouches for.

    `reserved_address` is the address for as long as nobody else may have it: while the row is
    active, and for months after. It is what makes addresses unique; the history stays.
    """

    class State(models.TextChoices):
        """Whether money can be sent to the address."""

        ACTIVE = "ACTIVE"
        INACTIVE = "INACTIVE"

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    address = models.CharField(max_length=255, db_index=True)
    reserved_address = models.CharField(max_length=255, unique=True, null=True)  # noqa: DJ001
    # None for a merchant: its address belongs to the bank's onboarding, not to an app's user.
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="vpas", null=True)
    kind = models.CharField(max_length=6, choices=[(kind, kind) for kind in VpaKind])
    mcc = models.CharField(max_length=4)
    account_number = models.CharField(max_length=30)
    ifsc = models.CharField(max_length=11)
    account_type = models.CharField(max_length=12)
    verified_name = models.CharField(max_length=99)
    state = models.CharField(max_length=8, choices=State, default=State.ACTIVE)
    created_at = models.DateTimeField()
    deactivated_at = models.DateTimeField(null=True)
    # An address may be good until an instant only, and its owner or we may close it for a while.
    expires_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.CharField(
        max_length=5, choices=[(who.value, who.value) for who in ClosedBy], blank=True, default=""
    )
    # The merchant block of the wire (upi-protocol 2.3); empty for a person.
    merchant_id_code = models.CharField(max_length=20, blank=True)
    store_id_code = models.CharField(max_length=20, blank=True)
    terminal_id_code = models.CharField(max_length=20, blank=True)
    merchant_type = models.CharField(max_length=5, blank=True)
    merchant_genre = models.CharField(max_length=7, blank=True)
    onboarding_type = models.CharField(max_length=10, blank=True)
    brand_name = models.CharField(max_length=20, blank=True)
    legal_name = models.CharField(max_length=20, blank=True)
    franchise_name = models.CharField(max_length=20, blank=True)
    ownership = models.CharField(max_length=11, blank=True)

    class Meta:
        verbose_name = "VPA"
        verbose_name_plural = "VPAs"
        constraints = [
            models.CheckConstraint(
                name="vpa_address_is_ascii_lower_case", condition=Q(address__regex=ADDRESS)
            ),
            models.CheckConstraint(
                name="vpa_active_address_is_reserved",
                condition=Q(state="INACTIVE")
                | Q(reserved_address=F("address"), reserved_address__isnull=False),
            ),
            models.CheckConstraint(
                name="vpa_is_deactivated_at_an_instant",
                condition=Q(state="ACTIVE", deactivated_at__isnull=True)
                | Q(state="INACTIVE", deactivated_at__isnull=False),
            ),
            models.CheckConstraint(
                name="vpa_is_closed_by_somebody_known",
                condition=Q(closed_by__in=["", "OWNER", "PSP"]),
            ),
            models.CheckConstraint(
                name="vpa_merchant_block_is_an_entitys",
                condition=Q(kind="PERSON", mcc="0000", customer__isnull=False, ownership="")
                | (Q(kind="ENTITY", customer__isnull=True) & ~Q(ownership="")),
            ),
        ]
        indexes = [models.Index(name="vpa_of_customer", fields=["customer", "created_at"])]

    def __str__(self) -> str:
        return ids.public_id("vpa", self.id)


class Verification(models.Model):
    """
    The question whose an address is, asked of the address's PSP before somebody pays to it.

    `client` is who asked, in the scope of its idempotency keys; nobody else may read the answer.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    client = models.CharField(max_length=60)
    payer_address = models.CharField(max_length=255)
    payer_name = models.CharField(max_length=99)
    payer_type = models.CharField(max_length=6, choices=[(kind, kind) for kind in VpaKind])
    payer_code = models.CharField(max_length=4)
    address = models.CharField(max_length=255)
    transaction_id = models.CharField(max_length=35, unique=True)
    exchange_id = models.UUIDField(unique=True)
    state = models.CharField(
        max_length=8,
        choices=[(state, state) for state in VerificationState],
        default=VerificationState.CREATED,
    )
    result_code = models.CharField(max_length=20, blank=True)
    verified_name = models.CharField(max_length=99, blank=True)
    kind = models.CharField(max_length=6, blank=True)
    mcc = models.CharField(max_length=4, blank=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    claim = models.UUIDField(null=True)
    next_action_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    parked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="verification_ends_at_an_instant",
                condition=Q(state__in=["VERIFIED", "REFUSED"], ended_at__isnull=False)
                | (~Q(state__in=["VERIFIED", "REFUSED"]) & Q(ended_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="verification_names_whom_it_found",
                condition=~Q(state="VERIFIED") | ~Q(verified_name=""),
            ),
        ]
        indexes = [
            models.Index(
                name="verification_due",
                fields=["next_action_at"],
                condition=Q(next_action_at__isnull=False, parked_at__isnull=True),
            ),
            models.Index(name="verification_of_client", fields=["client", "address", "created_at"]),
        ]

    def __str__(self) -> str:
        return ids.public_id("ver", self.id)
