"""Months of the fat tables: made ahead, archived when their time is over, and restored."""

import datetime as dt
import gzip
import threading
import time

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.db.utils import DatabaseError
from django.utils.module_loading import import_string

from apps.common import clock, partition_tables
from apps.common.ids import uuid7_floor
from apps.common.partition_files import ArchiveBrokenError, read_manifest
from apps.messaging.models import OutboxEvent
from apps.messaging.selectors import default_partitions_with_rows
from apps.operators.errors import PartitionsBusyError
from apps.operators.models import AuditEntry
from apps.operators.services import audit, partition_months
from apps.operators.services.partition_months import Retention
from apps.upi.models import MessageLog

pytestmark = pytest.mark.usefixtures("committed", "months_as_before")

TABLE = "messaging_outboxevent"
SUFFIX = "2025_03"
OLD = dt.datetime(2025, 3, 14, tzinfo=dt.UTC)
RETENTIONS = {TABLE: Retention(4, "a test's", "part.published_at IS NULL")}
# What COPY has to escape.
DATA = {"note": "a\ttab, a \\ and\na line \\N", "paise": 1005}


@pytest.fixture
def months_as_before():
    """Drop the months that a test has made, and none else."""
    before = {month.name for table in tables() for month in partition_tables.months_of(table)}
    yield
    for table in tables():
        for month in partition_tables.months_of(table):
            if month.name not in before:
                owner(f'DROP TABLE "{month.name}"')


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "archive"


def tables():
    return partition_tables.partitioned_tables()


def owner(statement):
    with connections["owner"].cursor() as cursor:
        cursor.execute(statement)


def make_old_month():
    partition_tables.make_months(TABLE, first=OLD.date(), count=1)


def write_facts(count, *, at=OLD, published=True):
    """Write facts whose ids are of that time."""
    first = uuid7_floor(at).int
    for number in range(count):
        OutboxEvent.objects.create(
            id=f"{first + number:032x}",
            sequence=number + 1,
            type="test.fact",
            subject=f"subject {number}",
            shard=0,
            data=DATA,
            created_at=at,
            published_at=at if published else None,
        )


def facts():
    return list(OutboxEvent.objects.order_by("id").values())


def archive(folder, *, now=None):
    return partition_months.archive_due(RETENTIONS, folder, now=now or clock.now())


def actions():
    return list(AuditEntry.objects.order_by("sequence").values_list("action", "target"))


def names(table=TABLE):
    return {month.name for month in partition_tables.months_of(table)}


def test_months_are_made_a_year_ahead_once_and_audited():
    before = {table: len(partition_tables.months_of(table)) for table in tables()}
    later = clock.now() + dt.timedelta(days=62)

    made = partition_months.make_ahead(now=later)
    again = partition_months.make_ahead(now=later)

    assert set(made) == set(before)
    assert all(len(partition_tables.months_of(t)) == before[t] + len(made[t]) for t in made)
    assert again == {}
    assert actions() == [("partitions.made", table) for table in sorted(made)]


def test_new_months_of_history_are_guarded_like_the_others():
    made = partition_months.make_ahead(now=clock.now() + dt.timedelta(days=62))

    name = f"upi_message_log_{made['upi_message_log'][-1]}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(%s, 'UPDATE')", [name])
        assert cursor.fetchone() == (False,)
        cursor.execute(
            "SELECT tgenabled FROM pg_trigger WHERE tgrelid = %s::regclass "
            "AND tgname = 'append_only'",
            [name],
        )
        assert cursor.fetchone() == ("O",)


def test_rows_that_nobody_made_a_month_for_move_into_theirs():
    write_facts(3)
    MessageLog.objects.create(
        id=uuid7_floor(OLD), logged_at=OLD, direction="IN", outcome="REFUSED", body_size=0,
        body_digest=b"",
    )  # fmt: skip
    before = facts()
    assert default_partitions_with_rows() == [f"{TABLE}_default", "upi_message_log_default"]

    made = partition_months.make_ahead(now=clock.now())

    assert made == {TABLE: [SUFFIX], "upi_message_log": [SUFFIX]}
    assert default_partitions_with_rows() == []
    assert facts() == before
    with pytest.raises(DatabaseError, match="never changed"):
        owner("DELETE FROM upi_message_log")


def test_an_old_month_is_archived_and_leaves_the_database(folder):
    make_old_month()
    write_facts(5)
    write_facts(1, at=clock.now())

    [manifest] = archive(folder)

    assert (manifest.table, manifest.month, manifest.rows) == (TABLE, SUFFIX, 5)
    content = gzip.decompress((folder / manifest.file_name).read_bytes())
    assert content.count(b"\n") == 5
    assert read_manifest(folder, table=TABLE, suffix=SUFFIX) == manifest
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert f"{TABLE}_{SUFFIX}" not in names()
    assert len(facts()) == 1
    assert actions() == [("partitions.archived", f"{TABLE}_{SUFFIX}")]
    assert AuditEntry.objects.get().detail["sha256"] == manifest.sha256
    audit.verify()


def test_a_month_within_its_retention_and_a_table_without_one_stay(folder):
    make_old_month()
    owner("SELECT 1")
    partition_tables.make_months("upi_message_log", first=OLD.date(), count=1)

    done = archive(folder, now=dt.datetime(2025, 7, 31, tzinfo=dt.UTC))

    assert done == []
    assert f"{TABLE}_{SUFFIX}" in names()
    assert f"upi_message_log_{SUFFIX}" in names("upi_message_log")
    assert [each.month for each in archive(folder)] == [SUFFIX]
    assert f"upi_message_log_{SUFFIX}" in names("upi_message_log")


def test_a_month_that_something_open_needs_stays_however_old_it_is(folder):
    make_old_month()
    write_facts(2, published=False)

    assert archive(folder) == []

    assert len(facts()) == 2
    assert not folder.exists()
    OutboxEvent.objects.update(published_at=OLD)
    assert [each.rows for each in archive(folder)] == [2]


def test_the_platforms_own_retentions_can_be_asked_of_every_month():
    retentions = import_string(settings.PARTITION_RETENTIONS)

    for table, retention in retentions.items():
        for month in partition_tables.months_of(table):
            assert not partition_tables.has_rows(month, condition=retention.needed)
        assert retention.reason
        assert retention.months >= 4


def test_a_restored_month_is_as_it_was_and_is_archived_again_after_its_time(folder):
    make_old_month()
    write_facts(4)
    before = facts()
    [first] = archive(folder)

    partition_months.restore(TABLE, SUFFIX, folder, keep_days=30, now=clock.now())

    assert facts() == before
    assert archive(folder) == []
    assert archive(folder, now=clock.now() + dt.timedelta(days=32)) == [first]
    assert facts() == []
    assert [action for action, _ in actions()] == [
        "partitions.archived", "partitions.restored", "partitions.archived",
    ]  # fmt: skip


@pytest.mark.parametrize("damage", ["a byte", "the end", "the file", "the manifest", "a row"])
def test_an_archive_that_is_not_whole_is_refused_and_nothing_is_made(folder, damage):
    make_old_month()
    write_facts(4)
    [manifest] = archive(folder)
    path = folder / manifest.file_name
    content = path.read_bytes()
    if damage == "a byte":
        path.write_bytes(content[:40] + bytes([content[40] ^ 1]) + content[41:])
    elif damage == "the end":
        path.write_bytes(content[:-20])
    elif damage == "the file":
        path.unlink()
    elif damage == "the manifest":
        (folder / f"{TABLE}_{SUFFIX}.json").write_text("{}")
    else:
        rows = gzip.decompress(content).splitlines(keepends=True)
        path.write_bytes(gzip.compress(b"".join(rows[1:])))

    with pytest.raises(ArchiveBrokenError):
        partition_months.restore(TABLE, SUFFIX, folder, keep_days=30, now=clock.now())

    assert f"{TABLE}_{SUFFIX}" not in names()
    assert [action for action, _ in actions()] == ["partitions.archived"]


def test_a_month_that_is_there_is_not_restored_over(folder):
    make_old_month()
    write_facts(1)
    archive(folder)
    partition_months.restore(TABLE, SUFFIX, folder, keep_days=1, now=clock.now())

    with pytest.raises(ArchiveBrokenError, match="is in the database"):
        partition_months.restore(TABLE, SUFFIX, folder, keep_days=1, now=clock.now())

    assert len(facts()) == 1


@pytest.mark.parametrize("has_old_file", [False, True])
def test_a_run_that_died_after_detaching_is_taken_up(folder, has_old_file):
    make_old_month()
    write_facts(3)
    if has_old_file:
        archive(folder)
        make_old_month()
        write_facts(2)
    [month] = [each for each in partition_tables.months_of(TABLE) if each.suffix == SUFFIX]
    partition_tables.detach(month)
    assert facts() == []

    [manifest] = archive(folder)

    assert manifest.rows == (2 if has_old_file else 3)
    assert f"{TABLE}_{SUFFIX}" not in names()


def test_two_runs_do_not_meet(folder):
    with connections["owner"].copy("owner").cursor() as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended('operators.partitions', 0))")
        with pytest.raises(PartitionsBusyError):
            archive(folder)
        other.connection.close()


def test_a_month_is_detached_once_the_table_is_free(folder):
    make_old_month()
    write_facts(1)
    held, free = threading.Event(), threading.Event()

    def hold():
        other = connections["owner"].copy("owner")
        with other.cursor() as cursor:
            cursor.execute(f"BEGIN; LOCK TABLE {TABLE} IN ROW EXCLUSIVE MODE")
            held.set()
            free.wait(30)
        other.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(30)
    threading.Timer(partition_tables.LOCK_PAUSE_SECONDS + 0.2, free.set).start()
    begun = time.monotonic()
    done = archive(folder)
    holder.join()

    assert [each.rows for each in done] == [1]
    assert time.monotonic() > begun


def test_the_platforms_role_can_neither_detach_nor_drop_nor_empty_a_month():
    make_old_month()
    for statement in (
        f"ALTER TABLE {TABLE} DETACH PARTITION {TABLE}_{SUFFIX}",
        f"DROP TABLE {TABLE}_{SUFFIX}",
        "TRUNCATE upi_message_log",
    ):
        with pytest.raises(DatabaseError), connection.cursor() as cursor:
            cursor.execute(statement)

    assert f"{TABLE}_{SUFFIX}" in names()


def test_the_command_makes_archives_and_restores(settings, folder, capsys):
    settings.PARTITION_ARCHIVE_DIRECTORY = folder
    make_old_month()
    write_facts(2)

    call_command("partitions", "make")
    call_command("partitions", "archive")
    call_command("partitions", "restore", TABLE, SUFFIX)

    said = capsys.readouterr().out.splitlines()
    assert said == [
        f"{TABLE}_{SUFFIX}: archived 2 rows", f"{TABLE}_{SUFFIX}: restored 2 rows",
    ]  # fmt: skip
    for wrong in (("django_migrations", SUFFIX), (TABLE, "2025_13"), (TABLE, "2019_01")):
        with pytest.raises(CommandError):
            call_command("partitions", "restore", *wrong)
