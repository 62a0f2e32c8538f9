"""The pages of transactions: the list, and the timeline of one."""

from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.decorators import display

from apps.common.admin import ReadOnlyAdmin
from apps.common.clock import IST
from apps.common.errors import NotFoundError
from apps.common.masking import mask_account, mask_text, mask_vpa
from apps.payments.admin.code_filter import DeclineCodeFilter
from apps.payments.messages import APPROVED
from apps.payments.models import Leg, Transaction
from apps.payments.states import PUBLIC, PublicStatus, Role, State
from apps.payments.timeline import Lane, Timeline, timeline_of
from apps.upi.response_codes import Explanation, Language, explain

_LABELS = {
    PublicStatus.SUCCEEDED: "success",
    PublicStatus.FAILED: "danger",
    PublicStatus.PENDING: "warning",
    PublicStatus.CREATED: "info",
}


@admin.register(Transaction)
class TransactionAdmin(ReadOnlyAdmin):
    """Every payment that this bank had a part in, with all that happened to it."""

    list_display: ClassVar = [
        "txn_id",
        "rrn_shown",
        "amount_shown",
        "payer_shown",
        "payee_shown",
        "status",
        "outcome",
        "created_shown",
    ]
    list_display_links: ClassVar = ["txn_id"]
    search_fields: ClassVar = ["=id", "=rrn", "=payer_address", "=payee_address", "=reference"]
    search_help_text = "Txn id, RRN, payment address or merchant reference, exactly"
    list_filter: ClassVar = ["created_at", DeclineCodeFilter]

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return transactions with their legs, the newest first."""
        return super().get_queryset(request).order_by("-created_at").prefetch_related("legs")

    @admin.display(description="amount", ordering="amount_paise")
    def amount_shown(self, transaction: Transaction) -> str:
        """Show the amount in rupees."""
        return transaction.amount.display()

    @admin.display(description="payer")
    def payer_shown(self, transaction: Transaction) -> str:
        """Show who pays, masked."""
        return mask_vpa(transaction.payer_address)

    @admin.display(description="payee")
    def payee_shown(self, transaction: Transaction) -> str:
        """Show who is paid, masked."""
        return mask_vpa(transaction.payee_address)

    @display(description="status", label={status.value: label for status, label in _LABELS.items()})  # type: ignore[untyped-decorator]
    def status(self, transaction: Transaction) -> str:
        """Show the public word of the payment, from the leg that knows most."""
        return status_of(list(transaction.legs.all()))

    @admin.display(description="code")
    def outcome(self, transaction: Transaction) -> str:
        """Show the code of the leg that knows most, and what it means."""
        code = code_of(list(transaction.legs.all()))
        return explain(code).for_operators() if code else "–"

    @admin.display(description="Txn id", ordering="pk")
    def txn_id(self, transaction: Transaction) -> str:
        """Show the UPI transaction id."""
        return transaction.pk

    @admin.display(description="RRN", ordering="rrn")
    def rrn_shown(self, transaction: Transaction) -> str:
        """Show the retrieval reference number."""
        return transaction.rrn

    @admin.display(description="created (IST)", ordering="created_at")
    def created_shown(self, transaction: Transaction) -> str:
        """Show when we first heard of it, without a line break."""
        return f"{transaction.created_at.astimezone(IST):%d %b, %H:%M:%S}".replace(" ", "\u00a0")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the timeline in place of a form."""
        del form_url
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            timeline = timeline_of(object_id)
        except NotFoundError as error:
            raise Http404 from error
        context = {
            **self.admin_site.each_context(request),
            **(extra_context or {}),
            "opts": self.opts,
            "title": object_id,
            "timeline": timeline,
            "facts": _facts(timeline),
            "legs": [_leg(leg) for leg in timeline.legs],
            "told": _told(code_of(list(timeline.legs))),
            "lanes": [lane.value for lane in Lane if any(s.lane == lane for s in timeline.steps)],
        }
        return TemplateResponse(request, "payments/transaction.html", context)


_LANE_OF = {
    Role.PAYER_PSP: "payer PSP",
    Role.PAYEE_PSP: "payee PSP",
    Role.DEBIT: "remitter",
    Role.CREDIT: "beneficiary",
    Role.REVERSAL: "reversal",
}
# Of the legs that we have, the one whose word the customer or merchant is told.
_TELLING = (Role.PAYER_PSP, Role.PAYEE_PSP)


def status_of(legs: list[Leg]) -> str:
    """Return the public status; of a payment in which only money legs were ours, their state."""
    by_role = {Role(leg.role): State(leg.state) for leg in legs}
    for role in _TELLING:
        if role in by_role:
            return PUBLIC[by_role[role]][0].value
    return next((state.value.lower().replace("_", " ") for state in by_role.values()), "")


def code_of(legs: list[Leg]) -> str:
    """Return the code of the leg whose word is told; of money legs, the first that has one."""
    told = [leg.code for leg in legs if Role(leg.role) in _TELLING and leg.code]
    return next(iter([*told, *(leg.code for leg in legs if leg.code)]), "")


def _facts(timeline: Timeline) -> list[tuple[str, str]]:
    transaction = timeline.transaction
    return [
        ("Amount", transaction.amount.display()),
        ("Payer", f"{mask_text(transaction.payer_name)} · {mask_vpa(transaction.payer_address)}"),
        ("Payee", f"{mask_text(transaction.payee_name)} · {mask_vpa(transaction.payee_address)}"),
        ("RRN", transaction.rrn),
        ("Note", transaction.note or "–"),
        ("Merchant reference", transaction.reference or "–"),
        ("Purpose, mode", f"{transaction.purpose}, {transaction.initiation_mode}"),
    ]


_LANGUAGES = {Language.ENGLISH: "English", Language.HINDI: "हिन्दी"}


def _told(code: str) -> list[tuple[str, str, Explanation]]:
    """Return what people are told of a payment that did not go well, in each language."""
    if code in {"", APPROVED}:
        return []
    return [(name, lang.value, explain(code, lang)) for lang, name in _LANGUAGES.items()]


def _risk(leg: Leg) -> str:
    scores = leg.risk_scores or []
    return ", ".join(f"{provider} {kind} {value}" for provider, kind, value in scores) or "–"


def _leg(leg: Leg) -> dict[str, str]:
    return {
        "role": _LANE_OF[Role(leg.role)],
        "state": leg.state,
        "code": explain(leg.code).for_operators() if leg.code else "–",
        "account": mask_account(leg.account_number) if leg.account_number else "–",
        "attempts": str(leg.attempts),
        "risk": _risk(leg),
    }
