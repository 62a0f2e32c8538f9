"""Events, and rows of the test's work table."""

import datetime as dt
import threading
from collections.abc import Callable

from django.db import connection, connections, transaction

from apps.common import clock, ids
from apps.messaging import outbox
from apps.messaging.contracts import Event, ReceivedEvent
from tests.messaging.handlers import TOPIC


def happened(subject: str, number: int, *, kind: str = "happened") -> Event:
    return Event(type=f"{TOPIC}.{kind}", subject=subject, data={"number": number})


def publish(*events: Event) -> None:
    with transaction.atomic():
        outbox.publish(events)


def received(subject: str, number: int, *, kind: str = "happened") -> ReceivedEvent:
    return ReceivedEvent(
        id=ids.uuid7(),
        type=f"{TOPIC}.{kind}",
        subject=subject,
        sequence=number,
        occurred_at=clock.now(),
        data={"number": number},
    )


def make_work(*row_ids: int, state: str = "DUE", due_in: dt.timedelta | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO test_work (id, state, next_action_at)"
            " SELECT id, %s, clock_timestamp() + %s FROM unnest(%s::bigint[]) AS id",
            [state, due_in or dt.timedelta(seconds=-1), list(row_ids)],
        )


def work_row(row_id: int) -> dict[str, object]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT claim, attempts, parked_at, next_action_at,"
            " extract(epoch FROM next_action_at - clock_timestamp())::float8 AS due_in"
            " FROM test_work WHERE id = %s",
            [row_id],
        )
        names = [column.name for column in cursor.description]
        return dict(zip(names, cursor.fetchone(), strict=True))


def at_once(count: int, work: Callable[[int], None]) -> None:
    """Run `work(0)`, `work(1)`… in so many threads that begin at the same moment."""
    barrier = threading.Barrier(count)
    failures: list[Exception] = []

    def begin(number: int) -> None:
        try:
            barrier.wait()
            work(number)
        except Exception as error:  # noqa: BLE001 - raised again below
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures
