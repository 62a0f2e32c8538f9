"""Make QR codes: for whoever pays a store, or for one order."""

import datetime as dt
import uuid
from dataclasses import dataclass

from django.db import transaction

from apps.common import ids
from apps.common.addresses import VpaAddress
from apps.common.money import Money
from apps.merchants import selectors
from apps.merchants.contracts import MerchantPrincipal
from apps.merchants.errors import EmvNotPossibleError, InvalidExpiryError
from apps.merchants.models import Merchant, Order, QrCode
from apps.merchants.services import order_link
from apps.merchants.services.sign_link import sign_link
from apps.messaging import idempotency
from apps.upi.links import emv
from apps.upi.links.intent import Action, Intent

STATIC_CODE_LIFE_MAX = dt.timedelta(days=3653)
_EMV_NAME_SIGNS = 25
# Two digits of length, less the RuPay id and the minimum amount (upi-protocol 6.5, tag 26).
_EMV_ADDRESS_SIGNS_MAX = 60
_EMV_REFERENCE_SIGNS_MIN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class QrDraft:
    """
    What a merchant wants to be scanned.

    `order_id` None: a static code. `city` and `postal_code` are for EMV codes, which need a place.
    """

    format: QrCode.Format
    order_id: uuid.UUID | None
    has_order: bool
    store: str
    terminal: str
    city: str
    postal_code: str
    expires_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class MadeQrCode:
    """The code, and whether this very request was answered before."""

    code: QrCode
    is_replay: bool


def create_qr_code(
    draft: QrDraft,
    *,
    principal: MerchantPrincipal,
    key: str,
    fingerprint: bytes,
    at: dt.datetime,
) -> MadeQrCode:
    """
    Make a code, or return the one that the key made before.

    Raises LiveKeyRequiredError, NotFoundError, AlreadyPaidError, LinkExpiredError,
    InvalidExpiryError, EmvNotPossibleError, hsm.errors.HsmError and the refusals of idempotency.
    """
    order_link.check_live(principal)
    answer = idempotency.lookup(client=principal.client, key=key, fingerprint=fingerprint)
    if answer is not None:
        return _replayed(principal, answer.reference)
    # The token is asked before the transaction begins.
    row = _made(draft, principal, at=at)
    with transaction.atomic(durable=True):
        answer = idempotency.remember(
            client=principal.client, key=key, fingerprint=fingerprint, reference=str(row.pk)
        )
        if answer is None:
            row.save(force_insert=True)
    if answer is not None:
        return _replayed(principal, answer.reference)
    return MadeQrCode(row, is_replay=False)


def _replayed(principal: MerchantPrincipal, reference: str) -> MadeQrCode:
    return MadeQrCode(selectors.qr_code_of(principal, uuid.UUID(reference)), is_replay=True)


def _made(draft: QrDraft, principal: MerchantPrincipal, *, at: dt.datetime) -> QrCode:
    merchant = selectors.merchant(principal.merchant_id)
    order = order_link.payable_order(principal, draft.order_id, at=at) if draft.has_order else None
    expires_at = _expiry(draft, order, at=at)
    if draft.format is QrCode.Format.BHARATQR:
        payload = emv.write(_emv_code(draft, merchant, order))
    else:
        payload = sign_link(_intent(draft, merchant, order, expires_at))
    return QrCode(
        id=ids.uuid7(),
        merchant=merchant,
        kind=QrCode.Kind.STATIC if order is None else QrCode.Kind.DYNAMIC,
        format=draft.format,
        order=order,
        store_code=draft.store,
        terminal_code=draft.terminal,
        payload=payload,
        created_at=at,
        expires_at=expires_at,
    )


def _expiry(draft: QrDraft, order: Order | None, *, at: dt.datetime) -> dt.datetime | None:
    if order is None:
        if draft.expires_at is None:
            return None
        if not at < draft.expires_at <= at + STATIC_CODE_LIFE_MAX:
            raise InvalidExpiryError(field="expires_at")
        return draft.expires_at.replace(microsecond=0)
    ends_at = (draft.expires_at or order.expires_at).replace(microsecond=0)
    if draft.expires_at is not None and not at < ends_at <= order.expires_at:
        raise InvalidExpiryError(field="expires_at")
    return ends_at


def _intent(
    draft: QrDraft, merchant: Merchant, order: Order | None, expires_at: dt.datetime | None
) -> Intent:
    is_online = merchant.vpa.merchant_genre == "ONLINE"
    others = order_link.codes_of(merchant, store=draft.store, terminal=draft.terminal)
    if order is not None:
        mode = order_link.ONLINE_DYNAMIC_QR_MODE if is_online else order_link.DYNAMIC_QR_MODE
        return order_link.intent_of_order(order, mode=mode, expires_at=expires_at, others=others)
    return Intent(
        action=Action.PAY,
        payee=VpaAddress.parse(merchant.vpa.address),
        payee_name=order_link.name_of(merchant),
        mcc=merchant.vpa.mcc,
        mode=order_link.ONLINE_STATIC_QR_MODE if is_online else order_link.STATIC_QR_MODE,
        expires_at=expires_at,
        others=others,
    )


def _emv_code(draft: QrDraft, merchant: Merchant, order: Order | None) -> emv.EmvCode:
    codes = dict(order_link.codes_of(merchant, store=draft.store, terminal=draft.terminal))
    name = order_link.name_of(merchant)
    reference = order.reference if order is not None else ""
    is_short = order is not None and len(reference) < _EMV_REFERENCE_SIGNS_MIN
    if not name.isascii() or is_short or len(merchant.vpa.address) > _EMV_ADDRESS_SIGNS_MAX:
        raise EmvNotPossibleError
    return emv.EmvCode(
        payee=VpaAddress.parse(merchant.vpa.address),
        payee_name=name[:_EMV_NAME_SIGNS].strip(),
        city=draft.city,
        mcc=merchant.vpa.mcc,
        is_dynamic=order is not None,
        amount=Money(order.amount_paise) if order is not None else None,
        reference=reference,
        postal_code=draft.postal_code,
        store=codes.get("msid", ""),
        terminal=codes.get("mtid", ""),
    )
