"""docs/events/: every public fact has a schema and an example that fits it."""

import ast
import json
from pathlib import Path

import jsonschema_rs
import pytest
from django.conf import settings
from django.utils.module_loading import import_string

from apps.messaging import event_types, outbox
from apps.messaging.contracts import topic_of

TYPES = event_types.names()
_MEMBERS = {"$schema", "$id", "title", "description", "type", "properties", "required"}


def published_types() -> set[str]:
    """Return every event type that a module of ours builds: `Event(type="…")`."""
    found = set()
    for path in Path(settings.BASE_DIR, "apps").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Event":
                found |= {
                    keyword.value.value
                    for keyword in node.keywords
                    if keyword.arg == "type" and isinstance(keyword.value, ast.Constant)
                }
    return found


@pytest.mark.parametrize("event_type", TYPES)
def test_a_schema_is_complete_and_its_examples_fit(event_type):
    schema = json.loads(outbox.schema_path(event_type).read_bytes())

    assert schema.keys() >= _MEMBERS | {"examples", "additionalProperties"}
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"urn:upi-platform:event:{event_type}"
    assert schema["additionalProperties"] is False
    assert schema["examples"]
    jsonschema_rs.meta.validate(schema)
    for example in schema["examples"]:
        outbox.validator(event_type).validate(example)
    for name, member in schema["properties"].items():
        assert member.get("description"), f"{event_type}: {name} is not described"


@pytest.mark.parametrize("event_type", TYPES)
def test_a_type_is_three_or_more_words_and_begins_with_its_app(event_type):
    words = event_type.split(".")

    assert len(words) >= 3
    assert Path(settings.BASE_DIR, "apps", words[0]).is_dir()
    assert topic_of(event_type) == ".".join(words[:2])


def test_every_fact_that_is_published_has_a_schema():
    assert published_types() - set(TYPES) == set()


def test_every_fact_that_is_consumed_has_a_schema():
    consumers = import_string(settings.MESSAGING_CONSUMERS)

    consumed = {event_type for types in consumers.values() for event_type in types}
    assert consumed - set(TYPES) == set()


def test_every_handler_can_be_imported():
    for handlers in import_string(settings.MESSAGING_CONSUMERS).values():
        for handler in handlers.values():
            assert callable(import_string(handler))
