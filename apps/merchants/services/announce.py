"""Announce our merchants and our link keys to the network, which lists them as verified."""

import base64
import datetime as dt
import hashlib
from collections.abc import Mapping
from uuid import UUID

import orjson
import structlog
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.db import transaction

from apps.common import ids
from apps.merchants import selectors
from apps.merchants.models import Announcement, Merchant
from apps.upi import liveness
from apps.upi.contracts import (
    Key,
    Received,
    ReqManageVae,
    Request,
    RespManageVae,
    SendOutcome,
    Vae,
)
from apps.upi.services import questions
from apps.upi.services.requests import open_requests, send_requests
from hsm import uri_signing

log = structlog.get_logger(__name__)

MERCHANTS_MAX = 100
_TYPE = "ManageVae"
_SUCCESS, _DONE = "SUCCESS", "00"
_KEY_INDEX_LENGTH = 16
State = Announcement.State
_AFTER = {"ADD": State.LISTED, "UPDATE": State.LISTED, "REMOVE": State.REMOVED}


def announce(*, at: dt.datetime) -> SendOutcome | None:
    """
    Ask the network to list what changed of our merchants, a hundred at most; None if nothing did.

    Raises SwitchDownError, PeakHoursError (no customer waits for this), hsm.errors.HsmError.
    """
    keys = tuple(_key(label) for label in settings.HSM_URI_KEYS)
    request = _open(keys, at=at)
    return send_requests([request])[0] if request else None


def take_answer(received: Received[RespManageVae]) -> None:
    """Take what became of each merchant, in the receiver's transaction."""
    resp = received.message.resp
    refs = {ref.addr.lower(): ref for ref in resp.vae_refs}
    for row in selectors.lock_announcements(received.exchange_id):
        ref = refs.get(row.merchant.vpa.address)
        is_done = ref.result == _SUCCESS if ref else resp.result == _SUCCESS
        code = ref.resp_code if ref else (resp.err_code or _DONE)
        row.state = _AFTER[row.operation] if is_done else State.REFUSED
        row.result_code = code
        row.answered_at = received.received_at
        row.save()
        if not is_done:
            log.warning("merchant_not_announced", merchant=str(row.merchant), code=code)


@transaction.atomic(durable=True)
def _open(keys: tuple[Key, ...], *, at: dt.datetime) -> Request | None:
    liveness.require_switch()
    changes = _changes(keys)
    if not changes:
        return None
    exchange_id = ids.uuid7()
    for merchant, (operation, content) in changes.items():
        Announcement.objects.update_or_create(
            merchant=merchant,
            defaults={
                "operation": operation,
                "content": content,
                "state": State.ASKED,
                "exchange_id": exchange_id,
                "result_code": "",
                "asked_at": at,
                "answered_at": None,
            },
        )
    request = _request(exchange_id, changes, keys, at=at)
    open_requests([request])
    return request


def _changes(keys: tuple[Key, ...]) -> dict[Merchant, tuple[str, str]]:
    """Return which merchants to announce, how, and what they are then known by."""
    changes: dict[Merchant, tuple[str, str]] = {}
    for merchant, known in selectors.announced_merchants():
        content = _content(merchant, keys)
        operation = _operation(merchant, known, content)
        if operation:
            changes[merchant] = (operation, content)
        if len(changes) == MERCHANTS_MAX:
            break
    return changes


def _operation(merchant: Merchant, known: Announcement | None, content: str) -> str:
    # What was asked and never answered may be there or not: ADD puts it there either way.
    is_listed = known is not None and known.state == State.LISTED
    if merchant.state != Merchant.State.ACTIVE:
        return "REMOVE" if is_listed else ""
    if not is_listed:
        return "ADD"
    return "UPDATE" if known is not None and known.content != content else ""


def _content(merchant: Merchant, keys: tuple[Key, ...]) -> str:
    facts = [merchant.name, merchant.vpa.address, [key.key_value for key in keys]]
    return hashlib.sha256(orjson.dumps(facts)).hexdigest()


def _request(
    exchange_id: UUID,
    changes: Mapping[Merchant, tuple[str, str]],
    keys: tuple[Key, ...],
    *,
    at: dt.datetime,
) -> Request:
    number = ids.new_upi_id(settings.UPI_ID_PREFIX)
    listed = tuple(
        Vae(
            op=operation,
            seq_num=str(place),
            name=merchant.name,
            addr=merchant.vpa.address,
            logo="",
            url="",
            keys=keys,
        )
        for place, (merchant, (operation, _)) in enumerate(changes.items(), start=1)
    )
    message = ReqManageVae(
        head=questions.head_of(at=at),
        txn=questions.txn_of(number, _TYPE, at=at),
        vae_list=listed,
    )
    return Request(exchange_id=exchange_id, message=message)


def _key(label: str) -> Key:
    der = uri_signing.public_key(label).public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    return Key(
        code=settings.UPI_ORG_ID,
        owner=settings.UPI_ORG_ID,
        type="PKI",
        ki=hashlib.sha256(der).hexdigest()[:_KEY_INDEX_LENGTH],
        key_value=base64.b64encode(der).decode(),
    )
