"""How the APIs' lists are asked for, page by page, and how they are written."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import QueryDict

from apps.common import ids, members
from apps.common.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class AskedPage:
    """At most so many rows, those that come after the one that the cursor names."""

    limit: int
    cursor: UUID | None


def asked_page(query: QueryDict, prefix: str) -> AskedPage:
    """
    Return which page of a list is asked for; cursors are public ids with this prefix.

    Raises InvalidInputError, DuplicateParameterError.
    """
    members.check_parameters(query, {"limit", "cursor"})
    text = query.get("cursor")
    cursor = ids.parse_public_id(prefix, text) if text is not None else None
    if text is not None and cursor is None:
        raise InvalidInputError(field="cursor")
    return AskedPage(members.page_rows(query), cursor)


def page(data: Sequence[Any], *, next_cursor: str | None = None) -> dict[str, Any]:
    """Return a list as the APIs write it; with a cursor, more follows."""
    return {
        "object": "list",
        "data": list(data),
        "has_more": next_cursor is not None,
        "next_cursor": next_cursor,
    }
