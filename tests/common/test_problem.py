"""Refusals become problem documents with a stable code; bugs do not."""

import pytest
from django.db import OperationalError
from django.http import Http404
from rest_framework import exceptions

from apps.common.errors import ConflictError, InvalidInputError, NotFoundError
from apps.common.problem import exception_handler


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (NotFoundError(), 404, "not_found"),
        (InvalidInputError("limit is 1 to 100"), 400, "invalid_parameter"),
        (ConflictError(), 409, "conflict"),
        (Http404(), 404, "not_found"),
        (exceptions.NotAuthenticated(), 401, "unauthenticated"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (exceptions.UnsupportedMediaType("text/plain"), 415, "unsupported_media_type"),
        (OperationalError("the database is down"), 503, "unavailable"),
    ],
)
def test_a_refusal_is_a_problem_document(error, status, code):
    response = exception_handler(error, {})

    assert response.status_code == status
    assert response.data["code"] == code
    assert response.data["status"] == status
    assert response.content_type == "application/problem+json"


def test_what_the_database_said_is_not_repeated():
    response = exception_handler(OperationalError("password for upi_app"), {})

    assert "upi_app" not in str(response.data)
    assert response["Retry-After"] == "2"


def test_members_of_the_refusal_are_members_of_the_document():
    response = exception_handler(ConflictError("wait", retry_after_seconds=7), {})

    assert response["Retry-After"] == "7"


def test_a_bug_stays_an_exception():
    assert exception_handler(ZeroDivisionError(), {}) is None
