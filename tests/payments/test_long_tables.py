"""Beside long tables a payment reads what is its own: no due scan reads a whole table."""

import psycopg
import pytest
from django.db import connection, connections
from django.utils.module_loading import import_string
from psycopg import sql

from apps.common import clock
from tests.benchmarks import growth_rows
from tests.payments.hand import Deal, Side, drain
from tests.payments.payer import enrol_payee
from upi_platform.sweeps import SWEEPS

ABROAD = Side(address="ravi@smplbank", number="009876500001", ifsc="SMPL0000002", name="RAVI IYER")
ROWS = 16_000
# Far below the shortest of the long tables; a table that has few rows may be read whole.
READ_WHOLE_MAX = 200

_READ = """
    SELECT coalesce(parent.relname, statistics.relname), sum(statistics.seq_tup_read)
      FROM pg_stat_user_tables AS statistics
      LEFT JOIN pg_inherits ON inhrelid = statistics.relid
      LEFT JOIN pg_class AS parent ON parent.oid = inhparent
     GROUP BY 1
"""


@pytest.fixture
def owner(hand):
    """Yield the owner's connection, which commits by itself, with past months for the tables."""
    del hand
    connections["owner"].ensure_connection()
    opened = connections["owner"].connection
    made = growth_rows.make_months(opened, now=clock.now())
    yield opened
    for name in made:
        opened.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(name)))
    connections["owner"].close()


def read_whole(owner: psycopg.Connection) -> dict[str, int]:
    """Return the rows that scans of whole tables have read so far, by table."""
    # What a session counted is otherwise told to the server after a while only.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
    owner.execute("SELECT pg_stat_force_next_flush()")
    rows = dict(owner.execute(_READ).fetchall())
    return {table: int(rows[table]) for table in growth_rows.TABLES}


def test_a_payment_beside_long_tables_reads_none_of_them_whole(hand, owner):
    payee = enrol_payee(hand)
    begun = clock.now()
    for _ in range(4):
        hand.debit(Deal(payer=hand.account(), payee=ABROAD))
        hand.credit(Deal(payer=ABROAD, payee=payee))
        drain()
    each = growth_rows.take_sample(owner, since=begun)
    growth_rows.multiply(owner, rows=ROWS, each=each, now=begun)
    before = read_whole(owner)

    debit = hand.debit(Deal(payer=hand.account(), payee=ABROAD))
    credit = hand.credit(Deal(payer=ABROAD, payee=payee))
    drain()
    for probe in SWEEPS.values():
        import_string(probe)()

    assert (debit.code, credit.code) == ("00", "00")
    after = read_whole(owner)
    assert _grown(before, after) == {}

    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(length(state)) FROM payments_leg")
    assert set(_grown(after, read_whole(owner))) == {"payments_leg"}


def _grown(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {
        table: after[table] - rows
        for table, rows in before.items()
        if after[table] - rows > READ_WHOLE_MAX
    }


def test_no_question_of_a_payment_starts_processes_of_its_own(committed):
    with connection.cursor() as cursor:
        cursor.execute("SHOW max_parallel_workers_per_gather")

        assert cursor.fetchone() == ("0",)
