"""A core-banking host over a line: admit commits, the call, then record in its own transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from django.db import connection, transaction

from apps.accounts.core_banking.base import Order, Outcome, Result
from apps.common.money import Money


class LineBrokenError(Exception):
    """The process that called the host does not live to record its word."""


@dataclass
class Host:
    """
    Keeps money elsewhere. `plan` says how it answers each posting in turn, then it posts.

    `told` says what it answers to each enquiry and each cancellation in turn, then it is silent.
    """

    plan: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    called: list[Order] = field(default_factory=list)
    asked: list[tuple[str, Order]] = field(default_factory=list)
    before_record: Callable[[], None] | None = None
    is_up: bool = True
    posts_at_once = False
    cancels_for_good: bool = True

    def work(self, *, admit, still_ours, record):
        with transaction.atomic(durable=True):
            orders = admit()
        outcomes = self._call(orders)
        if self.before_record is not None:
            self.before_record()
        return self._record(outcomes, still_ours, record)

    def enquire(self, *, admit, still_ours, record):
        return self._ask("enquiry", admit, still_ours, record)

    def cancel(self, *, admit, still_ours, record):
        return self._ask("cancellation", admit, still_ours, record)

    def _record(self, outcomes, still_ours, record):
        with transaction.atomic(durable=True):
            ours = still_ours([each.order.leg_id for each in outcomes])
            return record([each for each in outcomes if each.order.leg_id in ours])

    def _ask(self, kind, admit, still_ours, record):
        with transaction.atomic(durable=True):
            orders = admit()
        assert not connection.in_atomic_block, "a slow host must not hold our locks"
        self.asked += [(kind, order) for order in orders]
        words = [self.told.pop(0) if self.told else "silent" for _ in orders]
        outcomes = [_OUTCOMES[word](order) for word, order in zip(words, orders, strict=True)]
        return self._record(outcomes, still_ours, record)

    def is_available(self) -> bool:
        return self.is_up

    def balance(self, account_number: str) -> Money:
        raise NotImplementedError

    def _call(self, orders: Sequence[Order]) -> list[Outcome]:
        assert not connection.in_atomic_block, "a slow host must not hold our locks"
        self.called += orders
        outcomes = []
        for order in orders:
            answer = self.plan.pop(0) if self.plan else "post"
            if answer == "die":
                raise LineBrokenError
            outcomes.append(_OUTCOMES[answer](order))
        return outcomes


_OUTCOMES = {
    "post": lambda order: Outcome(order, Result.POSTED, "00", uuid4()),
    "decline": lambda order: Outcome(order, Result.DECLINED, "Z9"),
    "silent": lambda order: Outcome(order, Result.UNKNOWN, ""),
    "not found": lambda order: Outcome(order, Result.UNKNOWN, "", is_found=False),
    "no line": lambda order: Outcome(order, Result.UNKNOWN, "", was_asked=False),
    "undone": lambda order: Outcome(order, Result.DECLINED, "XY"),
}
