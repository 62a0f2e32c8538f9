"""Proposals as a page: one officer proposes, another approves or rejects."""

import datetime as dt
from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action

from apps.common.admin import ReadOnlyAdmin
from apps.common.clock import IST
from apps.operators.change_pages import (
    ChangeForm,
    ChangePage,
    ChoiceField,
    InstantField,
    Line,
    Preview,
    TextField,
    may,
    serve,
)
from apps.operators.contracts import Author
from apps.operators.errors import ChangedMeanwhileError
from apps.operators.models import Proposal
from apps.operators.services import decisions, key_ceremony

Action, State = Proposal.Action, Proposal.State


class CeremonyForm(ChangeForm):
    """Which key, and what is to be done with it."""

    action = ChoiceField(choices=[(one.value, one.label) for one in key_ceremony.KEY_ACTIONS])
    label = TextField(max_length=40, help_text="The key's label, such as pin-verification-2.")
    content_digest = TextField(
        required=False,
        min_length=64,
        max_length=64,
        label="SHA-256 of the wrapped key",
        help_text="Of the file that is to be taken in, in hexadecimal; for nothing else.",
    )
    ends_at = InstantField(
        required=False,
        label="Ends at",
        help_text="When the key ends whatever still needs it; before, only if nothing does.",
    )

    def clean(self) -> dict[str, Any]:
        """Refuse what belongs to another kind of ceremony."""
        data = super().clean() or {}
        if (data.get("action") == Action.IMPORT_KEY) != bool(data.get("content_digest")):
            raise forms.ValidationError("A key that is taken in has a digest, no other has one.")
        if data.get("ends_at") and data.get("action") != Action.DESTROY_KEY:
            raise forms.ValidationError("Only the end of a key has a day.")
        return data


class ProposeCeremony(ChangePage):
    """Something shall be done with a key."""

    title = "Propose a key ceremony"
    submit = "Propose it"
    form = CeremonyForm

    def preview(self, row: Any, data: dict[str, Any]) -> Preview:
        """Show what is proposed."""
        del row
        words = Action(data["action"]).label
        return Preview(
            [
                Line(data["label"], "–", words),
                *_content(digest=data["content_digest"].lower(), ends_at=data["ends_at"]),
            ],
            "Nothing is done before another officer approves it, and somebody carries it out.",
        )

    def carry_out(self, row: Any, data: dict[str, Any], *, author: Author) -> str:
        """Propose it."""
        del row
        made = key_ceremony.propose(
            Action(data["action"]),
            data["label"],
            author=author,
            content_digest=data["content_digest"].lower(),
            ends_at=data["ends_at"],
        )
        return f"Proposal {made.pk}: another officer decides."


def _content(*, digest: str, ends_at: dt.datetime | None) -> list[Line]:
    """Return what two people must mean alike: the very bytes, and the very day."""
    lines = [Line("SHA-256 of the wrapped key", "", digest)] if digest else []
    if ends_at is not None:
        lines.append(Line("Ends at", "", f"{ends_at.astimezone(IST):%d %b %Y, %H:%M} IST"))
    return lines


class _Decision(ChangePage):
    """What approving and rejecting share."""

    effect: ClassVar[str]
    target: ClassVar[Proposal.State]
    decide: ClassVar[Callable[..., Proposal]]

    def preview(self, row: Proposal, data: dict[str, Any]) -> Preview:
        """Show what is decided, and on whose word."""
        del data
        if row.state not in {State.PROPOSED, State.APPROVED} or row.state == self.target:
            raise ChangedMeanwhileError
        what = f"{row.get_action_display()}: {row.subject}, proposed by {row.proposed_by}"
        lines = [
            Line(what, State(row.state).label, self.target.label),
            *_content(digest=row.content_digest, ends_at=row.ends_at),
            Line("Reason of who proposed it", "", row.reason),
        ]
        return Preview(lines, self.effect)

    def carry_out(self, row: Proposal, data: dict[str, Any], *, author: Author) -> str:
        """Decide it."""
        del data
        type(self).decide(row.pk, author=author)
        return f"Proposal {row.pk} is {self.target.label.lower()}."


class Approve(_Decision):
    """Another officer agrees."""

    title = "Approve the proposal"
    submit = "Approve it"
    target = State.APPROVED
    effect = "A key ceremony can be carried out; a second factor is forgotten at once."
    decide = staticmethod(decisions.approve)


class Reject(_Decision):
    """It is not to be done."""

    title = "Reject the proposal"
    submit = "Reject it"
    target = State.REJECTED
    effect = "It cannot be carried out any more."
    decide = staticmethod(decisions.reject)


@admin.register(Proposal)
class ProposalAdmin(ReadOnlyAdmin):
    """What officers proposed, who decided, and what was done."""

    list_display: ClassVar = [
        "id", "action", "subject", "state", "proposed_by", "proposed_at", "decided_by", "done_at",
    ]  # fmt: skip
    list_filter: ClassVar = ["action", "state"]
    search_fields: ClassVar = ["subject"]
    list_select_related: ClassVar = ["proposed_by", "decided_by"]
    actions_list: ClassVar = ["propose_ceremony"]
    actions_detail: ClassVar = ["approve", "reject"]
    has_propose_permission = may("operators.add_proposal")
    has_decide_permission = may("operators.change_proposal")

    @action(  # type: ignore[untyped-decorator]
        description="Propose a key ceremony", url_path="propose", permissions=["propose"]
    )
    def propose_ceremony(self, request: HttpRequest) -> HttpResponse:
        """Ask for a key to be made, taken in or ended."""
        return serve(self, request, ProposeCeremony())

    @action(description="Approve", url_path="approve", permissions=["decide"])  # type: ignore[untyped-decorator]
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Agree as a second person."""
        return serve(self, request, Approve(), object_id=object_id)

    @action(description="Reject", url_path="reject", permissions=["decide"])  # type: ignore[untyped-decorator]
    def reject(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Put an end to it."""
        return serve(self, request, Reject(), object_id=object_id)
