"""Core banking by a bank's host: ISO 8583 over persistent links (docs/iso8583.md)."""

import os
import random
import weakref
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from django.db import transaction

from apps.accounts.core_banking import iso8583_calls as calls
from apps.accounts.core_banking import iso8583_profile, mirror
from apps.accounts.core_banking.base import (
    Order,
    OrderKind,
    Outcome,
    Result,
    StillOurs,
)
from apps.accounts.core_banking.iso8583_breaker import Breaker
from apps.accounts.core_banking.iso8583_calls import Call, Stored, Wish, Word
from apps.accounts.core_banking.iso8583_codec import Codec, Parsed
from apps.accounts.core_banking.iso8583_judging import Judge, Verdict
from apps.accounts.core_banking.iso8583_link import Link, Timing
from apps.accounts.core_banking.iso8583_links import Answers, Links
from apps.accounts.core_banking.iso8583_messages import Request, Writer, balance_of
from apps.accounts.core_banking.iso8583_sealing import Sealer
from apps.accounts.core_banking.iso8583_strays import Strays
from apps.accounts.core_banking.iso8583_stream import Peer
from apps.accounts.errors import AccountNotFoundError, CoreBankingUnavailableError
from apps.accounts.states import CallKind, CallState
from apps.common import clock
from apps.common.faults import fault_point
from apps.common.money import Money
from apps.ledger.selectors import lock_books

T = TypeVar("T")
# They share the patience of one call.
BALANCE_TRIES = 2


@dataclass(frozen=True, slots=True)
class Options:
    """What a bank says of its host; the seconds and counts have defaults that suit most."""

    address: str
    organisation: str
    tls_ca: str
    tls_certificate: str
    tls_key: str
    acquirer: str
    terminals: tuple[str, ...]
    profile: str = ""
    links: int = 1
    # Below half of the lease of a posting: what is silent for longer is unknown.
    answer_seconds: float = 4.5
    timing: Timing = field(default_factory=Timing)
    cancellations_per_second: int = 20
    # The host refuses a movement that comes after its cancellation; else only its file ends one.
    refuses_after_reversal: bool = True
    # The host recognises the repeat of a movement by STAN and RRN, and does not post it twice.
    recognises_repeats: bool = True

    @property
    def peer(self) -> Peer:
        """Where the host is, and who we are."""
        host, _, port = self.address.rpartition(":")
        return Peer(
            host, int(port), self.organisation, self.tls_ca, self.tls_certificate, self.tls_key
        )


class Iso8583CoreBanking:
    """
    The customer's money is at a host behind a line, which may be silent.

    Every call is planned in the transaction that admits its order, sent with no lock held, and its
    outcome recorded in a second transaction. A movement is sent once; what a silent host made of it
    is asked, and its cancellation repeated until the host has acknowledged it.
    """

    posts_at_once = False

    def __init__(self, **options: Any) -> None:
        self._options = Options(**options)
        self.cancels_for_good = self._options.refuses_after_reversal
        chosen = self._options.profile
        self._profile = iso8583_profile.load(Path(chosen) if chosen else iso8583_profile.OURS)
        self.counts: Counter[str] = Counter()
        self._writer = Writer(self._profile, acquirer=self._options.acquirer)
        self._judge = Judge(self._profile, self._options.refuses_after_reversal)
        self._sealer = Sealer(Codec(self._profile), self.counts)
        self._breaker = Breaker()
        self._strays = Strays(self._profile, acquirer=self._options.acquirer, counts=self.counts)
        self._links = Links(
            make=self._make_links,
            sealer=self._sealer,
            breaker=self._breaker,
            counts=self.counts,
            stray=self._strays.put,
        )
        _ALL.add(self)

    def work(
        self,
        *,
        admit: Callable[[], Sequence[Order]],
        still_ours: StillOurs,
        record: Callable[[Sequence[Outcome]], T],
    ) -> T:
        """Plan and admit in one transaction, call with none, record in another."""
        with transaction.atomic(durable=True):
            orders = admit()
            planned = self._plan([_movement(order) for order in orders])
        fault_point("core_banking.planned")
        pairs = list(zip(orders, planned, strict=True))
        answers = self._exchange([self._ordered(order, call) for order, call in pairs])
        fault_point("core_banking.answered")
        return self._record(
            [self._judge.movement(order, call, answers) for order, call in pairs],
            still_ours,
            record,
        )

    def enquire(
        self,
        *,
        admit: Callable[[], Sequence[Order]],
        still_ours: StillOurs,
        record: Callable[[Sequence[Outcome]], T],
    ) -> T:
        """Look what is known already, ask for the rest, and repeat returns that never arrived."""
        verdicts: list[Verdict] = []
        with transaction.atomic(durable=True):
            orders = admit()
            movements = calls.of_legs([order.leg_id for order in orders], calls.MOVEMENTS)
            asked: list[tuple[Order, Stored]] = []
            unsent: list[tuple[Order, Stored]] = []
            for order in orders:
                known = self._judge.known(order, movements.get(order.leg_id))
                movement = movements.get(order.leg_id)
                if known is not None or movement is None:
                    verdicts.append(known or self._judge.not_asked(order))
                elif not self.is_available():
                    verdicts.append(self._judge.not_asked(order))
                elif movement.state is CallState.NOT_SENT:
                    unsent.append((order, movement))
                else:
                    asked.append((order, movement))
            begun = calls.begin_again([movement for _, movement in unsent])
            planned = self._plan([_enquiry(order, movement) for order, movement in asked])
        fault_point("core_banking.enquiry_planned")
        answers = self._exchange(
            [
                self._writer.enquiry(call, movement.call, txn_id=order.txn_id)
                for (order, movement), call in zip(asked, planned, strict=True)
            ]
        )
        for (order, movement), call in zip(asked, planned, strict=True):
            verdicts.append(self._judge.enquiry(order, movement, call, answers))
        verdicts = self._repeat_returns(verdicts, asked)
        waiting = [order for order, each in unsent if each.call.id not in begun]
        verdicts += [self._judge.not_asked(order) for order in waiting]
        unsent = [(order, each) for order, each in unsent if each.call.id in begun]
        sent = self._exchange([self._ordered(order, each.call) for order, each in unsent])
        verdicts += [self._judge.movement(order, each.call, sent) for order, each in unsent]
        fault_point("core_banking.enquired")
        return self._record(verdicts, still_ours, record)

    def cancel(
        self,
        *,
        admit: Callable[[], Sequence[Order]],
        still_ours: StillOurs,
        record: Callable[[Sequence[Outcome]], T],
    ) -> T:
        """Send the cancellation of each order, or repeat it, as many as the cap allows now."""
        verdicts: list[Verdict] = []
        due: list[tuple[Order, Stored, Stored | None]] = []
        with transaction.atomic(durable=True):
            orders = admit()
            legs = [order.leg_id for order in orders]
            movements = calls.of_legs(legs, calls.MOVEMENTS)
            earlier = calls.of_legs(legs, [CallKind.CANCEL])
            for order in orders:
                movement, cancel = movements.get(order.leg_id), earlier.get(order.leg_id)
                known = self._judge.cancelled(order, movement, cancel)
                if known is not None or movement is None:
                    verdicts.append(known or self._judge.not_asked(order))
                else:
                    due.append((order, movement, cancel))
            allowed = self._allowance(len(due))
            verdicts += [self._judge.not_asked(order) for order, _, _ in due[allowed:]]
            requests = self._plan_cancellations(due[:allowed])
        fault_point("core_banking.cancel_planned")
        answers = self._exchange(requests)
        fault_point("core_banking.cancel_answered")
        for (order, _, _), request in zip(due[:allowed], requests, strict=True):
            verdicts.append(self._judge.cancellation(order, request.call, answers))
        return self._record(verdicts, still_ours, record)

    def is_available(self) -> bool:
        """Tell whether no process has lately found the host silent for three echoes."""
        return not self._breaker.is_open()

    def balance(self, account_number: str) -> Money:
        """
        Ask the host, and once more if it is silent: a question moves nothing.

        Raises AccountNotFoundError, CoreBankingUnavailableError.
        """
        state, answer = self._ask_balance(account_number)
        if state is CallState.SILENT:
            _, answer = self._ask_balance(account_number)
        if answer is None:
            raise CoreBankingUnavailableError
        if answer.get(39) in self._profile.no_account_responses:
            raise AccountNotFoundError
        held = balance_of(answer)
        if held is None or self._profile.response(answer.get(39)).result is not Result.POSTED:
            raise CoreBankingUnavailableError
        return held

    def close(self) -> None:
        """Sign off, and keep what came last."""
        self._links.close()
        self._strays.close()

    def after_fork(self) -> None:
        """In a child: open links of its own when it first needs them."""
        self._links.start_anew()
        self._strays.start_anew()

    def _make_links(self, links: Links) -> list[Link]:
        return [
            Link(
                peer=self._options.peer,
                timing=self._options.timing,
                words=(self._writer, self._sealer, self._options.terminals[0]),
                breaker=self._breaker,
                take=links.take,
                changed=links.changed,
            )
            for _ in range(self._options.links)
        ]

    def _plan(self, wishes: Sequence[Wish]) -> list[Call]:
        if not wishes:
            return []
        return calls.plan(
            wishes, acquirer=self._options.acquirer, terminals=self._options.terminals
        )

    def _exchange(self, requests: Sequence[Request], *, tries: int = 1) -> Answers:
        return self._links.exchange(
            requests,
            connect_seconds=self._options.timing.connect_seconds,
            answer_seconds=self._options.answer_seconds / tries,
        )

    def _ask_balance(self, account_number: str) -> tuple[CallState, Parsed | None]:
        with transaction.atomic(durable=True):
            (call,) = self._plan([Wish(CallKind.BALANCE, _rrn(), 0)])
        request = self._writer.balance(call, account_number=account_number)
        answers = self._exchange([request], tries=BALANCE_TRIES)
        word, state = self._judge.word(call, answers), self._judge.state(call, answers)
        with transaction.atomic(durable=True):
            calls.record([(call.id, state, word)], final_codes=self._profile.final_codes)
        return state, answers.received.get(call.id)

    def _ordered(self, order: Order, call: Call, *, is_repeat: bool = False) -> Request:
        return self._writer.movement(
            call, account_number=order.account_number, txn_id=order.txn_id, is_repeat=is_repeat
        )

    def _repeat_returns(
        self, verdicts: list[Verdict], asked: Sequence[tuple[Order, Stored]]
    ) -> list[Verdict]:
        """Send returns once more of which the host knows nothing, if it recognises repeats."""
        if not self._options.recognises_repeats:
            return verdicts
        movements: Mapping[UUID, Stored] = {order.leg_id: movement for order, movement in asked}
        again = [
            verdict
            for verdict in verdicts
            if verdict.outcome.is_found is False and verdict.outcome.order.leg_id in movements
        ]
        again = [each for each in again if each.outcome.order.kind is OrderKind.REVERSAL]
        if not again:
            return verdicts
        with transaction.atomic(durable=True):
            begun = calls.begin_again([movements[each.outcome.order.leg_id] for each in again])
        again = [each for each in again if movements[each.outcome.order.leg_id].call.id in begun]
        pairs = [(each.outcome.order, movements[each.outcome.order.leg_id]) for each in again]
        answers = self._exchange(
            [self._ordered(order, movement.call, is_repeat=True) for order, movement in pairs]
        )
        others = [verdict for verdict in verdicts if verdict not in again]
        # The enquiry's own answer is kept beside what the repeat was told.
        return others + [
            self._judge.movement(order, movement.call, answers).after(verdict)
            for verdict, (order, movement) in zip(again, pairs, strict=True)
        ]

    def _allowance(self, wanted: int) -> int:
        if not wanted or not self.is_available():
            return 0
        return calls.take_allowance(wanted, per_second=self._options.cancellations_per_second)

    def _plan_cancellations(
        self, due: Sequence[tuple[Order, Stored, Stored | None]]
    ) -> list[Request]:
        # One that was acknowledged meanwhile is repeated all the same: that undoes nothing more.
        calls.begin_again([cancel for _, _, cancel in due if cancel is not None])
        fresh = iter(
            self._plan(
                [
                    _cancellation(order, movement)
                    for order, movement, cancel in due
                    if cancel is None
                ]
            )
        )
        return [
            self._writer.cancellation(
                next(fresh) if cancel is None else cancel.call,
                movement.call,
                account_number=order.account_number,
                txn_id=order.txn_id,
                is_repeat=cancel is not None and cancel.state is not CallState.NOT_SENT,
            )
            for order, movement, cancel in due
        ]

    def _record(
        self,
        verdicts: Sequence[Verdict],
        still_ours: StillOurs,
        record: Callable[[Sequence[Outcome]], T],
    ) -> T:
        """Write outcomes, and what the host posted into our own books, in one transaction."""
        words: list[tuple[UUID, CallState, Word | None]] = [
            word for verdict in verdicts for word in verdict.words
        ]
        with transaction.atomic(durable=True):
            # A leg whose claim ended may have been cancelled meanwhile: our books do not follow a
            # word that nobody waits for. The lock of the books comes before those of legs.
            lock_books()
            ours = still_ours([verdict.outcome.order.leg_id for verdict in verdicts])
            outcomes = [each.outcome for each in verdicts if each.outcome.order.leg_id in ours]
            posted = [each.order for each in outcomes if each.result is Result.POSTED]
            transfers = iter(mirror.post(posted))
            now = clock.now()
            result = record(
                [
                    replace(each, transfer_id=next(transfers), posted_at=now)
                    if each.result is Result.POSTED
                    else each
                    for each in outcomes
                ]
            )
            # Legs come before calls, here and where calls are planned.
            calls.record(words, final_codes=self._profile.final_codes)
            fault_point("core_banking.recorded")
        fault_point("core_banking.committed")
        return result


def _movement(order: Order) -> Wish:
    return Wish(CallKind(order.kind), order.rrn, order.amount.paise, order.leg_id)


def _enquiry(order: Order, movement: Stored) -> Wish:
    return Wish(CallKind.ENQUIRY, order.rrn, order.amount.paise, order.leg_id, movement.call.id)


def _cancellation(order: Order, movement: Stored) -> Wish:
    return Wish(CallKind.CANCEL, order.rrn, order.amount.paise, order.leg_id, movement.call.id)


def _rrn() -> str:
    """Return a reference for a question that belongs to no payment: year, day, and digits."""
    return f"{clock.now():%y%j}"[1:] + f"{random.SystemRandom().randrange(10**8):08}"


_ALL: "weakref.WeakSet[Iso8583CoreBanking]" = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for adapter in list(_ALL):
        adapter.after_fork()


os.register_at_fork(after_in_child=_after_fork_in_child)
