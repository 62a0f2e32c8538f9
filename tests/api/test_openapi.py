"""The OpenAPI document: every path, with the refusals that it can answer."""

import pytest
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

OURS = ("/app/v1/sessions", "/app/v1/account", "/app/v1/balance", "/app/v1/vpas", "/v1/orders")
OURS = (*OURS, "/app/v1/banks", "/app/v1/intents", "/app/v1/device-tokens")
OURS = (*OURS, "/v1/vpas", "/v1/webhook_endpoints", "/v1/intents", "/v1/qr_codes")


@pytest.fixture(scope="module")
def document():
    return SchemaGenerator().get_schema(request=None, public=True)


def operations(document):
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        if path.startswith(OURS)
        for method, operation in methods.items()
    }


def test_the_document_is_valid(document):
    validate_schema(document)


def test_every_operation_has_a_name_a_sentence_and_its_refusals(document):
    incomplete = {
        name
        for name, operation in operations(document).items()
        if not operation.get("operationId")
        or not operation.get("description")
        or not any(code.startswith("4") for code in operation["responses"])
    }

    assert len(operations(document)) == 40
    assert incomplete == set()


def test_only_logging_in_needs_no_authentication(document):
    free = {name for name, op in operations(document).items() if not op.get("security")}

    assert free == {"POST /app/v1/sessions", "POST /app/v1/sessions/challenges"}


def test_every_operation_that_takes_a_body_shows_an_example_or_says_its_shape(document):
    shapeless = {
        name
        for name, operation in operations(document).items()
        if "requestBody" in operation
        and "application/json" not in operation["requestBody"]["content"]
    }

    assert shapeless == set()
