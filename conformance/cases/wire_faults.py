"""The faults of the wire: in words for a case's text, and as orders to the sandbox."""

from collections.abc import Sequence
from dataclasses import dataclass

from conformance.case import Role
from conformance.cases.payment import Order

LATE_SECONDS = 20
_DELAY_SECONDS = 1
WORDS = {
    "lose": "is lost though it counts as delivered",
    "unreachable": "finds nobody at the other end",
    "lose_ack": "is taken, and its Ack is lost",
    "nack": "is refused",
    "delay": "comes late, in time",
    "late": "comes when nobody waits for it any more",
    "duplicate": "comes twice, byte for byte",
    "repeat": "comes again under a new message id",
}
# After other faults something is listed, or waits to be asked about, though all went as it should.
LEAVES_NOTHING = {"delay", "duplicate", "repeat"}


@dataclass(frozen=True, slots=True)
class Message:
    """A message on its way, and whose part of the bank it examines; `direction` is the switch's."""

    role: Role
    direction: str
    api: str
    type: str
    sub_type: str = ""

    @property
    def name(self) -> str:
        """Return what a case calls it."""
        kind = "" if self.api.endswith(self.type) else self.type
        return " ".join(filter(None, (self.api, kind, self.sub_type)))


def ordered(message: Message, fault: str) -> Order:
    """Return the order that lets a message meet a fault."""
    seconds = {"late": LATE_SECONDS, "delay": _DELAY_SECONDS}.get(fault, 0)
    return Order(
        "delay" if seconds else fault,
        message.direction,
        message.api,
        message.type,
        message.sub_type,
        seconds=seconds,
        code="U08" if fault == "nack" else "",
    )


def in_words(
    message: Message, fault: str, before: Sequence[Order] = (), *, whose: bool = False
) -> str:
    """Return what a message meets, and what went wrong before it."""
    side = "to the bank" if message.direction == "out" else "of the bank"
    said = " ".join(filter(None, (message.name, side if whose else "", WORDS[fault])))
    if not before:
        return said
    return f"{said}, after " + " and ".join(f"{each.api} {each.type} was lost" for each in before)
