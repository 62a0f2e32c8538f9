"""Call a QR code back."""

import datetime as dt
import uuid

from django.db import transaction

from apps.common import clock, ids
from apps.merchants import selectors
from apps.merchants.contracts import MerchantPrincipal
from apps.merchants.models import QrCode
from apps.messaging import outbox
from apps.messaging.contracts import Event

EVENT = "merchants.qr_code.revoked"


@transaction.atomic(durable=True)
def revoke_code(
    code_id: uuid.UUID | None, *, principal: MerchantPrincipal, at: dt.datetime
) -> QrCode:
    """
    End a code for good; revoking it again changes nothing.

    The merchant's address stays open: other banks' payers who scan the code on paper still pay it,
    and their money is the merchant's. Raises NotFoundError, also for another's code.
    """
    code = selectors.qr_code_of(principal, code_id)
    # Whoever changes the row tells of it: of two at once, one.
    if QrCode.objects.filter(pk=code.pk, revoked_at=None).update(revoked_at=at):
        code.revoked_at = at
        outbox.publish([_event(code, at)])
    else:
        code.refresh_from_db()
    return code


def _event(code: QrCode, at: dt.datetime) -> Event:
    return Event(
        type=EVENT,
        subject=ids.public_id("qr", code.pk),
        data={
            "qr_code_id": ids.public_id("qr", code.pk),
            "merchant_id": ids.public_id("mer", code.merchant_id),
            "kind": code.kind,
            "store": code.store_code,
            "terminal": code.terminal_code,
            "revoked_at": clock.iso(at),
        },
    )
