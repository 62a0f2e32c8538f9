"""JSON as our APIs read and write it: strict in, exact out."""

import json
from collections.abc import Mapping
from typing import Any, NoReturn

import orjson
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from apps.common.errors import DomainError, InvalidInputError

BODY_BYTES_MAX = 64 * 1024
DEPTH_MAX = 16


class BodyTooLargeError(DomainError):
    """The body is larger than the API reads."""

    code = "too_large"
    title = "The request body is too large"
    http_status = 413


class LengthRequiredError(DomainError):
    """
    The body comes in pieces of unknown number.

    The server behind us reads as much as is announced: it would take such a body for none at all,
    and a request whose members may be left out for one that leaves them out.
    """

    code = "length_required"
    title = "The request must say how long its body is"
    http_status = 411


class MalformedJsonError(InvalidInputError):
    """The body is not one JSON object."""

    code = "malformed_json"
    title = "The request body is not valid JSON"


class DuplicateMemberError(InvalidInputError):
    """An object names a member twice, so that two readers could read two things."""

    code = "duplicate_member"
    title = "A JSON object has the same member twice"


class NotFiniteNumber(str):
    """
    Stands for NaN, Infinity or a number beyond all bounds.

    It is no number and no text that any field accepts, so the field that holds it refuses it
    with its own code instead of the whole body failing without a place.
    """

    __slots__ = ()


def loads(body: bytes) -> Any:
    """
    Read JSON strictly.

    Raises MalformedJsonError (form, depth, text that is not UTF-8), DuplicateMemberError.
    """
    try:
        text = body.decode("utf-8")
        _check_depth(text)
        return json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=NotFiniteNumber,
            parse_int=_whole,
            parse_float=NotFiniteNumber,
        )
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise MalformedJsonError from error


def _check_depth(text: str) -> None:
    depth = 0
    is_text = is_escaped = False
    for sign in text:
        if is_text:
            is_escaped, is_text = _inside_text(sign, is_escaped=is_escaped)
        elif sign == '"':
            is_text = True
        elif sign in "[{":
            depth += 1
            if depth > DEPTH_MAX:
                raise MalformedJsonError("The request body is nested too deep")
        elif sign in "]}":
            depth -= 1


def _inside_text(sign: str, *, is_escaped: bool) -> tuple[bool, bool]:
    """Return (is the next sign escaped, are we still inside the text)."""
    if is_escaped:
        return False, True
    return sign == "\\", sign != '"'


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise DuplicateMemberError
    return members


_DIGITS_MAX = 19


def _whole(digits: str) -> int | NotFiniteNumber:
    return int(digits) if len(digits.lstrip("-")) <= _DIGITS_MAX else NotFiniteNumber(digits)


class StrictJsonParser(BaseParser):
    """Reads a request body of at most 64 KiB that is exactly one JSON object."""

    media_type = "application/json"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the object's members; raise a refusal with a stable code."""
        del media_type, parser_context
        body = stream.read(BODY_BYTES_MAX + 1)
        if len(body) > BODY_BYTES_MAX:
            raise BodyTooLargeError
        members = loads(body)
        if not isinstance(members, dict):
            raise MalformedJsonError("The request body must be a JSON object")
        return members


class OrjsonRenderer(BaseRenderer):
    """Writes JSON with orjson."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Return the bytes of `data`."""
        del accepted_media_type, renderer_context
        return b"" if data is None else orjson.dumps(data, default=_refuse)


def _refuse(value: object) -> NoReturn:
    raise TypeError(f"{type(value).__name__} is not JSON")
