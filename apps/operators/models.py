"""Staff users, their failed logins, and the log of what they did."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now


class OperatorQuery(BaseUserManager["Operator"]):
    """How operators are made and found."""

    def create_user(
        self, *, email: str, staff_number: str, password: str | None = None, **fields: Any
    ) -> "Operator":
        """Create an operator; without a password nobody can log in as them."""
        operator = self.model(email=email.strip().lower(), staff_number=staff_number, **fields)
        operator.set_password(password)
        operator.save(using=self._db)
        return operator

    def create_superuser(
        self, *, email: str, staff_number: str, password: str | None = None, **fields: Any
    ) -> "Operator":
        """Create an operator with every permission; Django's own command calls this."""
        return self.create_user(
            email=email, staff_number=staff_number, password=password, is_superuser=True, **fields
        )

    def get_by_natural_key(self, username: str | None) -> "Operator":
        """
        Return the operator whose e-mail or staff number this is; case does not matter.

        Raises Operator.DoesNotExist.
        """
        name = (username or "").strip()
        return self.get(Q(email=name.lower()) | Q(staff_number=name.upper()))


class Operator(AbstractBaseUser, PermissionsMixin):
    """A member of the bank's staff who may log in to the back office."""

    email = models.EmailField(unique=True)
    staff_number = models.CharField(
        max_length=16,
        unique=True,
        validators=[RegexValidator(r"^[A-Z0-9]{3,16}\Z", "3 to 16 capital letters and digits")],
    )
    full_name = models.CharField(max_length=100)
    is_active = models.BooleanField(
        default=True, help_text="Without this the operator is logged out and stays out."
    )
    joined_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = OperatorQuery()

    # The device that verified the session; django-otp sets it for each request.
    otp_device: Any = None

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["staff_number", "full_name"]

    class Meta:
        ordering: ClassVar = ["email"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="operator_email_is_lower", condition=Q(email=Lower("email"))
            )
        ]

    def __str__(self) -> str:
        return self.full_name or self.email

    @property
    def is_staff(self) -> bool:
        """Whether the back office may open: every operator is staff."""
        return True

    def is_verified(self) -> bool:
        """Say whether the session that this came with has passed the second factor."""
        return self.otp_device is not None

    def get_full_name(self) -> str:
        """Return the name that pages show."""
        return self.full_name

    def get_short_name(self) -> str:
        """Return the first word of the name."""
        return self.full_name.split(" ")[0]


class LoginGuard(models.Model):
    """How many logins under one name failed in a row, and until when none is tried."""

    name_digest = models.BinaryField(max_length=32, primary_key=True)
    failures = models.SmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return bytes(self.name_digest).hex()[:8]


class AuditEntry(models.Model):
    """
    One thing an operator did, chained to the one before by a hash.

    Append-only; `audit.record` is the only writer. `digest` covers every column and the digest of
    the entry before, so that nothing can be changed, put in or taken out unseen.
    """

    sequence = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=100)
    action = models.CharField(max_length=100)
    target = models.CharField(max_length=200, blank=True)
    detail = models.JSONField(default=dict)
    source_address = models.CharField(max_length=45, blank=True)
    previous_digest = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, unique=True)

    class Meta:
        verbose_name_plural = "audit entries"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.sequence} {self.action}"


class Proposal(models.Model):
    """
    What one officer proposed and another must approve before it is done: a key ceremony, mostly.

    `subject` is the label of a key, or the staff number of an operator. `content_digest` is the
    SHA-256 of what is to be taken in, so that two people mean the same bytes.
    """

    class Action(models.TextChoices):
        CREATE_KEY = "CREATE_KEY", "Make a key"
        IMPORT_KEY = "IMPORT_KEY", "Take in a key that came wrapped"
        DESTROY_KEY = "DESTROY_KEY", "End a key"
        FORGET_FACTOR = "FORGET_FACTOR", "Forget an operator's second factor"

    class State(models.TextChoices):
        PROPOSED = "PROPOSED", "proposed"
        APPROVED = "APPROVED", "approved"
        REJECTED = "REJECTED", "rejected"
        DONE = "DONE", "done"

    action = models.CharField(max_length=13, choices=Action.choices)
    subject = models.CharField(max_length=40)
    content_digest = models.CharField(max_length=64, blank=True)
    ends_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=150)
    state = models.CharField(max_length=8, choices=State.choices, default=State.PROPOSED)
    proposed_by = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_by = models.ForeignKey(Operator, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("view", "add", "change")
        constraints: ClassVar = [
            models.CheckConstraint(
                name="proposal_is_approved_by_another",
                condition=Q(state__in=["PROPOSED", "REJECTED"]) | ~Q(decided_by=F("proposed_by")),
            ),
            models.CheckConstraint(
                name="proposal_decision_is_whole",
                condition=Q(state="PROPOSED", decided_by=None, decided_at=None)
                | (~Q(state="PROPOSED") & Q(decided_by__isnull=False, decided_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="proposal_done_has_its_time",
                condition=Q(state="DONE", done_at__isnull=False)
                | (~Q(state="DONE") & Q(done_at=None)),
            ),
            models.CheckConstraint(
                name="proposal_of_import_names_its_content",
                condition=(Q(action="IMPORT_KEY") & ~Q(content_digest=""))
                | (~Q(action="IMPORT_KEY") & Q(content_digest="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.action} {self.subject}"
