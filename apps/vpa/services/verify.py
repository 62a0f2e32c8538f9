"""Ask whose an address is before somebody pays to it, and take the answer."""

import datetime as dt

from django.conf import settings
from django.db import transaction

from apps.common import ids
from apps.common.addresses import VpaAddress
from apps.messaging import wakeups
from apps.upi import liveness
from apps.upi.contracts import Party, Received, ReqValAdd, RespValAdd
from apps.upi.services import questions
from apps.upi.timer_models import Timer
from apps.vpa import selectors
from apps.vpa.contracts import Asker, VpaKind
from apps.vpa.models import Verification
from apps.vpa.states import AWAITING_ANSWER, VerificationState

STEP = "vpa.verifications"
# upi-protocol 4.2: nobody has the address.
UNKNOWN_ADDRESS = "ZH"
NO_NAME = "NO_NAME"
# Asking again within so long is reading the answer again.
SAME_QUESTION = dt.timedelta(seconds=60)
_SUCCESS, _DONE = "SUCCESS", "00"
_TYPE = "ValAdd"


@transaction.atomic(durable=True)
def ask(address: VpaAddress, *, asker: Asker, at: dt.datetime) -> Verification:
    """
    Take a question on. An address of ours is answered at once, another's by its PSP.

    Raises SwitchDownError when another's PSP cannot be asked now.
    """
    earlier = selectors.recent_verification(asker.client, str(address), since=at - SAME_QUESTION)
    if earlier is not None:
        return earlier
    row = _row(address, asker, at=at)
    if address.handle in settings.UPI_HANDLES:
        _resolve(row, at=at)
    else:
        liveness.require_switch()
        row.next_action_at = at
        row.save(force_insert=True)
        wakeups.wake_on_commit(STEP)
    return row


def advance_due(*, at: dt.datetime) -> int:
    """Ask what is due; return how many rows moved."""
    return questions.advance_due(_QUESTION, at=at)


def take_answer(received: Received[RespValAdd]) -> None:
    """Take the name behind an address, or why it is not told, in the receiver's transaction."""
    row = selectors.lock_verification(received.exchange_id)
    assert row is not None, f"{received.exchange_id}: an answer to no verification"
    if VerificationState(row.state) not in AWAITING_ANSWER:
        return
    resp = received.message.resp
    name = resp.mask_name or ""
    at = received.received_at
    if resp.result != _SUCCESS:
        questions.end(row, VerificationState.REFUSED, resp.err_code or UNKNOWN_ADDRESS, at=at)
    elif not name:
        questions.end(row, VerificationState.REFUSED, NO_NAME, at=at)
    else:
        row.verified_name = name
        row.kind = resp.type or ""
        row.mcc = resp.code or ""
        questions.end(row, VerificationState.VERIFIED, _DONE, at=at)


def _row(address: VpaAddress, asker: Asker, *, at: dt.datetime) -> Verification:
    return Verification(
        client=asker.client,
        payer_address=asker.address,
        payer_name=asker.name,
        payer_type=asker.kind,
        payer_code=asker.mcc,
        address=str(address),
        transaction_id=ids.new_upi_id(settings.UPI_ID_PREFIX),
        exchange_id=ids.uuid7(),
        created_at=at,
    )


def _resolve(row: Verification, *, at: dt.datetime) -> None:
    found = selectors.resolve(row.address)
    refusal = UNKNOWN_ADDRESS if found is None else found.refusal(at=at)
    if found is None or refusal:
        questions.end(row, VerificationState.REFUSED, refusal, at=at)
        return
    row.verified_name = found.verified_name
    row.kind = found.kind
    row.mcc = found.mcc
    questions.end(row, VerificationState.VERIFIED, _DONE, at=at)


def _message(row: Verification, at: dt.datetime) -> ReqValAdd:
    return ReqValAdd(
        head=questions.head_of(at=at),
        txn=questions.txn_of(row.transaction_id, _TYPE, at=at),
        payer=Party(
            addr=row.payer_address,
            name=row.payer_name,
            type=row.payer_type,
            code=row.payer_code,
        ),
        # What the payee is, its PSP will say.
        payee=Party(addr=row.address, type=VpaKind.PERSON, code="0000"),
    )


_QUESTION = questions.Question(
    name="verification",
    rows=Verification.objects,
    load=selectors.claimed_verifications,
    lock=selectors.lock_verification,
    message_of=_message,
    refused=VerificationState.REFUSED,
    timer=Timer.ADDRESS_ANSWER,
)
