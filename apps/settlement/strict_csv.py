"""Read comma-separated values strictly: every line has every field, or nothing is read."""

import csv
import io
from collections.abc import Sequence

from apps.common.errors import DomainError

BYTES_MAX = 256 * 1024 * 1024


def records(
    content: bytes, *, columns: Sequence[str], refusal: type[DomainError]
) -> list[dict[str, str]]:
    """
    Return the lines after the first, which names the columns.

    Raises `refusal` for another layout, bytes that are no text, or a file cut in a line.
    """
    if len(content) > BYTES_MAX:
        raise refusal("the file is larger than any day's")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise refusal("the file is not UTF-8") from error
    if not text.endswith("\n"):
        raise refusal("the file ends in the middle of a line")
    lines = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        if tuple(lines.fieldnames or ()) != tuple(columns):
            raise refusal("the columns are not those of the layout")
        return [
            _whole(line, number, columns, refusal) for number, line in enumerate(lines, start=2)
        ]
    except csv.Error as error:
        raise refusal("the file is not CSV") from error


def _whole(
    line: dict[str, str | None], number: int, columns: Sequence[str], refusal: type[DomainError]
) -> dict[str, str]:
    if None in line or None in line.values():
        raise refusal(f"line {number} has not {len(columns)} fields")
    return {name: value or "" for name, value in line.items()}
