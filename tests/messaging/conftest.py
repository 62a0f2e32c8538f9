"""A work table, a table of effects, and Kafka read from its beginning."""

import psycopg
import pytest
from django.conf import settings
from pytest_django import Settings

_TABLES = """
    CREATE TABLE IF NOT EXISTS test_work (
        id bigint PRIMARY KEY, state text NOT NULL DEFAULT 'DUE', claim uuid,
        next_action_at timestamptz, attempts smallint NOT NULL DEFAULT 0, parked_at timestamptz);
    CREATE INDEX IF NOT EXISTS test_work_due ON test_work (next_action_at)
        WHERE next_action_at IS NOT NULL;
    CREATE TABLE IF NOT EXISTS test_effect (
        id bigserial PRIMARY KEY, event_id uuid, subject text NOT NULL, number bigint NOT NULL);
    TRUNCATE test_work, test_effect;
"""


@pytest.fixture
def tables(committed: None) -> None:
    """Empty tables `test_work` and `test_effect`, on a database in which commits are real."""
    entry = settings.DATABASES["owner"]
    with psycopg.connect(
        host=entry["HOST"],
        port=entry["PORT"],
        user=entry["USER"],
        password=entry["PASSWORD"],
        dbname=entry["NAME"],
        autocommit=True,
    ) as owner:
        owner.execute(_TABLES)


@pytest.fixture(autouse=True)
def _events_without_schema(settings: Settings) -> None:
    settings.MESSAGING_CHECK_EVENTS = False
