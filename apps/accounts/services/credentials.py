"""
Work the requests about credentials: claim, call the token and the gateway, record and answer.

Three steps for a batch. `_prepare` takes PIN rows and tries; `_call` asks the token with no
transaction open; `_record` writes verdicts, tries and answers in one transaction.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction

from apps.accounts import selectors
from apps.accounts.contracts import PinResult, Try, TryAsk, TryState
from apps.accounts.core_banking.base import core_banking
from apps.accounts.errors import AccountNotFoundError, CoreBankingUnavailableError
from apps.accounts.models import CredentialRequest, Otp
from apps.accounts.services import answering, otp, pin
from apps.accounts.services.answering import Result
from apps.accounts.states import RequestKind, RequestState
from apps.common.faults import fault_point
from apps.messaging import claims
from apps.messaging.contracts import Claim
from apps.upi import timers
from apps.upi.contracts import Credential, DueAnswer
from apps.upi.services import pin_blocks
from apps.upi.services.answers import send_answers
from apps.upi.timer_models import Timer
from hsm import pin as hsm_pin
from hsm.errors import HsmError, PinBlockMalformedError, PinBlockRefusedError
from hsm.pin import PinAsk, PinBinding, PinVerdict, Verifier

log = structlog.get_logger(__name__)

# How long a request waits whose account is being verified for somebody else, elsewhere.
_WAIT_SECONDS = 0.1
_TOO_LATE = "IR"
# The bank's own failure: the only one of the core bank's that an answer about a balance may name.
_BALANCE_AWAY = "IR"
_PROOF_MISSING = "XF"
_OUTAGES = (OperationalError, InterfaceError)


@dataclass(slots=True)
class _Batch:
    """A batch on its way from claim to answer."""

    claim: Claim
    requests: list[CredentialRequest]
    results: dict[UUID, Result] = field(default_factory=dict)
    tries: dict[UUID, Try] = field(default_factory=dict)
    blocks: Mapping[UUID, tuple[Credential, ...]] = field(default_factory=dict)
    otps: dict[UUID, Otp] = field(default_factory=dict)
    waiting: list[Try] = field(default_factory=list)
    verdicts: list[PinResult] = field(default_factory=list)
    registrations: list[otp.Registration] = field(default_factory=list)

    def open(self, *kinds: RequestKind) -> list[CredentialRequest]:
        """Return the requests of these kinds that have no result yet and wait for nobody."""
        waiting = {each.exchange_id for each in self.waiting}
        return [
            request
            for request in self.requests
            if request.kind in kinds
            and request.pk not in self.results
            and request.pk not in waiting
        ]


def work_due() -> int:
    """Work one batch of due requests, and return how many were claimed."""
    claim = claims.claim_due(
        table=CredentialRequest._meta.db_table,
        states=[RequestState.RECEIVED, RequestState.WORKING],
        limit=settings.CLAIM_PIN_MAX,
        lease_seconds=settings.LEASE_PIN_SECONDS,
    )
    if not claim:
        return 0
    done = claims.bisect(claim.ids, lambda ids: _work(claim, ids), outages=_OUTAGES)
    for request_id, error in done.failures:
        log.error("credential_request_failed", exchange_id=str(request_id), exc_info=error)
        claims.fail(claim, [request_id], reason=type(error).__name__)
    send_answers([each for answers in done.results for each in answers])
    fault_point("credentials.sent")
    return len(claim.ids)


def _work(claim: Claim, ids: Sequence[UUID]) -> list[DueAnswer]:
    with transaction.atomic():
        batch = _prepare(claim, ids)
    fault_point("credentials.prepared")
    _call(batch)
    fault_point("credentials.called")
    with transaction.atomic():
        answers = _record(batch)
    fault_point("credentials.recorded")
    return answers


def _prepare(claim: Claim, ids: Sequence[UUID]) -> _Batch:
    """Refuse what needs no proof to be refused; take PIN rows, tries and OTPs for the rest."""
    batch = _Batch(claim, selectors.lock_requests(ids, claim=claim.token))
    _lock_accounts(batch.requests)
    now = selectors.database_now()
    for request in batch.requests:
        if request.received_at + timers.span(Timer.ANSWER) <= now:
            batch.results[request.pk] = Result(_TOO_LATE)
        elif request.kind != RequestKind.OTP and not request.has_credentials:
            batch.results[request.pk] = Result(_PROOF_MISSING)
    pin.leave(list(batch.results))
    batch.results |= otp.admit(batch.open(RequestKind.OTP), now=now)
    _take_tries(batch)
    batch.results |= _take_otps(batch, now=now)
    batch.blocks = pin_blocks.load([request.pk for request in batch.open(*RequestKind)])
    started = [request.pk for request in batch.open(*RequestKind)]
    CredentialRequest.objects.filter(pk__in=started).update(state=RequestState.WORKING)
    return batch


def _lock_accounts(requests: Sequence[CredentialRequest]) -> None:
    """Lock the PIN rows of all kinds at once, in one order: what follows locks parts of them."""
    numbers = {request.account_number for request in requests}
    selectors.lock_pin_states(selectors.account_ids_by_number(numbers).values())


def _take_tries(batch: _Batch) -> None:
    asking = batch.open(RequestKind.REGISTRATION, RequestKind.PIN_CHANGE, RequestKind.BALANCE)
    asks = [
        TryAsk(
            request.pk,
            request.account_number,
            request.mobile,
            _binding(request),
            takes_try=request.kind != RequestKind.REGISTRATION,
        )
        for request in asking
    ]
    for each in pin.take_tries(asks, claim=batch.claim.token):
        if each.state is TryState.TAKEN:
            batch.tries[each.exchange_id] = each
        elif each.state is TryState.WAITING:
            batch.waiting.append(each)
        else:
            batch.results[each.exchange_id] = Result(each.code)


def _take_otps(batch: _Batch, *, now: dt.datetime) -> dict[UUID, Result]:
    registering = batch.open(RequestKind.REGISTRATION)
    accounts = {request.pk: batch.tries[request.pk].account_id for request in registering}
    batch.otps, refused = otp.take(
        [(request, accounts[request.pk]) for request in registering], now=now
    )
    pin.release(list(refused), claim=batch.claim.token)
    return {exchange_id: Result(code) for exchange_id, code in refused.items()}


def _binding(request: CredentialRequest) -> PinBinding:
    api = {
        RequestKind.REGISTRATION: "ReqRegMob",
        RequestKind.PIN_CHANGE: "ReqSetCre",
        RequestKind.BALANCE: "ReqBalEnq",
    }[RequestKind(request.kind)]
    return PinBinding(api, request.txn_type, request.txn_id, "", request.payer_address, "")


def _call(batch: _Batch) -> None:
    """Ask the token and the gateway. No transaction is open."""
    batch.results |= otp.send(batch.open(RequestKind.OTP), claim=batch.claim)
    by_id = {request.pk: request for request in batch.requests}
    for verdict in pin.verify(list(batch.tries.values())):
        batch.verdicts.append(_follow_up(batch, by_id[verdict.exchange_id], verdict))
    for request in batch.open(RequestKind.REGISTRATION):
        batch.registrations.append(_register(batch, request))


def _follow_up(batch: _Batch, request: CredentialRequest, verdict: PinResult) -> PinResult:
    """Do what a right PIN allows: make the new verifier, or read the balance."""
    if verdict.verdict is not PinVerdict.RIGHT:
        return verdict
    credentials = batch.blocks[request.pk]
    if request.kind == RequestKind.BALANCE:
        batch.results[request.pk] = _balance(request, key_index=credentials[0].ki)
        return verdict
    made = _make_verifier(request, credentials[1])
    if isinstance(made, str):
        batch.results[request.pk] = Result(made)
        return verdict
    batch.results[request.pk] = Result("00")
    return PinResult(verdict.exchange_id, verdict.account_id, verdict.verdict, made)


def _balance(request: CredentialRequest, *, key_index: str) -> Result:
    try:
        amount = core_banking().balance(request.account_number)
    except (AccountNotFoundError, CoreBankingUnavailableError) as error:
        # An account of ours that the host does not have is the bank's trouble, not the customer's.
        log.warning("balance_not_told", error=error.code)
        return Result(_BALANCE_AWAY)
    return Result("00", balance=amount, key_index=key_index)


def _register(batch: _Batch, request: CredentialRequest) -> otp.Registration:
    """Verify the OTP, and only then look at the new PIN."""
    proof, new_pin = batch.blocks[request.pk]
    account_id = batch.tries[request.pk].account_id
    assert account_id is not None
    minted = batch.otps[request.pk]
    (verdict,) = hsm_pin.verify_many([_otp_ask(request, proof, minted)])
    code = otp.CODES[verdict]
    made = None if code else _make_verifier(request, new_pin)
    if isinstance(made, str):
        code, made = made, None
    batch.results[request.pk] = Result(code or "00")
    return otp.Registration(request.pk, account_id, minted.exchange_id, verdict, made)


def _otp_ask(request: CredentialRequest, proof: Credential, minted: Otp) -> PinAsk:
    block = pin.block_of(proof)
    assert block is not None
    return PinAsk(
        block=block,
        key_index=proof.ki,
        binding=_binding(request),
        bank_code=settings.UPI_BANK_CODE,
        account=request.account_number,
        verifier=Verifier(minted.verifier_key, bytes(minted.verifier)),
    )


def _make_verifier(request: CredentialRequest, credential: Credential) -> Verifier | str:
    """Return the verifier of a new PIN, or the code that says why there is none."""
    block = pin.block_of(credential)
    assert block is not None
    try:
        return hsm_pin.make_verifier(
            block,
            key_index=credential.ki,
            binding=_binding(request),
            bank_code=settings.UPI_BANK_CODE,
            account=request.account_number,
        )
    except PinBlockMalformedError:
        return pin.MALFORMED
    except PinBlockRefusedError:
        return pin.OTHER_CONTENT
    except HsmError as error:
        log.warning("verifier_not_made", error=type(error).__name__)
        return pin.UNAVAILABLE


def _record(batch: _Batch) -> list[DueAnswer]:
    """Write what came of the batch, for the requests that are still ours; return what to send."""
    claim = batch.claim
    ours = {
        request.pk: request
        for request in selectors.lock_requests(
            [request.pk for request in batch.requests], claim=claim.token
        )
    }
    _lock_accounts(batch.requests)
    for outcome in pin.record_verdicts(batch.verdicts, claim=claim.token):
        if outcome.code:
            batch.results[outcome.exchange_id] = Result(outcome.code)
        if not outcome.is_ours:
            batch.results.pop(outcome.exchange_id, None)
    otp.record(batch.registrations, claim=claim.token)
    answered = [request for request in ours.values() if request.pk in batch.results]
    answers = answering.answer(answered, batch.results, claim=claim.token)
    _let_wait(batch)
    return answers


def _let_wait(batch: _Batch) -> None:
    """Give back what waits for a hold; one that ends with this batch is waited for no longer."""
    ending = set(batch.tries)
    soon = [each.exchange_id for each in batch.waiting if each.holder in ending]
    later = [each.exchange_id for each in batch.waiting if each.holder not in ending]
    if soon:
        claims.release(batch.claim, soon)
    if later:
        claims.release(batch.claim, later, delay_seconds=_WAIT_SECONDS)
