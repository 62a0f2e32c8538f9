"""What the switch may hear from a member bank, and the two things it does with one."""

from dataclasses import dataclass
from typing import Protocol

from sandbox import codec
from sandbox.codec import Envelope


@dataclass(frozen=True, slots=True)
class Answered:
    """The bank's answer, in time."""

    envelope: Envelope

    @property
    def is_success(self) -> bool:
        """Say whether the bank did what was asked."""
        return self.envelope.result == "SUCCESS"

    @property
    def code(self) -> str:
        """Return the bank's code: 00 for a plain success."""
        reference = self.envelope.root.find("Resp/Ref")
        named = "" if reference is None else reference.get("reversalRespCode", "")
        named = named or ("" if reference is None else reference.get("respCode", ""))
        return self.envelope.code or named or ("00" if self.is_success else "96")


@dataclass(frozen=True, slots=True)
class NotAcked:
    """The bank did not take the request: no Ack, or a negative one with this code."""

    code: str


@dataclass(frozen=True, slots=True)
class Silent:
    """The bank took the request and did not answer in time."""


Outcome = Answered | NotAcked | Silent


class Member(Protocol):
    """A member bank as the switch sees it."""

    async def ask(self, request: codec.Element, *, limit_seconds: float | None) -> Outcome:
        """
        Send a request and wait for its answer, at most this long.

        Without a limit the caller ends the wait by cancelling it; an answer that was taken before
        is still returned.
        """
        ...

    async def tell(self, answer: codec.Element) -> bool:
        """Deliver an answer of the switch, again if need be. Say whether it was acked."""
        ...
