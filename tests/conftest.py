"""What every test stands on: the real database as the platform's role, emptied by the owner."""

import contextlib
import functools
from collections.abc import Iterator

import psycopg
import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql
from psycopg.pq import TransactionStatus
from pytest_django import DjangoDbBlocker

# The first watches whole runs for PINs and account numbers where they must not be; the second can
# put tests before a bank's host.
pytest_plugins = ["tests.leaks.plugin", "tests.bank_host"]

_KEPT_SCHEMA = "kept"
_UNFIT_FOR_DELETE = """
    SELECT c.relname FROM pg_class c
     WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY(%s) AND (
           pg_relation_size(c.oid) > 1000000
        OR EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = 'append_only'))
"""
_LINKS = """
    SELECT child.relname, parent.relname FROM pg_constraint k
      JOIN pg_class child ON child.oid = k.conrelid
      JOIN pg_class parent ON parent.oid = k.confrelid WHERE k.contype = 'f'
"""
_RESTART_SEQUENCES = """
    SELECT setval(s.seqrelid, s.seqstart, false)
      FROM pg_sequence s
      JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid
                      AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
      JOIN pg_class c ON c.oid = d.refobjid
     WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY(%s)
"""


def _owner(**changes: str) -> psycopg.Connection:
    entry = settings.DATABASES["owner"]
    return psycopg.connect(
        host=entry["HOST"],
        port=entry["PORT"],
        user=entry["USER"],
        password=entry["PASSWORD"],
        autocommit=True,
        **{"dbname": entry["NAME"], **changes},
    )


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A fresh database that the owner made and migrated; tests use it as `upi_app`."""
    name = f"test_{settings.DATABASES['owner']['NAME']}"
    with _owner(dbname="postgres") as owner:
        owner.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )
        owner.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    for alias in ("default", "owner", "replica"):
        connections[alias].close()
        connections[alias].settings_dict["NAME"] = name
        settings.DATABASES[alias]["NAME"] = name
    with _owner() as owner:
        role = settings.DATABASES["default"]["USER"]
        owner.execute(
            sql.SQL(
                "ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {0};"
                "ALTER DEFAULT PRIVILEGES GRANT USAGE, SELECT ON SEQUENCES TO {0}"
            ).format(sql.Identifier(role))
        )
    with django_db_blocker.unblock():
        call_command("migrate", database="owner", verbosity=0, interactive=False)
        connections["owner"].close()
    _keep_reference_rows()
    yield
    for alias in ("default", "owner", "replica"):
        connections[alias].close()
    with _owner(dbname="postgres") as owner:
        owner.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )


def _tables(owner: psycopg.Connection) -> list[str]:
    rows = owner.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition "
        "AND c.relname <> 'django_migrations' ORDER BY 1"
    )
    return [name for (name,) in rows]


def _keep_reference_rows() -> None:
    """Copy what migrations put into tables, so that emptying them can put it back."""
    with _owner() as owner:
        owner.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(_KEPT_SCHEMA)))
        for table in _tables(owner):
            source = sql.Identifier("public", table)
            row = owner.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(source)).fetchone()
            if row is not None and row[0]:
                kept = sql.Identifier(_KEPT_SCHEMA, table)
                owner.execute(sql.SQL("CREATE TABLE {} AS TABLE {}").format(kept, source))


def empty_database() -> None:
    """Empty every table that has rows, and put the rows of the migrations back, as the owner."""
    try:
        _empty(_cleaner())
    except psycopg.OperationalError:
        # A test took the server, or our connection, away.
        _cleaner.cache_clear()
        _empty(_cleaner())


@functools.cache
def _cleaner() -> psycopg.Connection:
    """One connection for all tests: one that knows every table already is far quicker."""
    return _owner()


def _empty(owner: psycopg.Connection) -> None:
    with owner.transaction():
        kept = {
            name
            for (name,) in owner.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = %s", [_KEPT_SCHEMA]
            )
        }
        changed = _changed_tables(owner, kept)
        if not changed:
            return
        owner.execute("SET CONSTRAINTS ALL DEFERRED")
        truncated = _to_truncate(owner, changed)
        if truncated:
            names = sql.SQL(", ").join(sql.Identifier("public", table) for table in truncated)
            owner.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY").format(names))
        for table in sorted(changed - truncated):
            owner.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier("public", table)))
        emptied = sorted(kept & changed)
        for table in emptied:
            owner.execute(
                sql.SQL("INSERT INTO {} SELECT * FROM {}").format(
                    sql.Identifier("public", table), sql.Identifier(_KEPT_SCHEMA, table)
                )
            )
        owner.execute(_RESTART_SEQUENCES, [sorted(changed - truncated)])
        _restore_sequences(owner, emptied)


def _changed_tables(owner: psycopg.Connection, kept: set[str]) -> set[str]:
    """Return the tables that are not as the migrations left them."""
    leaves = owner.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relname <> 'django_migrations'"
    ).fetchall()
    probes = [_probe(table, is_kept=table in kept) for (table,) in leaves]
    return {table for (table,) in owner.execute(sql.SQL(" UNION ALL ").join(probes))}


def _to_truncate(owner: psycopg.Connection, changed: set[str]) -> set[str]:
    """
    Return those that deleting rows does not empty, or not soon, and those that point at them.

    TRUNCATE makes files anew, which takes far longer than to delete the few rows of a test.
    """
    found = {table for (table,) in owner.execute(_UNFIT_FOR_DELETE, [sorted(changed)])}
    links = owner.execute(_LINKS).fetchall() if found else []
    while more := {child for child, parent in links if parent in found} - found:
        found |= more
    # A deleted row of a table that points at a truncated one would be a pending event.
    return found


def _probe(table: str, *, is_kept: bool) -> sql.Composed:
    """Return the query that names the table if it has changed."""
    now, before = sql.Identifier("public", table), sql.Identifier(_KEPT_SCHEMA, table)
    difference = sql.SQL(
        "(TABLE {0} EXCEPT ALL TABLE {1}) UNION ALL (TABLE {1} EXCEPT ALL TABLE {0})"
    )
    rows = difference.format(now, before) if is_kept else sql.SQL("TABLE {}").format(now)
    return sql.SQL("SELECT {} WHERE EXISTS ({})").format(sql.Literal(table), rows)


def _restore_sequences(owner: psycopg.Connection, tables: list[str]) -> None:
    for table in tables:
        columns = owner.execute(
            "SELECT column_name, pg_get_serial_sequence(quote_ident(%(table)s), column_name) "
            "FROM information_schema.columns WHERE table_schema = 'public' "
            "AND table_name = %(table)s",
            {"table": table},
        ).fetchall()
        for column, sequence in columns:
            if sequence is not None:
                owner.execute(
                    sql.SQL("SELECT setval(%s, (SELECT coalesce(max({}), 1) FROM {}))").format(
                        sql.Identifier(column), sql.Identifier("public", table)
                    ),
                    [sequence],
                )


def _leave_as_new(connection: BaseDatabaseWrapper) -> None:
    """Keep a connection that is fit for the next test: a new one has to learn every table first."""
    is_fit = (
        connection.connection is not None
        and not connection.in_atomic_block
        and connection.get_autocommit()
        and connection.connection.info.transaction_status is TransactionStatus.IDLE
    )
    if not is_fit:
        connection.close()


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """
    A database in which commits are real: for races, claims, and several processes.

    It is empty but for the rows of the migrations; so is Redis's cache.
    """
    with django_db_blocker.unblock():
        empty_database()
        with contextlib.suppress(Exception):
            cache.clear()
        yield
        for connection in connections.all():
            _leave_as_new(connection)
