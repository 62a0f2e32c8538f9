"""The last messages that passed the switch, as the page shows them: without secrets."""

import copy
import re
from collections import deque
from dataclasses import dataclass, field

from lxml import etree

from sandbox import clock, codec
from sandbox.codec import Envelope

_KEPT_MAX = 2_000
_LINES_MAX = 400
# Each is masked when it is asked for, and the switch does nothing else meanwhile.
_DOCUMENTS_MAX = 100
_HIDDEN = "•••"
_SHOWN_DIGITS = 4
_SECRET_TEXTS = {"Data", "keyValue"}
_NUMBERS = {"acNum", "accRefNumber", "id", "aadhaarNo"}
_NUMBER_DETAILS = {"ACNUM", "CARDNUM", "UIDNUM", "CARDDIGITS", "EXPDATE", "MOBNUM", "MOBILE", "ID"}
# The digits of a branch, in an address that names an account, are nobody's number.
_LONG_NUMBER = re.compile(r"(?<!@[A-Za-z]{4})(?<!\d)\d{6,}")


@dataclass(frozen=True, slots=True)
class Passed:
    """One message as it passed."""

    number: int
    at: str
    direction: str
    org_id: str
    ack: str
    fault: str
    envelope: Envelope = field(repr=False)


class Traffic:
    """Keeps the last messages in memory; a restart forgets them."""

    def __init__(self) -> None:
        self._passed: deque[Passed] = deque(maxlen=_KEPT_MAX)
        self._count = 0

    def note(self, direction: str, org_id: str, envelope: Envelope, *, ack: str, fault: str) -> str:
        """Keep a message, and return the instant at which it passed."""
        at = clock.iso(clock.now())
        self._count += 1
        self._passed.append(Passed(self._count, at, direction, org_id, ack, fault, envelope))
        return at

    def after(self, number: int) -> list[dict[str, object]]:
        """Return what passed last, after this number, the oldest first."""
        later = [_line(passed) for passed in self._passed if passed.number > number]
        return later[-_LINES_MAX:]

    def documents(self, number: int) -> list[dict[str, object]]:
        """Return what passed after this number with the messages themselves, secrets hidden."""
        later = [passed for passed in self._passed if passed.number > number][:_DOCUMENTS_MAX]
        return [_line(passed) | {"xml": _masked(passed.envelope.root)} for passed in later]

    def xml(self, number: int) -> str | None:
        """Return a message as it was, with its secrets hidden; None if it is forgotten."""
        found = next((passed for passed in self._passed if passed.number == number), None)
        return None if found is None else _masked(found.envelope.root)


def hidden(text: str) -> str:
    """Hide all but the last digits of a long number."""
    return _LONG_NUMBER.sub(lambda match: _tail(match[0]), text)


def _line(passed: Passed) -> dict[str, object]:
    envelope = passed.envelope
    return {
        "number": passed.number,
        "at": passed.at,
        "direction": passed.direction,
        "org_id": passed.org_id,
        "api": envelope.api,
        "type": envelope.type,
        "sub_type": envelope.sub_type,
        "txn_id": envelope.transaction_id,
        "original_id": envelope.original_id,
        "result": envelope.result,
        "code": envelope.code,
        "ack": passed.ack,
        "fault": passed.fault,
    }


def _masked(root: codec.Element) -> str:
    shown = copy.deepcopy(root)
    for signature in shown.findall(f"{{{codec.SIGNATURE_NAMESPACE}}}Signature"):
        shown.remove(signature)
    for found in shown.iter():
        name = etree.QName(found).localname
        if name in _SECRET_TEXTS and found.text:
            found.text = _HIDDEN
        if name in {"Tag", "Detail"} and found.get("name") in _NUMBER_DETAILS:
            found.set("value", _tail(found.get("value", "")))
        if name in {"Link", "ReqMsg"}:
            found.set("value", _tail(found.get("value", "")))
        for attribute in _NUMBERS & set(found.keys()) if name != "Txn" else ():
            found.set(attribute, _tail(found.get(attribute, "")))
        if "addr" in found.keys():  # noqa: SIM118 - an element iterates over its children
            found.set("addr", hidden(found.get("addr", "")))
    etree.indent(shown)
    return etree.tostring(shown, encoding="unicode")


def _tail(text: str) -> str:
    return _HIDDEN + text[-_SHOWN_DIGITS:] if len(text) > _SHOWN_DIGITS else _HIDDEN
