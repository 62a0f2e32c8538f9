"""The pages of the switch's directory."""

from typing import ClassVar

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.upi.directory_models import PspKey
from apps.upi.models import AccountProvider, DirectoryPull, Psp, VerifiedMerchant


@admin.register(Psp)
class PspAdmin(ReadOnlyAdmin):
    """Who serves which handles."""

    list_display: ClassVar = ["name", "handles", "is_active", "modified_at"]
    search_fields: ClassVar = ["name"]


@admin.register(AccountProvider)
class AccountProviderAdmin(ReadOnlyAdmin):
    """Whose accounts can be linked."""

    list_display: ClassVar = ["name", "ifsc", "iin", "is_active", "registration_format"]
    search_fields: ClassVar = ["name", "=ifsc"]


@admin.register(VerifiedMerchant)
class VerifiedMerchantAdmin(ReadOnlyAdmin):
    """Whose links the network vouches for."""

    list_display: ClassVar = ["name", "address", "url"]
    search_fields: ClassVar = ["name", "=address"]


@admin.register(PspKey)
class PspKeyAdmin(ReadOnlyAdmin):
    """With which keys PSPs sign links, from when until when."""

    list_display: ClassVar = [
        "org_id",
        "owner",
        "key_index",
        "valid_from_at",
        "valid_until_at",
        "fingerprint",
    ]
    search_fields: ClassVar = ["=org_id", "owner", "fingerprint"]


@admin.register(DirectoryPull)
class DirectoryPullAdmin(ReadOnlyAdmin):
    """When each list was pulled, and when it is due again."""

    list_display: ClassVar = [
        "id",
        "state",
        "rows",
        "pulled_at",
        "result_code",
        "next_action_at",
    ]
    exclude: ClassVar = ["claim"]
