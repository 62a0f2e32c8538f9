"""Search files and the WAL for canaries: `grep` for fixed bytes, a rule for what digits mean."""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.leaks.canaries import SHORT_PIN, Pattern

WAL = "the WAL"
# Of each file: a leak in every line must not fill the disk.
LINES_MAX = 1000
# What fits one command, however long the paths are.
FILES_MAX = 5000
_HIT = re.compile(rb"(?P<file>[^\0]*)\0(?P<offset>[0-9]+):(?P<value>.*)", re.DOTALL)
# A number that the bank gives to accounts, with no longer number or identifier around it.
_ACCOUNT = r"(?<![0-9A-Za-z.-])001[12][0-9]{8}(?![0-9A-Za-z-])"


@dataclass(frozen=True, slots=True)
class Leak:
    """A canary where it must not be. What this says does not give the canary away."""

    place: str
    offset: int
    canary: str
    form: str


def for_patterns(
    patterns: Iterable[Pattern], files: Sequence[Path], *, wal: Iterable[bytes] | None = None
) -> list[Leak]:
    """Return where a pattern is in the files, and in the WAL if that is given."""
    known: Mapping[bytes, Pattern] = {pattern.value: pattern for pattern in patterns}
    assert known, "a search for nothing finds nothing"
    assert all(value and b"\n" not in value for value in known), "grep takes one pattern a line"
    with tempfile.NamedTemporaryFile() as listed:
        listed.writelines(value + b"\n" for value in known)
        listed.flush()
        hits = list(_grep(["-F", "-f", listed.name], files, wal=wal))
    return [
        Leak(place, offset, known[value].canary, known[value].form) for place, offset, value in hits
    ]


def for_account_numbers(files: Sequence[Path]) -> list[Leak]:
    """Return where something of the form of our account numbers is in the files."""
    return [
        Leak(place, offset, f"account …{value[-4:].decode()}", "the form of our numbers")
        for place, offset, value in _grep(["-P", "-e", _ACCOUNT], files)
    ]


def for_short_pins(pins: frozenset[bytes], files: Sequence[Path]) -> list[Leak]:
    """Return where a short PIN stands beside a word for one."""
    return [
        Leak(str(file), match.start(), "PIN", "digits beside a word for a PIN")
        for file in files
        if file.exists()
        for match in SHORT_PIN.finditer(file.read_bytes())
        if (match[1] or match[2]) in pins
    ]


def by_place(leaks: Iterable[Leak]) -> list[str]:
    """Return a line for each place: how often, in which forms, and where first."""
    found: dict[str, list[Leak]] = {}
    for leak in leaks:
        found.setdefault(leak.place, []).append(leak)
    return [
        f"{place}: {len(there)} times ({', '.join(sorted({leak.form for leak in there}))}), "
        f"first {there[0].canary} at byte {there[0].offset}"
        for place, there in sorted(found.items())
    ]


def _grep(
    options: Sequence[str], files: Sequence[Path], *, wal: Iterable[bytes] | None = None
) -> Iterator[tuple[str, int, bytes]]:
    for start in range(0, max(len(files), 1), FILES_MAX):
        part = files[start : start + FILES_MAX]
        yield from _grep_at_once(options, part, wal=None if start else wal)


def _grep_at_once(
    options: Sequence[str], files: Sequence[Path], *, wal: Iterable[bytes] | None
) -> Iterator[tuple[str, int, bytes]]:
    places = [*map(str, files), *(["-"] if wal is not None else [])]
    command = ["grep", "-obaHZ", f"--max-count={LINES_MAX}", f"--label={WAL}", *options, "--"]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [*command, *places],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=errors,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
        )
        assert process.stdin is not None
        # It stops reading when it has seen enough.
        with suppress(BrokenPipeError), process.stdin as stream:
            stream.writelines(wal or ())
        process.wait()
        output.seek(0)
        errors.seek(0)
        # A file may go away between the listing and the search; nothing else may go wrong.
        strange = [line for line in errors if b"No such file" not in line]
        assert strange == [], strange[:5]
        for line in output.read().split(b"\n")[:-1]:
            match = _HIT.fullmatch(line)
            assert match is not None, "grep prints the file, the offset and what it found"
            yield match["file"].decode(), int(match["offset"]), match["value"]
