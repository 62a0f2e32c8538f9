"""Years of payments in minutes: the rows that real payments left, many times over under new ids."""

import contextlib
import datetime as dt
from collections.abc import Iterator

import psycopg
from psycopg import sql

from apps.common.partitions import create_month_sql, months

# Every table that a payment leaves rows in for ever, or for months.
TABLES = (
    "payments_transaction",
    "payments_leg",
    "payments_legkey",
    "payments_leghistory",
    "payments_legrequest",
    "ledger_transfer",
    "ledger_transfer_key",
    "upi_exchange",
    "upi_message_log",
    "messaging_outboxevent",
    "messaging_consumedevent",
)
# Who it was stays the same; what it was is new each time.
_SAME = {"owner_id", "device_id", "credit_account_id", "debit_account_id"}
_TEXT_IDS = {
    ("payments_transaction", "id"),
    ("messaging_outboxevent", "subject"),
    ("ledger_transfer", "key"),
    ("ledger_transfer", "pending_key"),
    ("payments_legkey", "rrn_key"),
}
_TEXT_ID_NAMES = (
    "txn_id", "transaction_id", "wire_transaction_id", "msg_id", "answer_msg_id", "message_id",
    "request_message_id",
)  # fmt: skip
# The months that the copies lie in: this one, which is being written to, and those before.
MONTHS = 4
# What a job removes once it is old: as much of it as there is, is young.
_ALWAYS_YOUNG = {"messaging_consumedevent"}
# What happened at an instant is copied to one between the first month's start and it, nearer the
# start the higher the copy's number; ids of that time lie in their month's partition.
_FUNCTIONS = """
    CREATE FUNCTION pg_temp.copied(old uuid, copy bigint, copies bigint, salt bigint,
                                   start bigint)
    RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
      SELECT CASE WHEN substr(old::text, 15, 1) = '7' THEN
        (lpad(to_hex(start + (('x' || left(replace(old::text, '-', ''), 12))::bit(48)::bigint
                              - start) * (copies - copy) / copies), 12, '0')
         || '7' || substr(md5(old::text || copy::text || '/' || salt::text), 1, 3)
         || '8' || substr(md5(old::text || copy::text || '/' || salt::text), 4, 15))::uuid
      ELSE md5(old::text || copy::text || '/' || salt::text)::uuid END $$;
    CREATE FUNCTION pg_temp.copied(old text, copy bigint, salt bigint)
    RETURNS text LANGUAGE sql IMMUTABLE AS $$
      SELECT CASE WHEN old = '' THEN ''
                  ELSE left(old, greatest(3, length(old) - 32))
                       || right(md5(old || copy::text || '/' || salt::text),
                                least(32, length(old) - 3)) END $$;
    CREATE FUNCTION pg_temp.copied(old timestamptz, copy bigint, copies bigint, start bigint)
    RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
      SELECT to_timestamp(start / 1000.0)
             + (old - to_timestamp(start / 1000.0)) * ((copies - copy)::float8 / copies) $$;
"""
_COLUMNS = """
    SELECT column_name, data_type FROM information_schema.columns
     WHERE table_schema = 'public' AND table_name = %s
       AND is_identity = 'NO' AND coalesce(column_default, '') NOT LIKE 'nextval%%'
     ORDER BY ordinal_position
"""


def make_months(owner: psycopg.Connection, *, now: dt.datetime) -> list[str]:
    """Give the tables the months before this one, as after some time; return the partitions."""
    first = _first_instant(now)
    parents = owner.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_partitioned_table p ON p.partrelid = c.oid"
        " WHERE c.relname = ANY(%s)",
        [list(TABLES)],
    ).fetchall()
    made = []
    for (table,) in parents:
        for suffix, start, end in months(first.date(), MONTHS - 1):
            owner.execute(create_month_sql(table, suffix, start, end))  # type: ignore[arg-type]
            made.append(f"{table}_{suffix}")
    return made


def take_sample(owner: psycopg.Connection, *, since: dt.datetime) -> int:
    """Set aside, for this connection, what is at rest and was made since then; return its rows."""
    owner.execute(_FUNCTIONS)  # type: ignore[arg-type]
    return sum(_sample(owner, table, since=since) for table in TABLES)


def multiply(owner: psycopg.Connection, *, rows: int, each: int, now: dt.datetime) -> int:
    """
    Copy the sample of `each` rows until the tables have so many rows; return them.

    The owner's connection commits by itself. Statistics are fresh when it returns.
    """
    there = count(owner)
    copies = max(0, rows - there) // max(1, each)
    if copies:
        # The rows that were there: a second call must not make the copies of the first again.
        start = int(_first_instant(now).timestamp() * 1000)
        values = {"copies": copies, "salt": there, "start": start}
        for table in TABLES:
            # They judge how a row comes to be; these are copies of rows that came to be so.
            with _without_triggers(owner, table):
                owner.execute(_insert(owner, table), values)
    for table in TABLES:
        owner.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(table)))
    return count(owner)


def _first_instant(now: dt.datetime) -> dt.datetime:
    """Return the start of the first month that copies lie in."""
    number = now.year * 12 + now.month - MONTHS
    return dt.datetime(number // 12, number % 12 + 1, 1, tzinfo=dt.UTC)


def count(owner: psycopg.Connection) -> int:
    """Return how many rows the tables have."""
    total = 0
    for table in TABLES:
        row = owner.execute(
            sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
        ).fetchone()
        assert row is not None
        total += row[0]
    return total


@contextlib.contextmanager
def _without_triggers(owner: psycopg.Connection, table: str) -> Iterator[None]:
    alter = sql.SQL("ALTER TABLE {} {{}} TRIGGER USER").format(sql.Identifier(table)).as_string()
    with owner.transaction():
        owner.execute(alter.format("DISABLE"))
        yield
        owner.execute(alter.format("ENABLE"))


def _sampled(table: str) -> sql.Identifier:
    return sql.Identifier(f"sample_{table}")


def _sample(owner: psycopg.Connection, table: str, *, since: dt.datetime) -> int:
    """Set the rows aside that nothing waits for; return how many there are."""
    names = {name for name, _ in _columns(owner, table)}
    conditions = [sql.SQL("true")]
    conditions += [sql.SQL("next_action_at IS NULL")] if "next_action_at" in names else []
    conditions += [sql.SQL("published_at IS NOT NULL")] if "published_at" in names else []
    made = next((name for name in _MADE if name in names), None)
    if made:
        conditions.append(sql.SQL("{} >= {}").format(sql.Identifier(made), sql.Literal(since)))
    owner.execute(
        sql.SQL("CREATE TEMP TABLE {} AS SELECT * FROM {} WHERE {}").format(
            _sampled(table), sql.Identifier(table), sql.SQL(" AND ").join(conditions)
        )
    )
    row = owner.execute(sql.SQL("SELECT count(*) FROM {}").format(_sampled(table))).fetchone()
    assert row is not None
    return int(row[0])


_MADE = ("created_at", "received_at", "opened_at", "posted_at", "logged_at", "consumed_at", "at")


def _insert(owner: psycopg.Connection, table: str) -> sql.Composed:
    columns = _columns(owner, table)
    return sql.SQL(
        "INSERT INTO {} ({}) SELECT {} FROM generate_series(1, %(copies)s) AS copy, {} AS old"
    ).format(
        sql.Identifier(table),
        sql.SQL(", ").join(sql.Identifier(name) for name, _ in columns),
        sql.SQL(", ").join(_copied(table, name, kind) for name, kind in columns),
        _sampled(table),
    )


def _copied(table: str, name: str, kind: str) -> sql.Composable:
    column = sql.SQL("old.{}").format(sql.Identifier(name))
    if kind == "uuid" and name not in _SAME:
        return sql.SQL("pg_temp.copied({}, copy, %(copies)s, %(salt)s, %(start)s)").format(column)
    if (table, name) in _TEXT_IDS or name in _TEXT_ID_NAMES:
        return sql.SQL("pg_temp.copied({}::text, copy, %(salt)s)").format(column)
    if kind == "timestamp with time zone" and table not in _ALWAYS_YOUNG:
        return sql.SQL("pg_temp.copied({}, copy, %(copies)s, %(start)s)").format(column)
    return column


def _columns(owner: psycopg.Connection, table: str) -> list[tuple[str, str]]:
    return owner.execute(_COLUMNS, [table]).fetchall()
