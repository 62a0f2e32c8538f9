"""What the lines of the core-banking host's files prove of one call of ours."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from apps.accounts.states import CallKind
from apps.settlement.contracts import BreakKind, HostLine, LineKind, OurCall

_SIGNS = {CallKind.DEBIT: "D", CallKind.CREDIT: "C", CallKind.REVERSAL: "C"}
_OPPOSITE = {"D": "C", "C": "D"}


class Proof(StrEnum):
    """What became of a call: done, done and undone, never done; or nobody knows."""

    DONE = "DONE"
    UNDONE = "UNDONE"
    NOT_DONE = "NOT_DONE"
    NONE = "NONE"


@dataclass(frozen=True, slots=True)
class HostDays:
    """
    The business days whose files were taken, and those on which the host's calendar is not ours.

    On a day of `strange` an answer was dated neither that day nor the next. Which files would name
    its calls is not known then, and what they do not name proves nothing.
    """

    taken: Collection[dt.date]
    strange: Collection[dt.date]

    def would_name(self, call: OurCall) -> bool:
        """Whether a call that was done is certainly in a file that was taken."""
        return all(day in self.taken and day not in self.strange for day in call.days)


def proof(
    call: OurCall, lines: Sequence[HostLine], days: HostDays, *, codes: Mapping[str, str]
) -> Proof:
    """
    Return what all lines of a call's trace, or their absence, prove.

    A line that differs from the call proves nothing, nor does money that moved twice: both are for
    a person. `codes` are the processing codes of the host's profile.
    """
    if any(difference(line, call, codes=codes) for line in lines):
        return Proof.NONE
    posted = sum(line.kind is LineKind.POSTED for line in lines)
    if not lines:
        return Proof.NOT_DONE if days.would_name(call) else Proof.NONE
    if posted > 1:
        return Proof.NONE
    return Proof.UNDONE if posted < len(lines) else Proof.DONE


def difference(
    line: HostLine, call: OurCall, *, codes: Mapping[str, str]
) -> tuple[BreakKind, str] | None:
    """Return in what a line of a call's trace is not about that call; None if in nothing."""
    if line.amount != call.amount:
        detail = f"host {line.amount.display()}, ours {call.amount.display()}"
        return BreakKind.AMOUNT_DIFFERS, detail
    if line.rrn != call.rrn:
        return BreakKind.RRN_DIFFERS, f"host {line.rrn}, ours {call.rrn}"
    if line.account != call.account:
        return BreakKind.ACCOUNT_DIFFERS, "the host moved another account's money"
    sign = _SIGNS[call.kind]
    expected = sign if line.kind is LineKind.POSTED else _OPPOSITE[sign]
    theirs = (line.processing_code, line.sign, line.upi_id or call.transaction_id)
    if theirs != (codes[call.kind], expected, call.transaction_id):
        detail = f"host {line.processing_code} {line.sign}, ours {codes[call.kind]} {expected}"
        return BreakKind.MOVEMENT_DIFFERS, detail
    return None
