"""What the switch lists once a day: PSPs and their keys, account providers, verified merchants."""

import datetime as dt
from enum import StrEnum
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q


class DirectoryList(StrEnum):
    """A list of the switch's directory."""

    PSPS = "PSPS"
    PROVIDERS = "PROVIDERS"
    KEYS = "KEYS"
    PSP_KEYS = "PSP_KEYS"
    MERCHANTS = "MERCHANTS"


class PullState(StrEnum):
    """Whether a list is being asked for: ASKED waits for one page of it."""

    IDLE = "IDLE"
    ASKED = "ASKED"


class DirectoryPull(models.Model):
    """
    When a list was pulled, and when it is due again.

    `pages` are those of a pull under way; the rows of a list change at its last page, all at once,
    so a pull that fails leaves the old ones.
    """

    id = models.CharField(
        primary_key=True, max_length=9, choices=[(name.value, name.value) for name in DirectoryList]
    )
    state = models.CharField(max_length=5, default=PullState.IDLE.value)
    exchange_id = models.UUIDField(null=True, unique=True)
    pages = models.SmallIntegerField(default=0)
    begun_at = models.DateTimeField(null=True)
    result_code = models.CharField(max_length=20, default="")
    pulled_at = models.DateTimeField(null=True)
    rows = models.IntegerField(default=0)
    claim = models.UUIDField(null=True)
    next_action_at = models.DateTimeField(null=True)
    attempts = models.SmallIntegerField(default=0)
    parked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "directory pull"
        db_table = "upi_directory_pull"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="directory_pull_list_is_known",
                condition=Q(id__in=[name.value for name in DirectoryList]),
            ),
            models.CheckConstraint(
                name="directory_pull_asks_on_an_exchange",
                condition=Q(state="IDLE") | Q(state="ASKED", exchange_id__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                name="directory_pull_due",
                fields=["next_action_at"],
                condition=Q(next_action_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.id


class DirectoryPage(models.Model):
    """One page of a pull under way, until the last page is there."""

    pull = models.ForeignKey(DirectoryPull, on_delete=models.CASCADE, related_name="stored_pages")
    number = models.SmallIntegerField()
    entries = models.JSONField()

    class Meta:
        db_table = "upi_directory_page"
        constraints: ClassVar = [
            models.UniqueConstraint(name="directory_page_once", fields=["pull", "number"])
        ]

    def __str__(self) -> str:
        return f"{self.pull_id} page {self.number}"


class Psp(models.Model):
    """A PSP of the network and the handles that are its own."""

    name = models.CharField(max_length=99, unique=True)
    handles = ArrayField(models.CharField(max_length=64))
    is_active = models.BooleanField()
    versions = ArrayField(models.CharField(max_length=7), default=list)
    modified_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "PSP"
        db_table = "upi_psp"

    def __str__(self) -> str:
        return self.name


class AccountProvider(models.Model):
    """A bank whose accounts can be linked, and how it registers a PIN."""

    ifsc = models.CharField(max_length=11, unique=True)
    iin = models.CharField(max_length=11)
    name = models.CharField(max_length=99)
    is_active = models.BooleanField()
    products = ArrayField(models.CharField(max_length=20), default=list)
    registration_format = models.CharField(max_length=20, default="")
    versions = ArrayField(models.CharField(max_length=7), default=list)
    modified_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "account provider"
        db_table = "upi_account_provider"

    def __str__(self) -> str:
        return self.name


class VerifiedMerchant(models.Model):
    """
    A merchant whom the network vouches for, and the keys that sign its links.

    `keys` are `{"code", "type", "key_index", "value"}` as the switch lists them.
    """

    address = models.CharField(max_length=255, unique=True)
    name = models.CharField(max_length=99)
    logo = models.CharField(max_length=255, default="")
    url = models.CharField(max_length=255, default="")
    keys = models.JSONField(default=list)

    class Meta:
        verbose_name = "verified merchant"
        db_table = "upi_verified_merchant"

    def __str__(self) -> str:
        return self.name


class PspKey(models.Model):
    """
    A key with which a PSP signs links: from the day that its index names, until it is not listed.

    `org_id` is the signer that a link names, `owner` the PSP as the list of PSPs names it; `value`
    is the key's DER in base64. A key that is listed no more stays, so that it is known as one.
    """

    org_id = models.CharField(max_length=20)
    owner = models.CharField(max_length=99)
    key_index = models.CharField(max_length=20)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the key's DER form")
    value = models.TextField()
    valid_from_at = models.DateTimeField()
    valid_until_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "PSP key"
        db_table = "upi_psp_key"
        constraints: ClassVar = [
            models.UniqueConstraint(name="psp_key_once", fields=["org_id", "fingerprint"])
        ]

    def __str__(self) -> str:
        return f"{self.org_id} {self.key_index} {self.fingerprint[:16]}"

    def is_valid(self, *, at: dt.datetime) -> bool:
        """Tell whether the key counts at an instant."""
        return self.valid_from_at <= at and (
            self.valid_until_at is None or at < self.valid_until_at
        )
