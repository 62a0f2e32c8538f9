"""Register a phone's common library with the switch: its challenge out, a check value back."""

import base64
import datetime as dt
import hashlib
import hmac

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from apps.common import ids
from apps.common.secret import Secret
from apps.customers import selectors
from apps.customers.contracts import Challenge, CustomerPrincipal
from apps.customers.errors import TokenLimitError
from apps.customers.models import DeviceToken
from apps.customers.selectors import wire_device
from apps.customers.states import AWAITING_ANSWER, RequestState, TokenKind
from apps.messaging import wakeups
from apps.upi import liveness
from apps.upi.contracts import Credential, Device, Received, ReqListKeys, RespListKeys
from apps.upi.services import pin_blocks, questions
from apps.upi.timer_models import Timer

STEP = "customers.tokens"
TYPE = "GetToken"
# Ours, not the wire's: the switch said SUCCESS, and its check value is not that of the phone.
CHECK_DIFFERS = "CHECK_DIFFERS"
_DAY = dt.timedelta(days=1)
_SUCCESS, _DONE = "SUCCESS", "00"
_CHALLENGE, _CODE, _TOKEN = "Challenge", "NPCI", "TOKEN"


@transaction.atomic(durable=True)
def ask(
    kind: TokenKind, challenge: Challenge, *, principal: CustomerPrincipal, at: dt.datetime
) -> DeviceToken:
    """
    Take a challenge on for the phone that the session is bound to.

    Raises SwitchDownError, TokenLimitError (our own bound; no circular has one).
    """
    # One customer's requests are decided one after the other: counts hold.
    selectors.lock_customer(principal.customer_id)
    _check_limit(principal, at=at)
    liveness.require_switch()
    row = DeviceToken.objects.create(
        device_id=principal.device_id,
        kind=kind,
        transaction_id=ids.new_upi_id(settings.UPI_ID_PREFIX),
        exchange_id=ids.uuid7(),
        created_at=at,
        next_action_at=Now(),
    )
    pin_blocks.store(row.exchange_id, [_credential(row, challenge)])
    wakeups.wake_on_commit(STEP)
    return row


def advance_due(*, at: dt.datetime) -> int:
    """Ask what is due; return how many rows moved."""
    return questions.advance_due(_QUESTION, at=at)


def take_answer(received: Received[RespListKeys]) -> None:
    """Take the switch's check value, or why there is none, in the receiver's transaction."""
    row = selectors.lock_token_by_exchange(received.exchange_id)
    assert row is not None, f"{received.exchange_id}: an answer to no registration"
    if RequestState(row.state) not in AWAITING_ANSWER:
        return
    pin_blocks.delete([row.exchange_id])
    message, at = received.message, received.received_at
    if message.resp.result != _SUCCESS:
        questions.end(row, RequestState.FAILED, message.resp.err_code or "", at=at)
        return
    wanted = check_value(wire_device(row.device))
    found = [each.key_value.strip() for each in message.key_list if each.type == _TOKEN]
    if len(found) != 1 or not hmac.compare_digest(found[0].encode(), wanted.encode()):
        questions.end(row, RequestState.FAILED, CHECK_DIFFERS, at=at)
        return
    row.check_value = wanted
    questions.end(row, RequestState.SUCCESS, _DONE, at=at)


def check_value(device: Device) -> str:
    """Return what the switch answers for a phone that it registered (upi-protocol 5.3)."""
    digest = hashlib.sha256(f"{device.app}|{device.mobile}|{device.id}".encode()).digest()
    return base64.b64encode(digest).decode()


def rotate_by(row: DeviceToken) -> dt.datetime | None:
    """Return when the phone should have a new token, None while it has none."""
    if row.ended_at is None or row.state != RequestState.SUCCESS:
        return None
    return row.ended_at + dt.timedelta(days=settings.UPI_DEVICE_TOKEN_DAYS)


def _check_limit(principal: CustomerPrincipal, *, at: dt.datetime) -> None:
    most = settings.UPI_DEVICE_TOKENS_PER_DAY_MAX
    earlier = selectors.tokens_since(principal.device_id, since=at - _DAY, limit=most)
    if len(earlier) >= most:
        wait = earlier[-1] + _DAY - at
        raise TokenLimitError(retry_after_seconds=max(1, int(wait.total_seconds()) + 1))


def _credential(row: DeviceToken, challenge: Challenge) -> Credential:
    device = wire_device(row.device)
    text = f"{device.id}|{device.app}|{device.mobile}|{challenge.data.reveal()}"
    return Credential(
        type=_CHALLENGE, sub_type=row.kind, code=_CODE, ki=challenge.ki, data=Secret(text)
    )


def _message(row: DeviceToken, at: dt.datetime) -> ReqListKeys | None:
    credentials = pin_blocks.load([row.exchange_id]).get(row.exchange_id)
    if credentials is None:
        return None
    return ReqListKeys(
        head=questions.head_of(at=at),
        txn=questions.txn_of(row.transaction_id, TYPE, at=at),
        creds=credentials,
    )


_QUESTION = questions.Question(
    name="token",
    rows=DeviceToken.objects,
    load=selectors.claimed_tokens,
    lock=selectors.lock_token_by_exchange,
    message_of=_message,
    refused=RequestState.FAILED,
    timer=Timer.ACCOUNT_ANSWER,
)
