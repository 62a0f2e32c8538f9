"""Proof that nothing was written: a hash over the rows of every table, before and after."""

import contextlib
from collections.abc import Collection, Iterator

from django.db import connection

_TABLES = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND c.relname <> 'django_migrations' ORDER BY 1
"""


def fingerprint(*, but: Collection[str] = ()) -> dict[str, str]:
    """Return a hash of the rows of each table, except of those named in `but`."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        tables = [name for (name,) in cursor.fetchall() if name not in but]
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{table}', count(*) || ':' || coalesce(md5(string_agg(t::text, '|' "
                f"ORDER BY t::text)), '') FROM \"{table}\" t"
                for table in tables
            )
        )
        return dict(cursor.fetchall())


@contextlib.contextmanager
def nothing_written(*, but: Collection[str] = ()) -> Iterator[None]:
    """Fail unless every table is at the end as it was at the beginning."""
    before = fingerprint(but=but)
    yield
    after = fingerprint(but=but)
    assert {table: rows for table, rows in after.items() if before.get(table) != rows} == {}
