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
    """Keeps money elsewhere. `plan` says how it answers each call in turn, then it posts."""

    plan: list[str] = field(default_factory=list)
    called: list[Order] = field(default_factory=list)
    before_record: Callable[[], None] | None = None
    posts_at_once = False

    def work(self, *, admit, record):
        with transaction.atomic(durable=True):
            orders = admit()
        outcomes = self._call(orders)
        if self.before_record is not None:
            self.before_record()
        with transaction.atomic(durable=True):
            return record(outcomes)

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
}
