"""The table that credentials pass through leaves no trace of them, whatever PostgreSQL does."""

import psycopg
import pytest
from django.db import connection, transaction

from apps.common import ids
from apps.common.secret import Secret
from apps.upi.contracts import Credential
from apps.upi.services import pin_blocks
from tests.leaks import search
from tests.leaks.planting import block_of, made_up

BLOCKS = 20


@pytest.mark.parametrize(
    "statement",
    [
        "ANALYZE upi_pin_block",
        "VACUUM (FREEZE, ANALYZE) upi_pin_block",
        "VACUUM FULL upi_pin_block",
        "CHECKPOINT",
        "SELECT count(*) FROM upi_pin_block",
        "UPDATE upi_pin_block SET stored_at = now()",
        "DELETE FROM upi_pin_block",
        "TRUNCATE upi_pin_block",
    ],
)
def test_stored_blocks_are_neither_in_the_wal_nor_in_a_dump(committed, recording, statement):
    made = made_up(count=BLOCKS)
    since = recording.cluster.wal_segment()
    database = connection.settings_dict["NAME"]

    with transaction.atomic():
        for canary in made:
            credential = Credential(
                type="PIN",
                sub_type="MPIN",
                code="NPCI",
                ki="20261101",
                data=Secret(block_of(canary)),
            )
            pin_blocks.store(ids.uuid7(), [credential])
    with psycopg.connect(recording.cluster.url(database), autocommit=True) as superuser:
        superuser.execute(statement)

    patterns = [pattern for canary in made for pattern in canary.patterns()]
    dump = recording.cluster.dump(database, to=recording.folder / "stored.sql")
    wal = recording.cluster.wal(since=since)
    assert search.by_place(search.for_patterns(patterns, [dump], wal=wal)) == []
