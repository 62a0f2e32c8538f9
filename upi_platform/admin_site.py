"""The back office's site: nobody sees a page of it without a second factor."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.admin import ModelAdmin, site
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django_otp import login as verify_session
from django_otp import user_has_device
from unfold.sites import UnfoldAdminSite

from apps.common import clock
from apps.operators.errors import CodeRefusedError
from apps.operators.forms import EnrolForm, LoginForm
from apps.operators.models import Operator
from apps.operators.services import audit, enrol
from upi_platform.backoffice_home import home

# Registered by their own apps, but their pages would show secrets or go round our services.
_KEPT_OUT = frozenset({"otp_totp.totpdevice", "otp_static.staticdevice", "auth.group"})

# The sidebar: title, and the apps whose pages stand under it. What nobody named comes last.
_GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Payments", ("payments",)),
    ("Settlement", ("settlement",)),
    ("Customers and merchants", ("customers", "vpa", "merchants")),
    ("Accounts and books", ("accounts", "ledger", "risk")),
    ("Network", ("upi",)),
    ("Platform", ("messaging",)),
    ("Staff", ("operators",)),
)
_ICONS: Mapping[str, str] = {
    "payments.transaction": "swap_horiz",
    "payments.leg": "route",
    "settlement": "balance",
    "customers.customer": "person",
    "customers": "smartphone",
    "vpa": "alternate_email",
    "merchants.merchant": "storefront",
    "merchants.order": "receipt_long",
    "merchants.qrcode": "qr_code_2",
    "merchants": "webhook",
    "accounts": "account_balance_wallet",
    "ledger": "menu_book",
    "risk": "gavel",
    "upi": "hub",
    "messaging.outboxevent": "outbox",
    "messaging.deadletter": "report",
    "operators.operator": "badge",
    "operators.auditentry": "history",
    "operators.proposal": "key",
}
_ICON = "table"
_BEGUN_AT = "begun_at"


class PlatformAdminSite(UnfoldAdminSite):  # type: ignore[misc]
    """Every page of the back office."""

    login_form: ClassVar = LoginForm
    login_template = "operators/login.html"
    index_template = "operators/index.html"
    index_title = "Home"

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: "type[ModelAdmin[Any]] | None" = None,
        **options: Any,
    ) -> None:
        """Register pages as usual, but not those kept out."""
        given = model_or_iterable
        models = [given] if isinstance(given, type) else list(given)
        wanted = [model for model in models if model._meta.label_lower not in _KEPT_OUT]
        if wanted:
            super().register(wanted, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether this session has passed both factors."""
        operator = request.user
        return bool(operator.is_active and super().has_permission(request)) and _is_verified(
            request
        )

    def extra_urls(self) -> list[URLPattern]:
        """Add the enrolment page."""
        return [path("enrol/", self.enrol, name="enrol")]

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Show how things stand, and the pages."""
        page: TemplateResponse = super().index(request, {**home(request), **(extra_context or {})})
        return page

    @method_decorator(sensitive_post_parameters())
    @method_decorator(never_cache)
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """Show the login page; a password without a device leads to the enrolment page."""
        if request.method == "GET" and _may_enrol(request):
            return redirect(f"{self.name}:enrol")
        response: HttpResponseBase = super().login(request, extra_context)
        is_in = request.method == "POST" and response.status_code == HTTPStatus.FOUND
        if is_in and _has_both_factors(request):
            _begin_session(request)
            _record(request, "login", detail={"device": str(_operator(request).otp_device.name)})
        return response

    def logout(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """End the session."""
        if request.method == "POST" and _is_verified(request):
            _record(request, "logout")
        response: HttpResponseBase = super().logout(request, extra_context)
        return response

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """Let operators change their own password; their other sessions end with it."""
        response: HttpResponseBase = super().password_change(request, extra_context)
        if request.method == "POST" and response.status_code == HTTPStatus.FOUND:
            _record(request, "password_changed")
        return response

    @method_decorator(sensitive_post_parameters())
    @method_decorator(never_cache)
    def enrol(self, request: HttpRequest) -> HttpResponse:
        """Show the QR code of a new device; after its first code, the recovery codes."""
        if not _may_enrol(request):
            return redirect(f"{self.name}:login")
        operator = _operator(request)
        form = EnrolForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                device, codes = enrol.confirm(
                    operator,
                    code=form.cleaned_data["code"],
                    source_address=request.META.get("REMOTE_ADDR", ""),
                )
            except CodeRefusedError as error:
                form.add_error("code", error.title)
            else:
                verify_session(request, device)
                request.session.cycle_key()
                _begin_session(request)
                return self._page(request, "recovery_codes", title="Recovery codes", codes=codes)
        device = enrol.begin(operator)
        return self._page(
            request,
            "enrol",
            title="Second factor",
            form=form,
            qr_code=enrol.qr_code(device),
            typed_key=enrol.typed_key(device),
        )

    def _page(self, request: HttpRequest, name: str, **context: Any) -> TemplateResponse:
        request.current_app = self.name
        return TemplateResponse(
            request,
            f"operators/{name}.html",
            {**self.each_context(request), "index_url": reverse(f"{self.name}:index"), **context},
        )


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the sidebar: the pages that this operator may see, in their groups."""
    apps = {app["app_label"]: app for app in site.get_app_list(request)}
    grouped = {label for _, labels in _GROUPS for label in labels}
    rest = tuple(label for label in apps if label not in grouped)
    return [
        {
            "title": title,
            "separator": True,
            "items": [
                _navigation_item(label, model)
                for label in labels
                if label in apps
                for model in apps[label]["models"]
            ],
        }
        for title, labels in (*_GROUPS, ("Others", rest))
        if any(label in apps for label in labels)
    ]


def _navigation_item(label: str, model: dict[str, Any]) -> dict[str, Any]:
    name = f"{label}.{model['object_name'].lower()}"
    return {
        "title": model["name"],
        "icon": _ICONS.get(name) or _ICONS.get(label, _ICON),
        "link": model["admin_url"],
    }


def _has_both_factors(request: HttpRequest) -> bool:
    return bool(request.user.is_authenticated and request.user.is_verified())


def _is_verified(request: HttpRequest) -> bool:
    """Whether both factors were given, and not too long ago."""
    if not _has_both_factors(request):
        return False
    age_seconds = clock.now().timestamp() - request.session.get(_BEGUN_AT, 0)
    return bool(age_seconds < settings.BACKOFFICE_SESSION_HOURS_MAX * 3600)


def _begin_session(request: HttpRequest) -> None:
    request.session[_BEGUN_AT] = int(clock.now().timestamp())


def _may_enrol(request: HttpRequest) -> bool:
    """Whether the password was right and there is no device yet."""
    return request.user.is_authenticated and not user_has_device(request.user)


def _operator(request: HttpRequest) -> Operator:
    """Return who is logged in; nobody but operators can be."""
    assert isinstance(request.user, Operator)
    return request.user


def _record(request: HttpRequest, action: str, **members: Any) -> None:
    audit.record(
        actor=_operator(request).email,
        action=action,
        source_address=request.META.get("REMOTE_ADDR", ""),
        **members,
    )
