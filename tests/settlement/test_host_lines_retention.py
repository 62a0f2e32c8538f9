"""How long the lines of the host's files are kept, and what keeps them longer."""

import datetime as dt

import pytest
from django.conf import settings
from django.db import connections
from django.db.utils import DatabaseError
from django.utils.module_loading import import_string

from apps.accounts.models import CoreBankingCall
from apps.common import clock, ids
from apps.operators.models import AuditEntry
from apps.operators.services import old_rows
from apps.payments.services.host_calls import KEPT_DAYS
from apps.settlement.models import HostFile, HostFileLine

pytestmark = [pytest.mark.own_books, pytest.mark.usefixtures("committed")]

TABLE = "settlement_host_file_line"
NOW = clock.now()
OLD, LATELY = (NOW - dt.timedelta(days=KEPT_DAYS + more) for more in (1, -1))


def keep(at, *stans):
    file = HostFile.objects.create(business_date=clock.business_date(at), digest=b"", rows=1)
    for stan in stans:
        HostFileLine.objects.create(
            file=file, kind="POSTED", terminal="EXBUPI01", stan=stan, sent_at=at,
            rrn="632700000042", processing_code="000000", upi_id="", account="001",
            amount_paise=100, sign="D", at=at,
        )  # fmt: skip


def call(at, stan):
    CoreBankingCall.objects.create(
        id=ids.uuid7_floor(at), kind="BALANCE", mti_class="02", acquirer="900001",
        business_date=clock.business_date(at), terminal="EXBUPI01", stan=stan,
        transmitted_at=at, rrn="632700000042", amount_paise=100,
    )  # fmt: skip


def remove():
    return old_rows.remove_old(import_string(settings.PARTITION_ROW_RETENTIONS), now=NOW)


def kept():
    return list(HostFileLine.objects.order_by("stan").values_list("stan", flat=True))


def test_lines_of_old_days_go_batch_by_batch_and_their_files_stay(monkeypatch):
    monkeypatch.setattr(old_rows, "BATCH", 2)
    keep(OLD, 1, 2, 3)
    keep(LATELY, 4)

    assert (remove(), remove()) == ({TABLE: 3}, {})
    assert kept() == [4]
    assert HostFile.objects.count() == 2
    entries = AuditEntry.objects.filter(action="rows.removed", target=TABLE)
    assert [entry.detail["rows"] for entry in entries.order_by("pk")][-2:] == [2, 1]


def test_a_line_stays_while_the_call_of_its_trace_is_kept():
    keep(OLD, 1, 2)
    call(OLD, 2)

    assert remove() == {TABLE: 1}
    assert kept() == [2]


def test_after_a_removal_the_owner_too_is_refused_to_change_a_line():
    keep(OLD, 1)
    keep(LATELY, 2)
    remove()

    with connections["owner"].cursor() as cursor, pytest.raises(DatabaseError, match="history"):
        cursor.execute(f'DELETE FROM "{TABLE}"')
    assert kept() == [2]


def test_days_whose_lines_are_gone_make_no_search_read_the_lines_that_stay():
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "INSERT INTO settlement_host_file (business_date, digest, rows) "
            "SELECT %s::date - day, '', 1 FROM generate_series(0, 3000) AS day",
            [clock.business_date(OLD)],
        )
        cursor.execute(
            "INSERT INTO settlement_host_file (business_date, digest, rows) "
            "VALUES (%s, '', 20000) RETURNING id",
            [clock.business_date(LATELY)],
        )
        cursor.execute(
            f"INSERT INTO {TABLE} (file_id, kind, terminal, stan, sent_at, rrn, processing_code, "
            "upi_id, account, amount_paise, sign, at) "
            "SELECT %s, 'POSTED', 'EXBUPI01', stan, %s, '', '', '', '', 100, 'D', %s "
            "FROM generate_series(1, 20000) AS stan",
            [cursor.fetchone()[0], LATELY, LATELY],
        )
        cursor.execute(f"ANALYZE {TABLE}, settlement_host_file")
        retention = import_string(settings.PARTITION_ROW_RETENTIONS)[TABLE]
        search = old_rows._OVER.format(table=TABLE, over=retention.over)
        cursor.execute(
            f"EXPLAIN {search}", {"before": clock.business_date(OLD), "limit": old_rows.BATCH}
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "host_file_line_trace" in plan
