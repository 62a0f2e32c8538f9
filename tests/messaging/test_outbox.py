"""The outbox: a fact exists if and only if its transaction did."""

import jsonschema_rs
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.messaging import listening, outbox, selectors
from apps.messaging.contracts import Event
from apps.messaging.listening import Listener
from apps.messaging.models import OutboxEvent
from tests.messaging.factory import at_once, happened, publish
from tests.messaging.handlers import TOPIC

pytestmark = pytest.mark.usefixtures("tables")


def test_a_fact_is_published_only_inside_a_transaction():
    with pytest.raises(AssertionError):
        outbox.publish([happened("s", 1)])

    assert not OutboxEvent.objects.exists()


def test_a_fact_goes_when_its_transaction_goes():
    with transaction.atomic():
        outbox.publish([happened("s", 1)])
        transaction.set_rollback(True)

    assert not OutboxEvent.objects.exists()


def test_many_facts_are_one_statement_and_keep_their_order():
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        outbox.publish([happened("s", number) for number in range(100)])

    numbers = [event.data["number"] for event in OutboxEvent.objects.order_by("sequence")]
    assert len(queries) == 1
    assert numbers == list(range(100))


def test_no_facts_are_no_statement():
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        outbox.publish([])

    assert len(queries) == 0


def test_the_relay_is_told_once_and_only_after_the_commit():
    with Listener(outbox.CHANNEL) as listener:
        assert listener.hear(5) == [listening.ANYTHING]
        with transaction.atomic():
            outbox.publish([happened("s", 1)])
            outbox.publish([happened("s", 2)])
            assert not listener.hear(0.2)
        assert listener.hear(2) == [listening.ANYTHING]
        assert not listener.hear(0.2)


def test_facts_of_one_transaction_after_another_have_rising_sequences():
    subjects = [f"s{number}" for number in range(8)]

    def work(number: int) -> None:
        for turn in range(10):
            publish(happened(subjects[number], turn))

    at_once(8, work)

    for subject in subjects:
        events = OutboxEvent.objects.filter(subject=subject).order_by("sequence")
        assert [event.data["number"] for event in events] == list(range(10))


def test_all_facts_of_a_subject_are_in_one_shard():
    publish(*(happened("one", number) for number in range(5)))

    assert OutboxEvent.objects.values_list("shard", flat=True).distinct().count() == 1


def test_a_fact_is_held_against_its_schema(settings):
    settings.MESSAGING_CHECK_EVENTS = True

    with pytest.raises(FileNotFoundError):
        publish(happened("s", 1))

    assert not OutboxEvent.objects.exists()


def test_a_schema_refuses_what_it_does_not_name(settings, tmp_path, monkeypatch):
    settings.MESSAGING_CHECK_EVENTS = True
    schema = '{"type": "object", "properties": {"number": {"type": "string"}}}'
    (tmp_path / f"{TOPIC}.typed.json").write_text(schema)
    monkeypatch.setattr("apps.messaging.event_types.directory", lambda: tmp_path)

    with pytest.raises(jsonschema_rs.ValidationError):
        publish(happened("s", 1, kind="typed"))

    assert not OutboxEvent.objects.exists()


def test_a_fact_that_is_too_large_is_a_bug():
    with pytest.raises(AssertionError, match="too large"):
        publish(Event(type="messaging.test.happened", subject="s", data={"text": "x" * 70_000}))

    assert not OutboxEvent.objects.exists()


def test_the_age_of_the_oldest_waiting_fact_is_known():
    assert selectors.oldest_unpublished_seconds() == 0

    publish(happened("s", 1))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_outboxevent SET created_at = created_at - interval '1 hour'"
        )

    assert 3600 <= selectors.oldest_unpublished_seconds() < 3700


def test_rows_in_a_default_partition_are_known():
    assert selectors.default_partitions_with_rows() == []

    OutboxEvent.objects.create(
        id="00000000-0000-7000-8000-000000000000",
        sequence=1,
        type="messaging.test.happened",
        subject="s",
        shard=0,
        data={},
    )

    assert selectors.default_partitions_with_rows() == ["messaging_outboxevent_default"]
