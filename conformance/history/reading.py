"""Read a history: what each transaction, key and account went through."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Line = Mapping[str, Any]


@dataclass(slots=True)
class History:
    """A run, by what is asked of it."""

    pays: list[Line] = field(default_factory=list)
    reads: dict[str, list[Line]] = field(default_factory=lambda: defaultdict(list))
    journals: dict[str, Line] = field(default_factory=dict)
    before: dict[str, int | None] = field(default_factory=dict)
    after: dict[str, int | None] = field(default_factory=dict)

    @classmethod
    def of(cls, lines: Iterable[Line]) -> "History":
        """Sort the lines of a run."""
        history = cls()
        for line in lines:
            history.take(line)
        return history

    @classmethod
    def from_file(cls, path: Path) -> "History":
        """Read a run from its file."""
        with path.open(encoding="utf-8") as lines:
            return cls.of(json.loads(line) for line in lines)

    def take(self, line: Line) -> None:
        """Take one line."""
        match line["kind"]:
            case "pay":
                self.pays.append(line)
            case "read":
                self.reads[line["txn_id"]].append(line)
            case "journal":
                self.journals[line["txn_id"]] = line
            case "balance":
                (self.before if line["when"] == "before" else self.after)[line["vpa"]] = line[
                    "paise"
                ]

    def accepted(self) -> list[Line]:
        """Return the orders that were answered as accepted."""
        return [pay for pay in self.pays if pay["outcome"] == "ok"]

    def last_read(self, transaction_id: str) -> Line | None:
        """Return the last time that somebody asked how a payment stands."""
        asked = self.reads.get(transaction_id, [])
        return max(asked, key=lambda line: line["returned_ns"], default=None)

    def answers(self, transaction_id: str, kind: str, sub_type: str = "") -> list[Line]:
        """Return what the bank answered for a leg, whether the switch took it or not."""
        journal = self.journals.get(transaction_id)
        found = [] if journal is None else journal["messages"]
        return [
            row
            for row in found
            if (row["direction"], row["api"], row["type"]) == ("in", "RespPay", kind)
            and sub_type in {"", row["sub_type"]}
        ]

    def was_asked(self, transaction_id: str, kind: str, sub_type: str = "") -> bool:
        """Say whether the switch ever sent a leg's request to the bank."""
        journal = self.journals.get(transaction_id)
        return journal is not None and any(
            (row["direction"], row["api"], row["type"]) == ("out", "ReqPay", kind)
            and sub_type in {"", row["sub_type"]}
            for row in journal["messages"]
        )

    def figures(self) -> dict[str, int]:
        """Return how much there was to judge."""
        messages = [row for journal in self.journals.values() for row in journal["messages"]]
        legs = {
            (row["api"], row["type"], row["sub_type"], row["original_id"] or row["transaction_id"])
            for row in messages
            if row["direction"] == "out" and row["api"] in {"ReqPay", "ReqAuthDetails"}
        }
        own = {pay["txn_id"] for pay in self.accepted()}
        return {
            "payments": len(self.journals),
            "legs of the bank": len(legs) + len(own),
            "orders of clients": len(self.pays),
            "reads of clients": sum(map(len, self.reads.values())),
            "messages": len(messages),
            "messages that met a fault": sum(1 for row in messages if row["fault"]),
        }
