"""The audit log: nothing changed, nothing put in, nothing taken out unseen."""

import threading

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction

from apps.operators.errors import AuditBrokenError
from apps.operators.models import AuditEntry
from apps.operators.services import audit

pytestmark = pytest.mark.usefixtures("committed")


def write(count: int) -> None:
    for number in range(count):
        audit.record(
            actor="a@exbank.example", action="looked", target=str(number), detail={"n": number}
        )


def as_owner(statement: str) -> None:
    """Run SQL as whoever owns the database, with triggers off: the attacker we must detect."""
    entry = settings.DATABASES["owner"]
    with psycopg.connect(
        host=entry["HOST"], port=entry["PORT"], user=entry["USER"], password=entry["PASSWORD"],
        dbname=entry["NAME"], autocommit=True,
    ) as owner:  # fmt: skip
        owner.execute("ALTER TABLE operators_auditentry DISABLE TRIGGER append_only")
        owner.execute(statement.format("operators_auditentry"))
        owner.execute("ALTER TABLE operators_auditentry ENABLE TRIGGER append_only")


def test_a_chain_holds_and_ends_where_it_ended():
    write(3)

    assert audit.verify() == (3, AuditEntry.objects.get(sequence=3).digest)


def test_an_empty_log_holds():
    assert audit.verify() == (0, "GENESIS")


@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET actor = 'x'", "DELETE FROM {}", "TRUNCATE {}"]
)
def test_the_platform_cannot_change_history(statement):
    write(1)

    with pytest.raises(DatabaseError), connection.cursor() as cursor:
        cursor.execute(statement.format("operators_auditentry"))

    assert audit.verify()[0] == 1


@pytest.mark.parametrize(
    ("_case", "statement", "message"),
    [
        ("changed",  "UPDATE {} SET target = 'x' WHERE sequence = 2", "2 was changed"),
        ("moved",    "UPDATE {} SET at = at + interval '1 us' WHERE sequence = 3", "3 was changed"),
        ("detail",   "UPDATE {} SET detail = 'null' WHERE sequence = 1", "1 was changed"),
        ("taken out", "DELETE FROM {} WHERE sequence = 2", "2 is missing"),
        ("first out", "DELETE FROM {} WHERE sequence = 1", "1 is missing"),
    ],
)  # fmt: skip
def test_what_the_owner_changes_is_found(_case, statement, message):
    write(4)

    as_owner(statement)

    with pytest.raises(AuditBrokenError, match=message):
        audit.verify()


def test_a_tail_that_was_cut_off_is_found_by_what_is_known():
    write(4)
    sequence, digest = audit.verify()

    as_owner("DELETE FROM {} WHERE sequence > 2")

    assert audit.verify()[0] == 2
    with pytest.raises(AuditBrokenError, match="after 2 are missing"):
        audit.verify(known_sequence=sequence, known_digest=digest)


def test_writers_at_once_make_one_chain():
    barrier = threading.Barrier(8)

    def work():
        barrier.wait()
        with transaction.atomic():
            write(5)
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert audit.verify()[0] == 40


def test_an_entry_goes_when_its_transaction_goes():
    with transaction.atomic():
        write(2)
        transaction.set_rollback(True)

    write(1)

    assert audit.verify()[0] == 1


def test_the_command_prints_the_end_and_fails_on_a_break(capsys):
    write(2)
    call_command("verify_audit")
    end = capsys.readouterr().out.strip()
    call_command("verify_audit", known=end)

    as_owner("UPDATE {} SET action = 'x' WHERE sequence = 1")

    assert end.startswith("2:")
    with pytest.raises(CommandError, match="entry 1 was changed"):
        call_command("verify_audit")
    with pytest.raises(CommandError, match="SEQUENCE:DIGEST"):
        call_command("verify_audit", known="2;DROP TABLE")
