"""Faults of the core-banking host, ordered or by chance: what goes wrong with one message."""

import enum
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.chance import Chance
from sandbox.host_codec import Message


class Kind(enum.StrEnum):
    """
    What happens to a message.

    Done, and the answer goes wrong: TIMEOUT_APPLIED (no answer), LATE (after `seconds`), DUPLICATE
    (twice), CROSSED_STAN (with another STAN), OTHER_AMOUNT, OTHER_RRN and OTHER_ACCOUNT (with
    another DE4, DE37, DE102 or DE103), BAD_MAC, NO_MAC, OTHER_MAC (that of the answer before),
    CONTROL_BYTES (in DE44), PIN_BLOCK (in DE52, which no message of this wire may have), GARBAGE
    (noise in a frame), ONE_BYTE_SEGMENTS, TORN (half a frame, then the end), RESET (no answer, the
    end).
    Done in part: PARTIAL (half the amount, and the answer says so).
    Done later: HELD (the host begins after `seconds`, as if the network had kept it).
    Not done: TIMEOUT_NOT_APPLIED, BLACK_HOLE (everything, for `seconds` or until it is ended),
    UNKNOWN_CODE (answered with `code`; done all the same if so ordered).
    """

    TIMEOUT_APPLIED = "timeout_applied"
    TIMEOUT_NOT_APPLIED = "timeout_not_applied"
    LATE = "late"
    HELD = "held"
    DUPLICATE = "duplicate"
    CROSSED_STAN = "crossed_stan"
    OTHER_AMOUNT = "other_amount"
    OTHER_RRN = "other_rrn"
    OTHER_ACCOUNT = "other_account"
    PARTIAL = "partial"
    BAD_MAC = "bad_mac"
    NO_MAC = "no_mac"
    OTHER_MAC = "other_mac"
    BLACK_HOLE = "black_hole"
    UNKNOWN_CODE = "unknown_code"
    CONTROL_BYTES = "control_bytes"
    PIN_BLOCK = "pin_block"
    GARBAGE = "garbage"
    ONE_BYTE_SEGMENTS = "one_byte_segments"
    TORN = "torn"
    RESET = "reset"


# The others last or need more than a message: they are only ordered.
BY_CHANCE = tuple(kind for kind in Kind if kind not in {Kind.BLACK_HOLE, Kind.UNKNOWN_CODE})
NOT_DONE = frozenset({Kind.TIMEOUT_NOT_APPLIED, Kind.BLACK_HOLE})
SILENT = frozenset({*NOT_DONE, Kind.TIMEOUT_APPLIED})


@dataclass(slots=True)
class Fault:
    """One order: which messages, what happens to them, and to how many."""

    kind: Kind
    mti: str = ""
    processing_code: str = ""
    terminal: str = ""
    account: str = ""
    count: int = 1
    seconds: float = 0
    code: str = "ZZ"
    is_done: bool = False
    hits: int = 0
    begun: float = field(default_factory=time.monotonic)

    def fits(self, message: Message) -> bool:
        """Say whether this message is one of those meant. An empty field fits everything."""
        return (
            self._lasts()
            and self.mti in {"", message.mti}
            and self.processing_code in {"", message.get(3)}
            and self.terminal in {"", message.get(41)}
            and self.account in {"", message.get(102), message.get(103)}
        )

    def _lasts(self) -> bool:
        if self.kind is Kind.BLACK_HOLE:
            return not self.seconds or time.monotonic() < self.begun + self.seconds
        return self.hits < self.count


@dataclass(slots=True)
class HostFaults:
    """
    All orders, in the order given, and the faults by chance.

    A message meets at most one fault; an order comes before chance.
    """

    orders: list[Fault] = field(default_factory=list)
    chance: Chance | None = None

    def take(self, message: Message) -> Fault | None:
        """Return the first order that fits this message, and count it; None if none does."""
        for fault in self.orders:
            if fault.fits(message):
                fault.hits += 1
                return fault
        fate = self.chance.fate_of(message.mti, message.get(3)) if self.chance else None
        return None if fate is None else Fault(Kind(fate[0]), seconds=fate[1])

    def shown(self) -> list[Mapping[str, object]]:
        """Return the orders as the control door shows them."""
        return [
            {
                "kind": str(fault.kind), "mti": fault.mti,
                "processing_code": fault.processing_code, "terminal": fault.terminal,
                "account": fault.account[-4:].rjust(len(fault.account), "X"),
                "count": fault.count, "hits": fault.hits, "seconds": fault.seconds,
            }
            for fault in self.orders
        ]  # fmt: skip
