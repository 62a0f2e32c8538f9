"""Fat tables have a partition for each month to come, and history cannot be edited."""

import datetime as dt
import itertools

import pytest
from django.apps import apps
from django.db import connection, models
from django.db.utils import DatabaseError

from apps.common import partitions
from apps.common.ids import uuid7, uuid7_floor


def _partitioned_tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'p' ORDER BY 1")
        return [name for (name,) in cursor.fetchall()]


def _append_only_tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "WHERE t.tgname = 'append_only' AND NOT c.relispartition ORDER BY 1"
        )
        return [name for (name,) in cursor.fetchall()]


def test_months_follow_each_other_without_a_gap():
    made = list(partitions.months(dt.date(2026, 11, 22), 14))

    assert [suffix for suffix, _, _ in made[:3]] == ["2026_11", "2026_12", "2027_01"]
    assert all(end == start for (_, _, end), (_, start, _) in itertools.pairwise(made))


@pytest.mark.django_db
def test_every_fat_table_has_twelve_months_and_an_empty_default():
    tables = _partitioned_tables()

    assert tables, "no partitioned table was found"
    for table in tables:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_inherits WHERE inhparent = %s::regclass", [f'"{table}"']
            )
            assert cursor.fetchone() == (partitions.MONTHS_AHEAD + 1,), table
            cursor.execute(f'SELECT count(*) FROM "{table}_default"')
            assert cursor.fetchone() == (0,), table


@pytest.mark.django_db
def test_the_platforms_role_may_not_change_history_nor_own_anything():
    tables = _append_only_tables()

    assert tables, "no append-only table was found"
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, count(*) FROM pg_class WHERE relowner = "
                       "(SELECT oid FROM pg_roles WHERE rolname = current_user)")  # fmt: skip
        assert cursor.fetchone() == ("upi_app", 0)
        for table in tables:
            for right in ("UPDATE", "DELETE", "TRUNCATE"):
                cursor.execute("SELECT has_table_privilege(%s, %s)", [f'"{table}"', right])
                assert cursor.fetchone() == (False,), (table, right)


@pytest.mark.django_db
def test_history_cannot_be_changed_through_a_partition_either():
    month = next(partitions.months(dt.datetime.now(tz=dt.UTC).date(), 1))[0]

    for table in set(_append_only_tables()) & set(_partitioned_tables()):
        with connection.cursor() as cursor:
            cursor.execute("SELECT has_table_privilege(%s, 'UPDATE')", [f'"{table}_{month}"'])
            assert cursor.fetchone() == (False,), table


@pytest.mark.django_db
def test_no_foreign_key_points_into_a_fat_table():
    fat = set(_partitioned_tables())
    pointing = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey) and field.related_model._meta.db_table in fat
    ]

    assert pointing == []


def test_the_id_range_of_a_month_holds_the_ids_of_that_month():
    now = dt.datetime.now(tz=dt.UTC)
    _, start, end = next(partitions.months(now.date(), 1))

    assert uuid7_floor(start) <= uuid7() < uuid7_floor(end)


@pytest.mark.django_db
def test_the_guard_of_history_is_switched_on_in_every_partition():
    for table in set(_append_only_tables()) & set(_partitioned_tables()):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_inherits i "
                "LEFT JOIN pg_trigger t ON t.tgrelid = i.inhrelid "
                "AND t.tgname = 'append_only' AND t.tgenabled = 'O' "
                "WHERE i.inhparent = %s::regclass AND t.oid IS NULL",
                [f'"{table}"'],
            )
            assert cursor.fetchone() == (0,), table


@pytest.mark.django_db
def test_the_database_is_not_the_one_of_the_platform():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        name = cursor.fetchone()[0]

    assert name.startswith("test_")
    with pytest.raises(DatabaseError), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE not_ours (id int)")
