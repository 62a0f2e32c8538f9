"""An index of a fat table that was broken off is made whole by the next run of its migration."""

import pytest
from django.db import DatabaseError, connections, models
from django.db.migrations.loader import MigrationLoader

from apps.common.partitions import AddPartitionedIndex

pytestmark = pytest.mark.usefixtures("committed")

TABLE = "messaging_outboxevent"
NAME = "outbox_by_type_in_a_test"
_INDEXES = """
    SELECT c.relname, i.indisvalid, i.indisready FROM pg_index i
      JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname LIKE %s ORDER BY 1
"""


@pytest.fixture
def owner():
    connection = connections["owner"]
    yield connection
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX IF EXISTS {NAME}")
        cursor.execute("RESET statement_timeout")


def indexes(connection):
    with connection.cursor() as cursor:
        cursor.execute(_INDEXES, [f"%{NAME}"])
        return cursor.fetchall()


def partitions(connection):
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_inherits WHERE inhparent = %s::regclass", [TABLE])
        return cursor.fetchone()[0]


def migrate(connection):
    state = MigrationLoader(connection).project_state()
    operation = AddPartitionedIndex("outboxevent", models.Index(fields=["type"], name=NAME))
    after = state.clone()
    operation.state_forwards("messaging", after)
    with connection.schema_editor(atomic=False) as editor:
        operation.database_forwards("messaging", editor, state, after)


def break_off(connection):
    """Let a transaction that writes keep the index from being finished, until time is up."""
    writer = connections["owner"].copy("owner")
    with writer.cursor() as cursor:
        cursor.execute(f"BEGIN; LOCK TABLE {TABLE}_default IN ROW EXCLUSIVE MODE")
        with connection.cursor() as mine:
            mine.execute("SET statement_timeout = '300ms'")
        with pytest.raises(DatabaseError):
            migrate(connection)
    writer.close()
    with connection.cursor() as mine:
        mine.execute("SET statement_timeout = 0")


def test_an_index_that_was_broken_off_is_made_whole_by_the_next_run(owner):
    break_off(owner)
    broken = indexes(owner)
    assert (NAME, False, True) in broken
    assert any(name.endswith(f"_default_{NAME}") and not valid for name, valid, _ in broken)

    migrate(owner)

    whole = indexes(owner)
    assert len(whole) == partitions(owner) + 1
    assert all(is_valid for _, is_valid, _ in whole)
    migrate(owner)
    assert indexes(owner) == whole
