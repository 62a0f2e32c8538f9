"""Faults that the control door orders: messages lost, late, doubled or refused on the wire."""

import enum
from dataclasses import dataclass, field

from sandbox.chance import REORDER, Chance
from sandbox.codec import Envelope


class Direction(enum.StrEnum):
    """Which way a message goes, seen from the switch."""

    OUT = "out"
    IN = "in"


class Action(enum.StrEnum):
    """
    What happens to a message.

    LOSE: taken over by the network and never delivered. An outgoing message counts as acked; an
    incoming one is acked and forgotten.
    UNREACHABLE: the connection breaks before the message is read; nobody acts on it.
    LOSE_ACK: delivered and acted on, but its Ack is lost; the switch then holds it for not acked,
    and an answer to it for late.
    NACK: refused with a negative Ack (incoming only).
    DELAY: delivered this many seconds later (an incoming message is acked at once).
    DUPLICATE: the same bytes twice. REPEAT: once more with a new message id (outgoing only).
    """

    LOSE = "lose"
    UNREACHABLE = "unreachable"
    LOSE_ACK = "lose_ack"
    NACK = "nack"
    DELAY = "delay"
    DUPLICATE = "duplicate"
    REPEAT = "repeat"


NOT_INCOMING = {Action.REPEAT}
NOT_OUTGOING = {Action.NACK}
# What may happen by chance: a refusal has a reason, so it is only ordered.
BY_CHANCE = (*(action for action in Action if action is not Action.NACK), REORDER)


@dataclass(slots=True)
class Fault:
    """One order: which messages, what happens to them, and to how many."""

    direction: Direction
    action: Action
    api: str = ""
    type: str = ""
    sub_type: str = ""
    transaction_id: str = ""
    count: int = 1
    seconds: float = 0
    code: str = "U08"
    hits: int = 0

    def fits(self, direction: Direction, envelope: Envelope) -> bool:
        """Say whether this message is one of those meant. An empty field fits everything."""
        return (
            self.hits < self.count
            and self.direction is direction
            and self.api in {"", envelope.api}
            and self.type in {"", envelope.type}
            and self.sub_type in {"", envelope.sub_type}
            and self.transaction_id in {"", envelope.transaction_id, envelope.original_id}
        )


@dataclass(slots=True)
class Faults:
    """
    All orders, in the order given, and the faults by chance.

    A message meets at most one fault; an order comes before chance.
    """

    orders: list[Fault] = field(default_factory=list)
    chance: Chance | None = None

    def take(self, direction: Direction, envelope: Envelope) -> Fault | None:
        """Return the first order that fits this message, and count it; None if none does."""
        for fault in self.orders:
            if fault.fits(direction, envelope):
                fault.hits += 1
                return fault
        return self._by_chance(direction, envelope)

    def _by_chance(self, direction: Direction, envelope: Envelope) -> Fault | None:
        if self.chance is None:
            return None
        fate = self.chance.fate(direction, envelope)
        if fate is None:
            return None
        name, seconds = fate
        action = Action.DELAY if name == REORDER else Action(name)
        wrong = NOT_INCOMING if direction is Direction.IN else NOT_OUTGOING
        return None if action in wrong else Fault(direction, action, seconds=seconds)
