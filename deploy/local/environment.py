"""The environment of this process and the dotenv file that carries addresses to every other."""

import os
from collections.abc import Mapping
from pathlib import Path


def inherited() -> dict[str, str]:
    """Return a copy of the environment this process was started with."""
    return dict(os.environ)


def write_dotenv(path: Path, values: Mapping[str, str]) -> None:
    """Write the file; its owner alone may read it, for it carries passwords."""
    write_private(path, "".join(f"{name}={_quote(values[name])}\n" for name in sorted(values)))


def write_private(path: Path, text: str) -> None:
    """Replace the file in one step, readable by its owner only."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(path)


def read_dotenv(path: Path) -> dict[str, str]:
    """Read what `write_dotenv` wrote; a missing file is empty."""
    if not path.exists():
        return {}
    values = {}
    for line in path.read_text().splitlines():
        name, separator, value = line.partition("=")
        if separator:
            values[name] = value[1:-1] if value.startswith("'") else value
    return values


def _quote(value: str) -> str:
    if any(character in value for character in "'\n\\"):
        message = (
            f"a value with a quote, a line end or a backslash does not fit a dotenv file: {value!r}"
        )
        raise ValueError(message)
    return f"'{value}'" if any(character in value for character in ' #$"') else value
