"""The process file: what runs, how it is ready, and what must be ready before it."""

import signal
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from string import Template
from typing import Any

from deploy.local.errors import LocalError

DEFAULT = Path(__file__).with_name("processes.toml")
PYTHON = sys.executable
READY_KINDS = ("http", "tcp", "file", "output")
# Some parts have no sign of readiness; one that lives this long will go on living.
SETTLED_SECONDS = 0.5


class ProcessFileError(LocalError):
    """The process file says something that cannot be; the text names the part and the word."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A sign of readiness: an address that answers, a file that appears, a text that is printed."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class PartPlan:
    """
    One part as the file describes it. A part with `once` is ready when it has ended well.

    One with `when` is left out unless the environment has these values; then nobody needs it.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Ready | None = None
    ready_seconds: float = 90.0
    needs: tuple[str, ...] = ()
    when: Mapping[str, str] = field(default_factory=dict)
    once: bool = False
    restart: bool = True
    grace_seconds: float = 10.0
    stop_signal: signal.Signals = signal.SIGTERM


@dataclass(frozen=True, slots=True)
class ProcessFile:
    """The ports our processes listen on, and the parts in an order in which they can start."""

    ports: Mapping[str, int]
    environment: Mapping[str, str]
    parts: tuple[PartPlan, ...]

    def under(self, environment: Mapping[str, str]) -> "ProcessFile":
        """Return the file without the parts that this environment does not ask for."""
        wanted = [part for part in self.parts if part.when.items() <= environment.items()]
        names = {part.name for part in wanted}
        kept = (
            replace(part, needs=tuple(need for need in part.needs if need in names))
            for part in wanted
        )
        return replace(self, parts=tuple(kept))

    def chosen(self, names: Sequence[str]) -> tuple[PartPlan, ...]:
        """Return the named parts and all that they need, in order."""
        by_name = {part.name: part for part in self.parts}
        wanted: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in by_name:
                message = f"there is no part {name}: the parts are {', '.join(by_name)}"
                raise ProcessFileError(message)
            if name not in wanted:
                wanted.add(name)
                waiting.extend(by_name[name].needs)
        return tuple(part for part in self.parts if part.name in wanted)


def load(path: Path = DEFAULT) -> ProcessFile:
    """Read and check the file. Raises ProcessFileError."""
    content = tomllib.loads(path.read_text())
    unknown = content.keys() - {"ports", "environment", "part"}
    if unknown:
        raise ProcessFileError(f"{path.name} has unknown tables: {', '.join(sorted(unknown))}")
    parts = [_part(name, table) for name, table in content.get("part", {}).items()]
    return ProcessFile(
        ports=content.get("ports", {}),
        environment=content.get("environment", {}),
        parts=_in_order(parts),
    )


def expand(part: PartPlan, values: Mapping[str, str]) -> PartPlan:
    """Return the part with every ${NAME} replaced. Raises ProcessFileError on an unknown name."""

    def filled(text: str) -> str:
        try:
            return Template(text).substitute(values)
        except (KeyError, ValueError) as error:
            message = f"part {part.name}: nothing is known of {error} in {text!r}"
            raise ProcessFileError(message) from error

    return replace(
        part,
        command=tuple(filled(word) for word in part.command),
        environment={name: filled(value) for name, value in part.environment.items()},
        ready=Ready(part.ready.kind, filled(part.ready.value)) if part.ready else None,
    )


def _part(name: str, table: dict[str, Any]) -> PartPlan:
    known = set(PartPlan.__dataclass_fields__) - {"name"}
    unknown = table.keys() - known
    if unknown:
        raise ProcessFileError(f"part {name}: unknown words {', '.join(sorted(unknown))}")
    if not table.get("command"):
        raise ProcessFileError(f"part {name}: there is no command")
    values = dict(table)
    values["command"] = tuple(_words(table["command"]))
    values["needs"] = tuple(table.get("needs", ()))
    values["ready"] = _ready(name, table.get("ready"))
    values["stop_signal"] = signal.Signals[f"SIG{table.get('stop_signal', 'TERM')}"]
    return PartPlan(name=name, **values)


def _words(command: str | list[str]) -> list[str]:
    """Split at blanks; a word with a blank in it needs the list form."""
    return command.split() if isinstance(command, str) else command


def _ready(name: str, table: dict[str, str] | None) -> Ready | None:
    if table is None:
        return None
    if len(table) != 1 or not table.keys() <= set(READY_KINDS):
        raise ProcessFileError(f"part {name}: ready takes one of {', '.join(READY_KINDS)}")
    ((kind, value),) = table.items()
    return Ready(kind, value)


def _in_order(parts: Sequence[PartPlan]) -> tuple[PartPlan, ...]:
    by_name = {part.name: part for part in parts}
    for part in parts:
        missing = set(part.needs) - by_name.keys()
        if missing:
            raise ProcessFileError(f"part {part.name} needs {', '.join(sorted(missing))}: unknown")
    graph = {part.name: part.needs for part in parts}
    try:
        return tuple(by_name[name] for name in TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise ProcessFileError(f"parts need each other: {' → '.join(error.args[1])}") from error
