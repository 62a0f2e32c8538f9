"""Errors of our APIs as RFC 9457 problem documents."""

from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import RedisError
from rest_framework import exceptions
from rest_framework.response import Response

from apps.common.errors import DomainError

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
_RETRY_AFTER_SECONDS = "2"

_UNAVAILABLE = (OperationalError, InterfaceError, RedisError, ConnectionInterrupted)

# What the frameworks raise, in the words of our API.
_FRAMEWORK: dict[type[Exception], tuple[int, str, str]] = {
    Http404: (404, "not_found", "Not found"),
    exceptions.NotFound: (404, "not_found", "Not found"),
    PermissionDenied: (403, "forbidden", "Not allowed"),
    exceptions.PermissionDenied: (403, "forbidden", "Not allowed"),
    exceptions.NotAuthenticated: (401, "unauthenticated", "Authentication is required"),
    exceptions.AuthenticationFailed: (401, "unauthenticated", "Authentication is required"),
    exceptions.MethodNotAllowed: (405, "method_not_allowed", "Method not allowed"),
    exceptions.UnsupportedMediaType: (415, "unsupported_media_type", "Unsupported media type"),
    exceptions.NotAcceptable: (406, "not_acceptable", "Not acceptable"),
    exceptions.ParseError: (400, "malformed_json", "The request body is not valid JSON"),
    exceptions.Throttled: (429, "rate_limited", "Too many requests"),
}


def problem(
    *, status: int, code: str, title: str, detail: str = "", **members: Any
) -> dict[str, Any]:
    """Return the members of a problem document."""
    return {
        "type": f"/docs/errors#{code}",
        "title": title,
        "status": status,
        "detail": detail or title,
        "code": code,
        "request_id": structlog.contextvars.get_contextvars().get("request_id", ""),
        **members,
    }


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer a refusal as a problem document; a bug stays an exception and becomes a 500."""
    del context
    headers: dict[str, str] = {}
    if isinstance(error, DomainError):
        log.info("request_refused", code=error.code)
        document = problem(
            status=error.http_status,
            code=error.code,
            title=error.title,
            detail=error.detail,
            **error.members,
        )
        if "retry_after_seconds" in error.members:
            headers["Retry-After"] = str(error.members["retry_after_seconds"])
    elif isinstance(error, _UNAVAILABLE):
        log.warning("dependency_unavailable", kind=type(error).__name__)
        document = problem(status=503, code="unavailable", title="Temporarily unavailable")
        headers["Retry-After"] = _RETRY_AFTER_SECONDS
    else:
        known = _framework(error)
        if known is None:
            return None
        document = problem(status=known[0], code=known[1], title=known[2])
        if document["status"] == HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = "Bearer"
    return Response(document, status=document["status"], headers=headers, content_type=MEDIA_TYPE)


def _framework(error: Exception) -> tuple[int, str, str] | None:
    for kind, words in _FRAMEWORK.items():
        if isinstance(error, kind):
            return words
    return None
