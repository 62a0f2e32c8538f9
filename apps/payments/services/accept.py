"""Accept a customer's payment: one durable transaction, and it will be sent whatever happens."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction

from apps.accounts.availability import require_core_banking
from apps.common import clock
from apps.common.clock import IST
from apps.common.errors import NotFoundError
from apps.common.faults import fault_point
from apps.customers import selectors as customers
from apps.customers.contracts import Payer
from apps.customers.errors import TransactionIdTakenError
from apps.merchants.services.hold_to_link import LinkPayment, hold_to_link
from apps.messaging import idempotency, outbox, wakeups
from apps.payments import events, selectors
from apps.payments.contracts import NewLeg, Payment, PaymentRequest, TransactionFacts
from apps.payments.errors import PaymentLimitExceededError, TransactionDiffersError
from apps.payments.messages import device_to_json
from apps.payments.services.opening import open_leg
from apps.payments.states import Role, State
from apps.risk.selectors import limits_on
from apps.upi import liveness
from apps.upi.contracts import Credential
from apps.upi.services import pin_blocks
from apps.vpa.selectors import owns_vpa

STEP = "payments.payer_psp"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestKey:
    """The client's Idempotency-Key and what its request was."""

    client: str
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Accepted:
    """The payment, and whether this very request had been accepted before."""

    payment: Payment
    is_replay: bool


def accept_payment(
    request: PaymentRequest, credential: Credential, *, key: RequestKey, at: dt.datetime
) -> Accepted:
    """
    Take a payment on, or return the one that this request made before.

    A Txn id makes one payment for ever: it outlives the key. The PIN block is kept for a minute,
    apart from everything that lasts.

    A payment made from a link is what the link asks for, or refused.

    Raises NotFoundError (the account or the address to pay from is not the customer's), the
    refusals of links (merchants.services.hold_to_link),
    DeviceNotBoundError, PaymentLimitExceededError, TransactionIdTakenError, SwitchDownError,
    CoreBankingUnavailableError and the refusals of idempotency.
    """
    link = _link_payment(request)
    if link.is_judged:
        # What was accepted stays so, whatever has become of its link.
        known = idempotency.lookup(client=key.client, key=key.key, fingerprint=key.fingerprint)
        if known is not None:
            return _replayed(request, known.reference)
        hold_to_link(link, at=at)
    with transaction.atomic(durable=True):
        known = idempotency.remember(
            client=key.client,
            key=key.key,
            fingerprint=key.fingerprint,
            reference=request.transaction_id,
        )
        accepted = None if known is not None else _open(request, credential, at=at)
        fault_point("payment.accepting")
    fault_point("payment.accepted")
    return accepted or _replayed(request, request.transaction_id)


def _link_payment(request: PaymentRequest) -> LinkPayment:
    return LinkPayment(
        payee=request.payee_address,
        amount=request.amount,
        reference=request.reference,
        mode=request.initiation_mode,
        purpose=request.purpose,
        link=request.link,
        source=request.link_source,
    )


def _replayed(request: PaymentRequest, transaction_id: str) -> Accepted:
    payment = selectors.payment_of(transaction_id, Role.PAYER_PSP)
    assert payment is not None, "the key and its payment are one transaction"
    assert payment.owner_id == request.customer_id, "keys are the client's own"
    return Accepted(payment, is_replay=True)


def _open(request: PaymentRequest, credential: Credential, *, at: dt.datetime) -> Accepted:
    """Write the payment, or find that this transaction id made this very payment before."""
    earlier = selectors.payment_of(request.transaction_id, Role.PAYER_PSP)
    if earlier is not None:
        _check_same(earlier, request)
        return Accepted(earlier, is_replay=True)
    liveness.require_switch()
    payer = customers.payer(
        customer_id=request.customer_id,
        device_id=request.device_id,
        account_id=request.account_id,
    )
    require_core_banking(payer.account.ifsc)
    if not owns_vpa(request.customer_id, request.payer_address):
        raise NotFoundError
    _check_limit(request, at=at)
    facts = _facts(request, payer, at=at)
    leg_id = _open_leg(facts, payer)
    pin_blocks.store(leg_id, [credential])
    outbox.publish([events.accepted(facts)])
    wakeups.wake_on_commit(STEP)
    # As the row has it, so that every later answer shows the same instants.
    payment = selectors.payment_of(request.transaction_id, Role.PAYER_PSP)
    assert payment is not None, "it was written above"
    return Accepted(payment, is_replay=False)


def _open_leg(facts: TransactionFacts, payer: Payer) -> UUID:
    leg = NewLeg(
        role=Role.PAYER_PSP,
        kind="PAY",
        state=State.CREATED,
        account_number=payer.account.account_number,
        account_type=payer.account.account_type,
        ifsc=payer.account.ifsc,
        device=device_to_json(payer.device),
        owner_id=payer.customer_id,
    )
    try:
        opened = open_leg(facts, leg)
    except TransactionDiffersError as error:
        raise TransactionIdTakenError from error
    if not opened.is_new:
        raise TransactionIdTakenError
    return opened.id


def _check_same(earlier: Payment, request: PaymentRequest) -> None:
    facts = earlier.transaction
    known = (earlier.owner_id, facts.amount, facts.payer_address, facts.payee_address)
    asked = (request.customer_id, request.amount, request.payer_address, request.payee_address)
    if known != asked:
        raise TransactionIdTakenError


def _check_limit(request: PaymentRequest, *, at: dt.datetime) -> None:
    """Refuse what the bank would surely decline; the posting transaction judges again."""
    limit = limits_on(clock.business_date(at)).payment_amount_paise
    if limit is not None and request.amount.paise > limit:
        raise PaymentLimitExceededError(field="amount")


def _facts(request: PaymentRequest, payer: Payer, *, at: dt.datetime) -> TransactionFacts:
    return TransactionFacts(
        id=request.transaction_id,
        rrn=new_rrn(at),
        amount=request.amount,
        payer_address=request.payer_address,
        payer_name=payer.name,
        payer_type="PERSON",
        payer_code="0000",
        payee_address=request.payee_address,
        payee_name=request.payee_name or request.payee_address.partition("@")[0],
        payee_type="PERSON",
        payee_code="0000",
        note=request.note,
        purpose=request.purpose,
        initiation_mode=request.initiation_mode,
        reference=request.reference,
        reference_url=request.reference_url,
        reference_category="00",
        initiated_at=at,
    )


def new_rrn(at: dt.datetime) -> str:
    """
    Return a new retrieval reference number of ours: 12 digits.

    Last digit of the year, day of the year, hour (IST), then six digits of a sequence
    (upi-protocol 1.3).
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('payments_rrn_sequence')")
        row = cursor.fetchone()
    assert row is not None, "a sequence has a next value"
    local = at.astimezone(IST)
    return f"{local.year % 10}{local:%j%H}{row[0]:06d}"
