"""
Pages by which operators change something: fill in, look at what will change, confirm.

A page only asks and shows; what it carries out is a service, which locks, decides, and writes the
audit log. An approval by a second person comes between the two, where `carry_out` is called.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from apps.common.errors import DomainError
from apps.operators.contracts import Author
from apps.operators.models import Operator

# The browser's own pickers: they need no script of ours.
_INPUT = UnfoldAdminTextInputWidget
REASON_LENGTH_MIN = 10
REASON_LENGTH_MAX = 150
_SEEN = "seen"
_LAST = ("begins", "begins_at", "ends_at", "reason")
_TEMPLATE = "operators/change.html"


class DayField(forms.DateField):
    """An Indian day."""

    def __init__(self, **options: Any) -> None:
        """Ask by the browser's own picker."""
        super().__init__(
            widget=_INPUT(attrs={"type": "date"}), input_formats=["%Y-%m-%d"], **options
        )


class InstantField(forms.DateTimeField):
    """An instant by the Indian clock, to the minute."""

    def __init__(self, **options: Any) -> None:
        """Ask by the browser's own picker."""
        super().__init__(
            widget=_INPUT(attrs={"type": "datetime-local"}),
            input_formats=["%Y-%m-%dT%H:%M"],
            **options,
        )


class ChoiceField(forms.ChoiceField):
    """One of a few words."""

    def __init__(self, *, choices: Sequence[tuple[str, str]], **options: Any) -> None:
        """Ask by a list that nothing is chosen from yet."""
        super().__init__(
            choices=[("", "choose"), *choices], widget=UnfoldAdminSelectWidget(), **options
        )


class TextField(forms.CharField):
    """A line of text."""

    def __init__(self, **options: Any) -> None:
        """Ask by a line of the pages' own look."""
        super().__init__(widget=_INPUT(), **options)


class NumberField(forms.IntegerField):
    """A whole number."""

    def __init__(self, **options: Any) -> None:
        """Ask by a line that shows digits on telephones."""
        super().__init__(widget=_INPUT(attrs={"inputmode": "numeric"}), **options)


class RupeesField(forms.DecimalField):
    """An amount in rupees and paise."""

    def __init__(self, **options: Any) -> None:
        """Ask by a line that shows digits on telephones."""
        super().__init__(
            widget=_INPUT(attrs={"inputmode": "decimal"}),
            max_digits=12,
            decimal_places=2,
            min_value=Decimal("0.01"),
            **options,
        )


class ChangeForm(forms.Form):
    """What every change asks for: why."""

    reason = forms.CharField(
        min_length=REASON_LENGTH_MIN,
        max_length=REASON_LENGTH_MAX,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Kept with the change for whoever asks later: the order, the case, the circular.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Put what a page adds first, then when, and the reason last."""
        super().__init__(*args, **kwargs)
        added = [name for name in self.fields if name not in _LAST]
        self.order_fields([*added, *_LAST])


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that will change: how it is now, and how it will be."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change will do; `seen` proves later that nobody changed it in between."""

    lines: Sequence[Line]
    effect: str
    seen: str = ""


class ChangePage(ABC):
    """One change that operators can make; `row` is the one that it is about, None for a new one."""

    title: ClassVar[str]
    submit: ClassVar[str]
    form: ClassVar[type[ChangeForm]] = ChangeForm

    def initial(self, row: Any) -> dict[str, Any]:
        """Return what the form begins with."""
        del row
        return {}

    @abstractmethod
    def preview(self, row: Any, data: dict[str, Any]) -> Preview:
        """Say what the change would do. Raises DomainError when it cannot be made."""

    @abstractmethod
    def carry_out(self, row: Any, data: dict[str, Any], *, author: Author) -> str:
        """Make the change, and say in a sentence what was done. Raises DomainError."""


def may(permission: str) -> Callable[..., bool]:
    """Return the method by which an admin page asks whether an operator has a permission."""

    def has_permission(page: object, request: HttpRequest, object_id: str | None = None) -> bool:
        del page, object_id
        return bool(request.user.has_perm(permission))

    return has_permission


def serve(
    admin: "ModelAdmin[Any]", request: HttpRequest, page: ChangePage, *, object_id: str = ""
) -> HttpResponse:
    """
    Show the form, then what would change, then carry it out: each step by one more request.

    The caller has asked for the permission.
    """
    row = admin.get_object(request, object_id) if object_id else None
    if object_id and row is None:
        raise Http404
    if request.method != "POST":
        return _render(admin, request, page, page.form(initial=page.initial(row)))
    form = page.form(request.POST)
    if not form.is_valid():
        return _render(admin, request, page, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        if _SEEN not in request.POST:
            preview = page.preview(row, form.cleaned_data)
            return _render(admin, request, page, form, preview=preview)
        done = page.carry_out(row, form.cleaned_data, author=_author(request, form))
    except DomainError as error:
        form.add_error(None, error.detail)
        return _render(admin, request, page, form, status=error.http_status)
    messages.success(request, done)
    return HttpResponseRedirect(_list_of(admin))


def _author(request: HttpRequest, form: ChangeForm) -> Author:
    assert isinstance(request.user, Operator)
    return Author(
        operator=request.user.email,
        staff_number=request.user.staff_number,
        seen=request.POST[_SEEN],
        reason=" ".join(form.cleaned_data["reason"].split()),
        source_address=request.META.get("REMOTE_ADDR", ""),
    )


def _list_of(admin: "ModelAdmin[Any]") -> str:
    options = admin.opts
    return reverse(f"admin:{options.app_label}_{options.model_name}_changelist")


def _render(
    admin: "ModelAdmin[Any]",
    request: HttpRequest,
    page: ChangePage,
    form: ChangeForm,
    *,
    preview: Preview | None = None,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": page.title,
        "page": page,
        "form": form,
        "preview": preview,
        "list_url": _list_of(admin),
    }
    return TemplateResponse(request, _TEMPLATE, context, status=status)
