"""Migration operations for tables that only grow: monthly partitions, and history nobody edits."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.models import AddIndex, CreateModel
from django.db.migrations.state import ProjectState

from apps.common import clock
from apps.common.ids import uuid7_floor

MONTHS_AHEAD = 12

_REFUSE = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% rows are history: they are never changed', TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END $$
"""


def months(first: dt.date, count: int) -> Iterator[tuple[str, dt.datetime, dt.datetime]]:
    """Yield (suffix, start, end) of `count` months, as UTC instants, beginning with `first`'s."""
    number = first.year * 12 + first.month - 1
    for month in range(number, number + count):
        start = dt.datetime(month // 12, month % 12 + 1, 1, tzinfo=dt.UTC)
        following = month + 1
        end = dt.datetime(following // 12, following % 12 + 1, 1, tzinfo=dt.UTC)
        yield f"{start:%Y_%m}", start, end


def create_month_sql(table: str, suffix: str, start: dt.datetime, end: dt.datetime) -> str:
    """Return the statement that makes one monthly partition; repeating it changes nothing."""
    return (
        f'CREATE TABLE IF NOT EXISTS "{table}_{suffix}" PARTITION OF "{table}" '
        f"{month_bounds_sql(start, end)}"
    )


def month_bounds_sql(start: dt.datetime, end: dt.datetime) -> str:
    """Return the clause that says which ids a monthly partition has."""
    return f"FOR VALUES FROM ('{uuid7_floor(start)}') TO ('{uuid7_floor(end)}')"


class CreatePartitionedModel(CreateModel):
    """
    Create a model whose table is partitioned by RANGE (id) at month bounds of a UUIDv7 id.

    Twelve months from the present one and a DEFAULT partition are made; rows in the DEFAULT one
    mean that nobody made partitions in time. The id is the only unique column such a table has.
    """

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Create the parent as Django would, then its partitions."""
        del from_state
        model = to_state.apps.get_model(app_label, self.name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        sql, parameters = schema_editor.table_sql(model)
        schema_editor.execute(f"{sql} PARTITION BY RANGE (id)", parameters or None)
        # Django's own step after a table, which the type stubs leave out.
        indexes = schema_editor._model_indexes_sql(model)  # type: ignore[attr-defined] # noqa: SLF001
        schema_editor.deferred_sql.extend(indexes)
        table = model._meta.db_table
        for suffix, start, end in months(clock.now().date(), MONTHS_AHEAD):
            schema_editor.execute(create_month_sql(table, suffix, start, end))
        schema_editor.execute(f'CREATE TABLE "{table}_default" PARTITION OF "{table}" DEFAULT')


class AddPartitionedIndex(AddIndex):
    """
    Add an index to a partitioned table while it is written to: the migration must not be atomic.

    The parent gets an empty index, which takes a short lock; each partition is indexed
    concurrently, and attached. What a run that died left behind is made anew.
    """

    atomic = False

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Index the partitions one by one, then belong them to the parent's index."""
        del from_state
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        table, name = model._meta.db_table, self.index.name
        make = str(self.index.create_sql(model, schema_editor))
        head, place = f'CREATE INDEX "{name}" ON ', f'"{table}" '
        assert make.startswith(head + place), "an index of one table begins with its name and it"
        tail = make.removeprefix(head + place)
        schema_editor.execute(
            f'CREATE INDEX IF NOT EXISTS "{name}" ON ONLY "{table}" {tail}', params=None
        )
        for part in _partitions(schema_editor, table):
            part_name = f"{part}_{name}"
            schema_editor.execute(_drop_invalid_sql(part_name), params=None)
            # It waits for transactions that began before it, and holds nobody up meanwhile.
            schema_editor.execute("SET lock_timeout = 0")
            schema_editor.execute(
                f'CREATE INDEX CONCURRENTLY IF NOT EXISTS "{part_name}" ON "{part}" {tail}',
                params=None,
            )
            schema_editor.execute("RESET lock_timeout")
            schema_editor.execute(f'ALTER INDEX "{name}" ATTACH PARTITION "{part_name}"')

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Drop the parent's index, and with it those of the partitions."""
        del app_label, from_state, to_state
        schema_editor.execute(f'DROP INDEX IF EXISTS "{self.index.name}"')


def _partitions(schema_editor: BaseDatabaseSchemaEditor, table: str) -> list[str]:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits"
            " WHERE inhparent = %s::regclass ORDER BY 1",
            [f'"{table}"'],
        )
        return [name for (name,) in cursor.fetchall()]


def _drop_invalid_sql(name: str) -> str:
    """Return the statement that drops an index whose making was broken off."""
    return f"""
    DO $$ BEGIN
      IF EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('"{name}"') AND NOT indisvalid)
      THEN EXECUTE 'DROP INDEX "{name}"'; END IF;
    END $$
    """


class AppendOnly(Operation):
    """
    Make a table history: nobody changes or deletes a row, the platform's role cannot even try.

    The owner removes what is past its time: whole partitions, and of a table without any its rows,
    for which it sets the guard aside (`apps/operators/services/old_rows.py`).
    """

    reversible = True

    def __init__(self, name: str) -> None:
        self.name = name

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Say how this operation is written in a migration file."""
        return self.__class__.__name__, [], {"name": self.name}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Change nothing: Django's models do not know about this."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Add the trigger and take the rights away, from the table and from its partitions."""
        del from_state
        table = to_state.apps.get_model(app_label, self.name)._meta.db_table
        schema_editor.execute(_REFUSE, params=None)
        schema_editor.execute(
            f'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON "{table}" '
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        schema_editor.execute(revoke_change_sql(table), params=None)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Take the trigger away."""
        del to_state
        table = from_state.apps.get_model(app_label, self.name)._meta.db_table
        schema_editor.execute(f'DROP TRIGGER append_only ON "{table}"')

    def describe(self) -> str:
        """Say what the migration does."""
        return f"Make {self.name} append-only"


def revoke_change_sql(table: str) -> str:
    """Return the statement that leaves the platform's role only INSERT and SELECT on a table."""
    role = settings.DATABASE_APP_ROLE
    return f"""
    DO $$ DECLARE part regclass; BEGIN
      IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
        FOR part IN SELECT '"{table}"'::regclass UNION ALL
            SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = '"{table}"'::regclass
        LOOP
          EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %s FROM {role}', part);
        END LOOP;
      END IF;
    END $$
    """
