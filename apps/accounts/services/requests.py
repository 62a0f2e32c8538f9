"""Store a request about credentials, in the transaction that accepts its message."""

from apps.accounts.models import CredentialRequest
from apps.accounts.states import RequestKind, RequestState
from apps.messaging.wakeups import wake_on_commit
from apps.upi.contracts import Credential, Message, Party, Received, RegDetails
from apps.upi.services import pin_blocks

STEP = "accounts.credentials"

_OTP, _PIN = "OTP", "PIN"


def receive(
    received: Received[Message], *, kind: RequestKind, payer: Party, proof: RegDetails | None = None
) -> None:
    """Store the request and its credentials; the step `accounts.credentials` works it."""
    message, account, device = received.message, payer.ac, payer.device
    credentials = _credentials(kind, payer, proof)
    CredentialRequest.objects.create(
        id=received.exchange_id,
        kind=kind,
        txn_id=message.txn.id,
        txn_type=message.txn.type,
        txn_at=message.txn.ts,
        note=message.txn.note or "",
        reference=message.txn.ref_id or "",
        message_id=message.head.msg_id,
        payer_address=payer.addr,
        payer_name=payer.name or "",
        payer_type=payer.type,
        payer_code=payer.code,
        account_number=account.account_number if account else "",
        ifsc=account.ifsc if account else "",
        mobile=(device.mobile if device else None) or "",
        card_digits=proof.card_digits if proof else "",
        card_expiry=proof.exp_date if proof else "",
        has_credentials=bool(credentials),
        received_at=received.received_at,
        state=RequestState.RECEIVED,
        next_action_at=received.received_at,
    )
    pin_blocks.store(received.exchange_id, credentials)
    wake_on_commit(STEP)


def _credentials(
    kind: RequestKind, payer: Party, proof: RegDetails | None
) -> tuple[Credential, ...]:
    """Return what the request must be proved with, in the order in which it is used, or nothing."""
    wanted: tuple[Credential | None, ...]
    if kind is RequestKind.REGISTRATION and proof is not None:
        wanted = (_one(proof.creds, _OTP), _one(proof.creds, _PIN))
    elif kind is RequestKind.PIN_CHANGE:
        wanted = (_one(payer.creds, _PIN), _one(payer.new_cred, _PIN))
    elif kind is RequestKind.BALANCE:
        wanted = (_one(payer.creds, _PIN),)
    else:
        return ()
    found = tuple(credential for credential in wanted if credential is not None)
    return found if len(found) == len(wanted) else ()


def _one(credentials: tuple[Credential, ...], kind: str) -> Credential | None:
    return next((each for each in credentials if each.type == kind), None)
