"""Let a merchant take no payments for a while, and then again, by an operator's word."""

from uuid import UUID

from django.db import transaction

from apps.merchants.models import Merchant
from apps.messaging import outbox
from apps.messaging.contracts import Event
from apps.operators.contracts import Author
from apps.operators.errors import ChangedMeanwhileError
from apps.operators.services import audit


def suspend_merchant(merchant_id: UUID, *, author: Author) -> None:
    """
    Let nobody pay a merchant: its address is refused (ZB), money that comes is declined (YH).

    Raises ChangedMeanwhileError when it is suspended already.
    """
    _turn(merchant_id, Merchant.State.ACTIVE, Merchant.State.SUSPENDED, author=author)


def resume_merchant(merchant_id: UUID, *, author: Author) -> None:
    """Let a suspended merchant be paid again. Raises ChangedMeanwhileError when it is not."""
    _turn(merchant_id, Merchant.State.SUSPENDED, Merchant.State.ACTIVE, author=author)


@transaction.atomic(durable=True)
def _turn(
    merchant_id: UUID, source: Merchant.State, target: Merchant.State, *, author: Author
) -> None:
    moved = Merchant.objects.filter(pk=merchant_id, state=source).update(state=target)
    if not moved:
        raise ChangedMeanwhileError
    merchant = Merchant.objects.get(pk=merchant_id)
    what = "suspended" if target == Merchant.State.SUSPENDED else "resumed"
    fact = {"merchant_id": str(merchant)}
    outbox.publish([Event(f"merchants.merchant.{what}", str(merchant), fact)])
    audit.record(
        actor=author.operator,
        action=f"merchant_{what}",
        target=str(merchant),
        detail={"reason": author.reason, "before": source.value, "after": target.value},
        source_address=author.source_address,
    )
