"""The bundle of evidence: for each case its text, its findings, and every message, masked."""

import json
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import httpx

from conformance.case import Verdict
from conformance.place import TIMEOUT_SECONDS, Control
from conformance.report import ROLE_NAMES, Facts, catalogue

JournalOf = Callable[[str], dict[str, Any]]
_LOOK_SECONDS = 0.5
_README = """\
# Evidence of a conformance run

Begun {run.began_at}, {run.seconds} s, {run.lanes} lanes, commit `{run.commit}`.
Time limits of the platform x {run.platform_scale}, of the switch x {run.switch_scale}.
Python {run.python}; {versions}.

| role | letters | passed | cases |
|---|---|---|---|
{roles}

`cases/<id>/case.json` has a case's text, verdict and findings, `messages.xml` every message that
passed the switch about its transactions, in order, with Ack and fault, and `journal.json` how the
switch ended them and what it made the banks owe.

Of messages, account, mobile and card numbers are down to their last digits. Credentials and keys
are cut out, and with them the signatures, which would not fit any more. The switch remembers its
last messages only; of this run {forgotten} had passed before they were read.

| case | verdict | messages | what |
|---|---|---|---|
{cases}
"""
_ABOUT = ("number", "at", "direction", "org_id", "ack", "fault")


@dataclass(slots=True)
class Witness:
    """Reads along what passes the switch, which masks it and remembers the last messages only."""

    control: Control
    seen: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    forgotten: int = 0
    _last: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read from now on, and to the last message at the end."""
        self._last = self._newest()
        thread = threading.Thread(target=self._read_on, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()
            while self._take():
                pass

    def of(self, transaction_ids: Sequence[str]) -> list[Mapping[str, Any]]:
        """Return what passed about these transactions and their reversals and checks, in order."""
        wanted = set(transaction_ids)
        return [
            message
            for _, message in sorted(self.seen.items())
            if wanted & {message["txn_id"], message["original_id"]}
        ]

    def _read_on(self) -> None:
        while not self._stop.is_set():
            try:
                is_more = self._take()
            except httpx.TransportError:
                is_more = False
            if not is_more:
                self._stop.wait(_LOOK_SECONDS)

    def _take(self) -> bool:
        found = self.control.call("GET", f"/traffic/messages?after={self._last}")["messages"]
        for message in found:
            self.forgotten += message["number"] - self._last - 1
            self._last = message["number"]
            self.seen[self._last] = message
        return bool(found)

    def _newest(self) -> int:
        passed = self.control.call("GET", "/traffic")["messages"]
        return int(passed[-1]["number"]) if passed else 0


@contextmanager
def witnessed(url: str) -> Iterator[Witness]:
    """Read along with the switch behind this control door, over a connection of its own."""
    with httpx.Client(timeout=TIMEOUT_SECONDS) as client:
        witness = Witness(Control(url, client))
        with witness.reading():
            yield witness


def write(
    path: Path, run: Facts, verdicts: Sequence[Verdict], witness: Witness, journal_of: JournalOf
) -> None:
    """Write the bundle as a zip; `journal_of` tells what the switch's journal has of a Txn.id."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as bundle:
        lines = []
        for verdict in verdicts:
            messages = witness.of(verdict.transaction_ids)
            folder = f"cases/{verdict.case.id}"
            bundle.writestr(f"{folder}/case.json", _case(verdict))
            bundle.writestr(f"{folder}/messages.xml", _messages(verdict.case.id, messages))
            bundle.writestr(f"{folder}/journal.json", _journal(verdict, journal_of))
            lines.append(_line(verdict, len(messages)))
        bundle.writestr("run.json", json.dumps(asdict(run), indent=1))
        bundle.writestr("README.md", _index(run, verdicts, witness, lines))


def masked(found: Any) -> Any:
    """Return a part of the journal with every account number down to its last four digits."""
    if isinstance(found, dict):
        return {
            name: f"****{str(value)[-4:]}" if name == "acNum" else masked(value)
            for name, value in found.items()
        }
    return [masked(each) for each in found] if isinstance(found, list) else found


def _case(verdict: Verdict) -> str:
    outcome = {
        "verdict": "passed" if verdict.passed else "failed",
        "reason": verdict.reason,
        "seconds": round(verdict.seconds, 1),
        "findings": [asdict(finding) for finding in verdict.findings],
    }
    return json.dumps(catalogue([verdict.case])[0] | outcome, indent=1, ensure_ascii=False)


def _messages(case_id: str, messages: Sequence[Mapping[str, Any]]) -> str:
    """Write the messages as one document; each is whole but for what was masked."""
    parts = [f"<messages case={quoteattr(case_id)}>"]
    for message in messages:
        about = " ".join(f"{name}={quoteattr(str(message[name]))}" for name in _ABOUT)
        parts.append(f"<message {about}>\n{str(message['xml']).strip()}\n</message>")
    return "\n".join([*parts, "</messages>", ""])


def _journal(verdict: Verdict, journal_of: JournalOf) -> str:
    """Write what the switch's journal says of the payments: how they ended, who owes what."""
    found = {}
    for transaction_id in verdict.transaction_ids:
        journal = journal_of(transaction_id)
        if journal["payment"] is not None:
            found[transaction_id] = {
                "payment": masked(journal["payment"]),
                "entries": journal["entries"],
            }
    return json.dumps(found, indent=1)


def _line(verdict: Verdict, messages: int) -> str:
    mark = "passed" if verdict.passed else "FAILED"
    return f"| {verdict.case.id} | {mark} | {messages} | {verdict.case.title} |"


def _index(run: Facts, verdicts: Sequence[Verdict], witness: Witness, lines: list[str]) -> str:
    roles = []
    for role, name in ROLE_NAMES.items():
        own = [verdict for verdict in verdicts if verdict.case.role is role]
        passed = sum(verdict.passed for verdict in own)
        roles.append(f"| {name} | {role} | {passed} | {len(own)} |")
    return _README.format(
        run=run,
        versions=", ".join(f"{name} {version}" for name, version in run.versions.items()),
        roles="\n".join(roles),
        cases="\n".join(lines),
        forgotten=witness.forgotten,
    )
