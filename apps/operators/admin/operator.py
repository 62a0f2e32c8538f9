"""Staff users, their roles and their second factor."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django_otp import user_has_device
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.forms import (
    AdminPasswordChangeForm,
    UserChangeForm,
    UserCreationForm,
)
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from apps.operators.change_pages import ChangePage, Line, Preview, serve
from apps.operators.contracts import Author
from apps.operators.models import Operator
from apps.operators.services import audit, decisions


class ForgetFactor(ChangePage):
    """The operator shall enrol a new device; another officer decides."""

    title = "Propose to forget the second factor"
    submit = "Propose it"

    def preview(self, row: Operator, data: dict[str, Any]) -> Preview:
        """Show whose."""
        del data
        state = "enrolled" if user_has_device(row) else "none"
        return Preview(
            [Line(str(row), state, "forgotten, once another officer approves it")],
            "Then the operator is logged out and enrols a new device at the next login.",
        )

    def carry_out(self, row: Operator, data: dict[str, Any], *, author: Author) -> str:
        """Propose it."""
        del data
        made = decisions.propose_to_forget(row, author=author)
        return f"Proposal {made.pk}: another officer decides."


@admin.register(Operator)
class OperatorAdmin(UserAdmin, ModelAdmin):  # type: ignore[misc, type-arg]
    """
    Operators as the security officer sees them.

    Nobody changes their own account here, nobody is deleted, and no page makes a superuser.
    """

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    ordering = ("email",)
    list_display = (
        "full_name",
        "email",
        "staff_number",
        "roles",
        "second_factor",
        "is_active",
        "last_login",
    )
    list_filter = ("groups", "is_active")
    search_fields = ("full_name", "email", "staff_number")
    readonly_fields = ("last_login", "joined_at")
    actions_detail = ("set_password", "forget_second_factor")
    formfield_overrides = {
        models.ManyToManyField: {"widget": UnfoldAdminCheckboxSelectMultipleWidget}
    }
    fieldsets = (
        (None, {"fields": ("full_name", "email", "staff_number")}),
        ("Access", {"fields": ("is_active", "groups", "last_login", "joined_at")}),
    )
    add_fieldsets = (
        (None, {"fields": ("full_name", "email", "staff_number", "groups")}),
        ("First password", {"fields": ("password1", "password2")}),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Operator]:
        """Return the operators with their roles."""
        operators: models.QuerySet[Operator] = super().get_queryset(request)
        return operators.prefetch_related("groups")

    @display(description="Roles")  # type: ignore[untyped-decorator]
    def roles(self, operator: Operator) -> str:
        """Name the operator's roles."""
        return ", ".join(group.name for group in operator.groups.all()) or "none"

    @display(description="Second factor", label={"enrolled": "success", "none": "warning"})  # type: ignore[untyped-decorator]
    def second_factor(self, operator: Operator) -> str:
        """Say whether the operator has enrolled a device."""
        return "enrolled" if user_has_device(operator) else "none"

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Never for oneself: nobody gives themselves a role."""
        is_own = obj is not None and obj.pk == request.user.pk
        return not is_own and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Never: an operator who leaves is made inactive, what they did stays."""
        del request, obj
        return False

    @action(  # type: ignore[untyped-decorator]
        description="Set a password",
        url_path="set-password",
        permissions=["change_this"],
    )
    def set_password(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Open Django's own page for it."""
        del request
        return redirect(reverse("admin:auth_user_password_change", args=[object_id]))

    @action(  # type: ignore[untyped-decorator]
        description="Forget second factor",
        url_path="forget-second-factor",
        permissions=["change_this"],
    )
    def forget_second_factor(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Propose it: with a password set alone, it would give the account away."""
        return serve(self, request, ForgetFactor(), object_id=object_id)

    def has_change_this_permission(self, request: HttpRequest, object_id: str) -> bool:
        """Whoever may change this operator; unfold gives the id, not the row."""
        operator = Operator.objects.filter(pk=object_id).first()
        return operator is not None and self.has_change_permission(request, operator)

    def log_addition(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        """Write the audit log beside Django's own."""
        _record(request, "operator_added", obj, message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        """Write the audit log beside Django's own."""
        _record(request, "operator_changed", obj, message)
        return super().log_change(request, obj, message)


def _actor(request: HttpRequest) -> str:
    assert isinstance(request.user, Operator) or hasattr(request.user, "email")
    return str(request.user.email)


def _record(request: HttpRequest, name: str, obj: models.Model, message: Any) -> None:
    assert isinstance(obj, Operator)
    changes: Sequence[Any] = message if isinstance(message, list) else [str(message)]
    audit.record(
        actor=_actor(request),
        action=name,
        target=obj.staff_number,
        detail={
            "changes": [str(change) for change in changes],
            "roles": sorted(obj.groups.values_list("name", flat=True)),
            "is_active": str(obj.is_active),
        },
        source_address=request.META.get("REMOTE_ADDR", ""),
    )
