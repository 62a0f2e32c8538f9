"""
Verify PINs so that at most three wrong ones of an account ever reach the token.

Claim, call, record, for a batch of exchanges at once:
`take_tries` locks the accounts' PIN rows before looking, and gives each to one exchange at a time,
a try paid in advance; `verify` asks the token with no transaction open; `record_verdicts` writes
verdict and tries and deletes the blocks in one transaction. `leave` is for an exchange whose leg
was refused in between: its row is still verified, for the try alone, by `finish_left`.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from apps.accounts import checking, selectors
from apps.accounts.checking import Standing
from apps.accounts.contracts import PinOutcome, PinResult, Try, TryAsk, TryState
from apps.accounts.models import PIN_TRIES_MAX, BankAccount, PinState
from apps.accounts.services import pin_rows
from apps.accounts.states import HoldState
from apps.common.faults import fault_point
from apps.messaging import claims
from apps.upi import timers
from apps.upi.contracts import Credential
from apps.upi.services import pin_blocks
from apps.upi.timer_models import Timer
from hsm import pin as hsm_pin
from hsm.errors import HsmError
from hsm.pin import PinAsk, PinBinding, PinVerdict, Verifier

log = structlog.get_logger(__name__)

# upi-protocol 5.5: no PIN, no tries left, wrong; malformed; other content; token or block gone.
NOT_SET = "AM"
LOCKED = "Z6"
WRONG = "ZM"
MALFORMED = "XF"
OTHER_CONTENT = "B6"
UNAVAILABLE = "HS"

_BLOCK_PREFIX = "2.0|"
_DEBIT = "DEBIT"
_CODES = {
    PinVerdict.RIGHT: "",
    PinVerdict.WRONG: WRONG,
    PinVerdict.REFUSED: OTHER_CONTENT,
    PinVerdict.MALFORMED: MALFORMED,
    PinVerdict.UNAVAILABLE: UNAVAILABLE,
}


def take_tries(asks: Sequence[TryAsk], *, claim: UUID) -> list[Try]:
    """
    Ask for the PIN rows of several exchanges, in the caller's transaction; answer each in order.

    The account is checked first. A new hold costs a try; the holder may ask again under another
    claim, which costs none. Blocks of refused exchanges are deleted. The caller has locked its
    own rows before.
    """
    accounts = selectors.accounts_by_number({ask.account_number for ask in asks})
    rows = selectors.lock_pin_states([account.pk for account in accounts.values()])
    blocks = pin_blocks.load([ask.exchange_id for ask in asks])
    standing = checking.standing_of(accounts.values())
    desk = _Desk(claim, blocks, standing, selectors.database_now())
    tries = []
    for ask in asks:
        account = accounts.get(ask.account_number)
        if account is None:
            tries.append(_refused(ask, _account_refusal(ask, None, standing)))
        else:
            tries.append(desk.take(ask, account, rows[account.pk]))
    changed = [row for row in rows.values() if row.pk in desk.changed]
    pin_rows.save(changed)
    pin_blocks.delete([each.exchange_id for each in tries if each.state is TryState.REFUSED])
    return tries


def verify(tries: Sequence[Try]) -> list[PinResult]:
    """Ask the token about the tries taken. No transaction is open: nothing waits for the token."""
    taken = [(each, each.ask) for each in tries if each.ask is not None]
    fault_point("pin.taken")
    verdicts = hsm_pin.verify_many([ask for _, ask in taken])
    fault_point("pin.verified")
    results = []
    for (each, ask), verdict in zip(taken, verdicts, strict=True):
        assert each.account_id is not None
        renewed = _renewed(ask) if verdict is PinVerdict.RIGHT else None
        results.append(PinResult(each.exchange_id, each.account_id, verdict, renewed))
    return results


def record_verdicts(results: Sequence[PinResult], *, claim: UUID) -> list[PinOutcome]:
    """
    Write verdicts and tries, free the rows, and delete the blocks, in the caller's transaction.

    A try comes back on a technical answer only if no claim had asked before: an earlier one may
    have shown the token a wrong PIN and died.
    """
    rows = selectors.lock_pin_states([result.account_id for result in results])
    outcomes = []
    changed = []
    for result in results:
        row = rows[result.account_id]
        is_ours = row.holder == result.exchange_id and row.claim == claim
        if is_ours:
            _apply(row, result)
            changed.append(row)
        outcomes.append(PinOutcome(result.exchange_id, _CODES[result.verdict], is_ours))
    pin_rows.save(changed)
    pin_blocks.delete([outcome.exchange_id for outcome in outcomes if outcome.is_ours])
    return outcomes


def leave(exchange_ids: Sequence[UUID]) -> None:
    """
    Give up on verifying these exchanges, in the transaction that refuses their legs.

    Where an exchange holds a PIN row, block and try stay with the row, which is still verified:
    its wrong PIN must not come free. Other blocks are deleted.
    """
    rows = selectors.lock_pin_states_held_by(exchange_ids)
    due_at = selectors.database_now() + dt.timedelta(seconds=settings.LEASE_PIN_SECONDS)
    for row in rows:
        row.state = HoldState.LEFT
        row.next_action_at = due_at
    pin_rows.save(rows)
    held = {row.holder for row in rows}
    pin_blocks.delete([each for each in exchange_ids if each not in held])


def finish_left() -> int:
    """
    Verify, for the try alone, rows whose exchange was left; free those whose block is gone.

    Returns how many rows it took up.
    """
    with transaction.atomic():
        claim = claims.claim_due(
            table=PinState._meta.db_table,
            states=[HoldState.HELD, HoldState.LEFT],
            limit=settings.CLAIM_PIN_MAX,
            lease_seconds=settings.LEASE_PIN_SECONDS,
        )
        tries = _take_up(claim.ids)
    results = verify(tries)
    with transaction.atomic():
        record_verdicts(results, claim=claim.token)
    return len(claim.ids)


def release(exchange_ids: Sequence[UUID], *, claim: UUID) -> None:
    """Free rows that these exchanges hold without a try, and delete their blocks."""
    rows = selectors.lock_pin_states_held_by(exchange_ids)
    for row in rows:
        assert row.claim == claim
        assert not row.has_taken_try
        free(row)
    pin_rows.save(rows)
    pin_blocks.delete(exchange_ids)


def free(row: PinState) -> None:
    """End the hold of a row that the caller has locked and will save."""
    row.state = HoldState.FREE
    row.holder = row.claim = row.binding = row.next_action_at = None
    row.has_taken_try = False
    row.claims = 0


def restore_tries(row: PinState) -> None:
    """Give a row all its tries, as a right PIN or a new one does."""
    row.tries_left = PIN_TRIES_MAX
    row.locked_at = None


def verifier_of(row: PinState) -> Verifier | None:
    """Return what is kept of the account's PIN, None if it never had one."""
    return None if row.verifier is None else Verifier(row.verifier_key, bytes(row.verifier))


def block_of(credential: Credential) -> str | None:
    """Return the block of a credential, None when it is not of the wire's form."""
    data = credential.data.reveal()
    return data.removeprefix(_BLOCK_PREFIX) if data.startswith(_BLOCK_PREFIX) else None


class _Desk:
    """Hands out PIN rows that are locked, one exchange each."""

    def __init__(
        self,
        claim: UUID,
        blocks: Mapping[UUID, tuple[Credential, ...]],
        standing: Standing,
        now: dt.datetime,
    ) -> None:
        self._claim = claim
        self._blocks = blocks
        self._standing = standing
        self._now = now
        self.changed: set[int] = set()

    def take(self, ask: TryAsk, account: BankAccount, row: PinState) -> Try:
        is_repeat = row.holder == ask.exchange_id
        # A try that is paid is used, whatever became of the account: posting checks it again.
        refusal = "" if is_repeat else _account_refusal(ask, account, self._standing)
        if refusal:
            return _refused(ask, refusal)
        if row.state != HoldState.FREE and not is_repeat:
            return Try(ask.exchange_id, TryState.WAITING, account.pk, holder=row.holder)
        self._unlock_when_time_has_passed(row)
        refusal = self._refuse(ask, row, is_repeat=is_repeat)
        if refusal:
            if is_repeat:
                # The block is gone and with it the verdict: the try it cost stays spent.
                free(row)
                self.changed.add(row.pk)
            return _refused(ask, refusal)
        self._hold(ask, row, is_repeat=is_repeat)
        token_ask = self._token_ask(ask, account, row)
        return Try(ask.exchange_id, TryState.TAKEN, account.pk, ask=token_ask)

    def _unlock_when_time_has_passed(self, row: PinState) -> None:
        lock = timers.span(Timer.PIN_LOCK)
        if row.state == HoldState.FREE and row.locked_at and row.locked_at + lock <= self._now:
            restore_tries(row)
            self.changed.add(row.pk)

    def _refuse(self, ask: TryAsk, row: PinState, *, is_repeat: bool) -> str:
        if ask.takes_try and row.verifier is None:
            return NOT_SET
        if ask.takes_try and row.tries_left == 0 and not is_repeat:
            return LOCKED
        credentials = self._blocks.get(ask.exchange_id)
        if not credentials:
            return UNAVAILABLE
        if any(block_of(credential) is None for credential in credentials):
            return MALFORMED
        return ""

    def _hold(self, ask: TryAsk, row: PinState, *, is_repeat: bool) -> None:
        if not is_repeat:
            row.holder = ask.exchange_id
            row.state = HoldState.HELD
            row.has_taken_try = ask.takes_try
            row.binding = asdict(ask.binding)
            # Beyond the block's life there is nothing to verify: then the row frees itself.
            row.next_action_at = self._now + dt.timedelta(
                seconds=timers.seconds(Timer.PIN_BLOCK_LIFE)
            )
            if ask.takes_try:
                row.tries_left -= 1
                row.locked_at = self._now if row.tries_left == 0 else None
        row.claims += 1
        row.claim = self._claim
        self.changed.add(row.pk)

    def _token_ask(self, ask: TryAsk, account: BankAccount, row: PinState) -> PinAsk | None:
        if not ask.takes_try:
            return None
        return _token_ask(row, account, self._blocks[ask.exchange_id][0], ask.binding)


def _account_refusal(ask: TryAsk, account: BankAccount | None, standing: Standing) -> str:
    """Return why the account refuses; what stands against debits is no matter of other requests."""
    if ask.binding.type == _DEBIT:
        return standing.debit_refusal(account, mobile=ask.mobile)
    return selectors.remitter_refusal(account, mobile=ask.mobile)


def _token_ask(
    row: PinState, account: BankAccount, credential: Credential, binding: PinBinding
) -> PinAsk:
    verifier, block = verifier_of(row), block_of(credential)
    assert verifier is not None
    assert block is not None
    return PinAsk(
        block=block,
        key_index=credential.ki,
        binding=binding,
        bank_code=settings.UPI_BANK_CODE,
        account=account.number,
        verifier=verifier,
    )


def _take_up(account_ids: Sequence[int]) -> list[Try]:
    """Take up rows that the open transaction has claimed; free those that cannot be verified."""
    rows = selectors.lock_pin_states(account_ids)
    accounts = BankAccount.objects.in_bulk(list(rows))
    blocks = pin_blocks.load([row.holder for row in rows.values() if row.holder is not None])
    tries = []
    for row in rows.values():
        assert row.holder is not None
        row.claims += 1
        credentials = blocks.get(row.holder)
        if not row.has_taken_try or not credentials or row.verifier is None:
            log.info("pin_hold_released", exchange_id=str(row.holder))
            pin_blocks.delete([row.holder])
            free(row)
            continue
        account = accounts[row.pk]
        ask = _token_ask(row, account, credentials[0], _binding_of(row))
        tries.append(Try(row.holder, TryState.TAKEN, row.pk, ask=ask))
    pin_rows.save(rows.values())
    return tries


def _binding_of(row: PinState) -> PinBinding:
    assert row.binding is not None
    return PinBinding(**row.binding)


def _refused(ask: TryAsk, code: str) -> Try:
    return Try(ask.exchange_id, TryState.REFUSED, code=code)


def _renewed(ask: PinAsk) -> Verifier | None:
    """Return the same PIN's verifier under today's key, when it was made under an older one."""
    if hsm_pin.is_current(ask.verifier):
        return None
    try:
        return hsm_pin.make_verifier(
            ask.block,
            key_index=ask.key_index,
            binding=ask.binding,
            bank_code=ask.bank_code,
            account=ask.account,
        )
    except HsmError as error:
        # The PIN was right all the same; its next use renews it.
        log.warning("verifier_not_renewed", error=type(error).__name__)
        return None


def _apply(row: PinState, result: PinResult) -> None:
    is_first_claim = row.claims == 1
    if result.verdict is PinVerdict.RIGHT:
        restore_tries(row)
        if result.renewed is not None:
            row.verifier_key, row.verifier = result.renewed.key_label, result.renewed.value
    elif result.verdict is not PinVerdict.WRONG and is_first_claim:
        row.tries_left += 1
        row.locked_at = None
    free(row)
