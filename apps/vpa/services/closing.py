"""Close an address of ours for payments, and open it again, by an operator's word."""

from uuid import UUID

from django.db import transaction

from apps.common.masking import mask_vpa
from apps.messaging import outbox
from apps.messaging.contracts import Event
from apps.operators.contracts import Author
from apps.operators.errors import ChangedMeanwhileError
from apps.operators.services import audit
from apps.vpa import resolution_cache, selectors
from apps.vpa.contracts import ClosedBy
from apps.vpa.models import Vpa


def close_address(vpa_id: UUID, *, author: Author) -> None:
    """
    Let an address take no payments until it is opened again: its payers are answered ZE.

    Raises ChangedMeanwhileError when it is not open, or not active.
    """
    _turn(vpa_id, source="", target=ClosedBy.PSP, author=author)


def reopen_address(vpa_id: UUID, *, author: Author) -> None:
    """
    Let an address that we closed take payments again.

    Raises ChangedMeanwhileError when it is not closed by us, or not active.
    """
    _turn(vpa_id, source=ClosedBy.PSP, target="", author=author)


def _turn(vpa_id: UUID, *, source: str, target: str, author: Author) -> None:
    resolution_cache.mark_changing(Vpa.objects.get(pk=vpa_id).address)
    with transaction.atomic(durable=True):
        row = selectors.lock_vpa(vpa_id)
        if row.state != Vpa.State.ACTIVE or row.closed_by != source:
            raise ChangedMeanwhileError
        row.closed_by = target
        row.save(update_fields=["closed_by"])
        what = "closed" if target else "reopened"
        outbox.publish([Event(f"vpa.address.{what}", str(row), {"vpa_id": str(row)})])
        audit.record(
            actor=author.operator,
            action=f"vpa_{what}",
            target=mask_vpa(row.address),
            detail={"reason": author.reason, "vpa_id": str(row)},
            source_address=author.source_address,
        )
