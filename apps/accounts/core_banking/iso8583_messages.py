"""What is said to a host and what its answers mean: from planned calls to fields, and back."""

import datetime as dt
import re
from dataclasses import dataclass, field

from apps.accounts.core_banking.iso8583_calls import Call, Word
from apps.accounts.core_banking.iso8583_codec import Parsed
from apps.accounts.core_banking.iso8583_profile import Profile
from apps.accounts.states import CallKind
from apps.common import clock
from apps.common.money import Money

SIGN_ON = "001"
SIGN_OFF = "002"
ECHO = "301"
_FORWARDER = "0" * 11
# DE54: account type, amount type, currency, sign, twelve digits.
_BALANCE_CHARACTERS = 20
_TRANSMITTED = re.compile(r"[0-9]{10}")
_SIGN, _DIGITS = 7, slice(8, 20)

Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Request:
    """A call as it is sent, and what its answer must repeat."""

    call: Call
    fields: dict[str, str] = field(repr=False)

    @property
    def key(self) -> Key:
        """What the answer is found by: class of the message type, DE41, DE7, DE11."""
        return (self.fields["t"][:2], self.call.terminal, self.call.transmitted, self.call.trace)

    def is_answered_by(self, answer: Parsed) -> bool:
        """Whether an answer of our key repeats RRN, amount and processing code, and our account."""
        # A host may leave the account out, but it may not name another one.
        return all(answer.get(number) == self.fields[str(number)] for number in (37, 4, 3)) and all(
            answer.get(int(side)) in {"", self.fields[side]}
            for side in ("102", "103")
            if side in self.fields
        )


def key_of(answer: Parsed) -> Key:
    """Return what an answer is matched by."""
    return (answer.mti[:2], answer.get(41), answer.get(7), answer.get(11))


class Writer:
    """Says things in the words of a profile."""

    def __init__(self, profile: Profile, *, acquirer: str) -> None:
        self._profile = profile
        self._acquirer = acquirer

    def movement(
        self, call: Call, *, account_number: str, txn_id: str, is_repeat: bool = False
    ) -> Request:
        """Return a debit, a credit, or the return of a debit; the very same again as a repeat."""
        side = "102" if call.wish.kind is CallKind.DEBIT else "103"
        return self._request(
            call,
            "0201" if is_repeat else "0200",
            call.wish.kind,
            {"48": txn_id, side: account_number},
        )

    def balance(self, call: Call, *, account_number: str) -> Request:
        """Return the question for a balance."""
        return self._request(call, "0200", CallKind.BALANCE, {"102": account_number})

    def enquiry(self, call: Call, original: Call, *, txn_id: str) -> Request:
        """Return the question what became of an earlier call."""
        fields = {"48": txn_id, "90": self._original(original)}
        return self._request(call, "0200", CallKind.ENQUIRY, fields)

    def cancellation(
        self, call: Call, original: Call, *, account_number: str, txn_id: str, is_repeat: bool
    ) -> Request:
        """Return the order to undo a movement, or to refuse it if it still comes."""
        side = "102" if original.wish.kind is CallKind.DEBIT else "103"
        return self._request(
            call,
            "0421" if is_repeat else "0420",
            original.wish.kind,
            {
                "48": txn_id,
                "60": self._profile.reversal_reason,
                "90": self._original(original),
                side: account_number,
            },
        )

    def management(self, code: str, *, terminal: str, trace: int) -> dict[str, str]:
        """Return a sign-on, a sign-off or an echo."""
        return {
            "t": "0800",
            "7": f"{clock.now():%m%d%H%M%S}",
            "11": f"{trace:06}",
            "32": self._acquirer,
            "41": terminal,
            "70": code,
        }

    def _request(self, call: Call, mti: str, kind: CallKind, more: dict[str, str]) -> Request:
        local = call.transmitted_at.astimezone(clock.IST)
        fields = {
            "t": mti,
            "3": self._profile.processing_codes[kind],
            "4": f"{call.wish.paise:012}",
            "7": call.transmitted,
            "11": call.trace,
            "12": f"{local:%H%M%S}",
            "13": f"{local:%m%d}",
            "32": self._acquirer,
            "37": call.wish.rrn,
            "41": call.terminal,
            **self._profile.fixed,
            **more,
        }
        return Request(call, fields)

    def _original(self, call: Call) -> str:
        return f"0200{call.trace}{call.transmitted}{self._acquirer:0>11}{_FORWARDER}"


def word_of(answer: Parsed, *, near: dt.datetime, at: dt.datetime) -> Word:
    """Return what an answer says, as the call's row keeps it."""
    return Word(
        response_code=answer.get(39),
        answered_at=at,
        original_code=_code_of(answer.get(44)),
        approval=answer.get(38),
        settlement_date=_date(answer.get(15), near=clock.business_date(near)),
    )


def _code_of(text: str) -> str:
    """Return the response code that free text begins with, if it does: no row takes all bytes."""
    return text[:2] if text[:2].isalnum() else ""


def instant_of(transmitted: str, *, near: dt.datetime) -> dt.datetime | None:
    """Return the instant of a DE7, which has no year: the one nearest to another instant."""
    # What is shorter is read all the same, a digit here and none there.
    if not _TRANSMITTED.fullmatch(transmitted):
        return None
    for year in (near.year, near.year - 1, near.year + 1):
        try:
            at = dt.datetime.strptime(f"{year}{transmitted}", "%Y%m%d%H%M%S").replace(tzinfo=dt.UTC)
        except ValueError:
            continue
        if abs(at - near) < dt.timedelta(days=183):
            return at
    return None


def balance_of(answer: Parsed) -> Money | None:
    """Return the first balance of DE54, or None when there is none that can be read."""
    text = answer.get(54)[:_BALANCE_CHARACTERS]
    if len(text) < _BALANCE_CHARACTERS or text[_SIGN] not in {"C", "D"}:
        return None
    digits = text[_DIGITS]
    if not (digits.isascii() and digits.isdigit()):
        return None
    return Money(int(digits) if text[_SIGN] == "C" else -int(digits))


def _date(text: str, *, near: dt.date) -> dt.date | None:
    noon = dt.datetime.combine(near, dt.time(12), tzinfo=dt.UTC)
    at = instant_of(f"{text}120000", near=noon)
    return None if at is None else at.date()
