"""The inbox: each fact is applied once, and a subject's in their order."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from apps.messaging import envelope, inbox, selectors
from apps.messaging.inbox import Outcome
from apps.messaging.models import ConsumedEvent, DeadLetter
from tests.messaging import handlers, processes
from tests.messaging.factory import at_once, received
from tests.messaging.handlers import CONSUMERS, effects

pytestmark = pytest.mark.usefixtures("tables")

GROUP = "test"


@pytest.fixture(autouse=True)
def _quick(monkeypatch, settings):
    monkeypatch.setattr(inbox, "ATTEMPT_PAUSE_SECONDS", 0)
    monkeypatch.setattr(handlers, "is_mended", False)
    settings.MESSAGING_CONSUMERS = "tests.messaging.handlers.CONSUMERS"


def consume(event):
    return inbox.consume(GROUP, CONSUMERS[GROUP], event)


def test_an_event_is_applied_once():
    event = received("s", 1)

    outcomes = [consume(event), consume(event)]

    assert outcomes == [Outcome.APPLIED, Outcome.REPEATED]
    assert effects() == [1]


def consume_many(*events):
    inbox.consume_many(GROUP, CONSUMERS[GROUP], events)


def test_a_batch_is_applied_in_its_order_and_a_repeat_within_it_once():
    events = [received(f"s{number % 2}", number) for number in range(6)]
    consume(events[0])

    consume_many(*events, events[3], received("other", 9, kind="unknown"))
    consume_many(*events)

    assert effects() == [0, 1, 2, 3, 4, 5]
    assert ConsumedEvent.objects.count() == 6


def test_a_batch_with_an_event_that_fails_parks_that_one_and_what_waits_behind_it():
    events = [received("a", 1), received("p", 2, kind="failed"), received("p", 3), received("a", 4)]

    consume_many(*events)
    consume_many(received("p", 5), received("a", 6), events[0])

    assert effects() == [1, 4, 6]
    letters = DeadLetter.objects.order_by("sequence").values_list("sequence", "is_waiting")
    assert list(letters) == [(2, False), (3, True), (5, True)]


def test_a_batch_that_arrives_at_eight_members_at_once_is_applied_once():
    events = [received(f"s{number % 5}", number) for number in range(20)]

    at_once(8, lambda number: consume_many(*events[number:], *events[:number]))

    assert sorted(effects()) == list(range(20))


def test_an_event_that_arrives_at_eight_members_at_once_is_applied_once():
    event = received("s", 1)
    outcomes: list[Outcome] = []

    at_once(8, lambda _number: outcomes.append(consume(event)))

    assert outcomes.count(Outcome.APPLIED) == 1
    assert outcomes.count(Outcome.REPEATED) == 7
    assert effects() == [1]


def test_a_repeat_of_an_applied_event_does_not_wait_behind_a_parked_one():
    applied = received("s", 1)
    consume(applied)
    consume(received("s", 2, kind="failed"))

    assert consume(applied) is Outcome.REPEATED

    assert DeadLetter.objects.count() == 1


def test_a_reason_shows_nothing_personal(monkeypatch):
    def fail(_event):
        raise ValueError("Key (address)=(asha@exbank) of 123456789012 exists " + "x" * 1000)

    monkeypatch.setattr(handlers, "write", fail)

    consume(received("s", 1))

    reason = DeadLetter.objects.get().reason
    assert reason.startswith("ValueError: Key (address)=(as***@exbank) of XXXXXXXX9012 exists")
    assert len(reason) == inbox.REASON_LENGTH_MAX


@pytest.mark.parametrize(("point", "done"), [("inbox.applied", []), ("inbox.committed", [1])])
def test_a_consumer_killed_around_its_commit_applies_once(point, done):
    event = received("s", 1)
    code = processes.run(
        "from apps.messaging import envelope, inbox\n"
        "from tests.messaging.handlers import CONSUMERS\n"
        f"event = envelope.decode({envelope.encode(event)!r})\n"
        f"inbox.consume({GROUP!r}, CONSUMERS[{GROUP!r}], event)\n",
        FAULT_AT=point,
    )

    assert code == -9
    assert effects() == done
    consume(event)
    assert effects() == [1]


def test_each_consumer_applies_an_event_for_itself():
    event = received("s", 1)

    consume(event)
    inbox.consume("other", CONSUMERS[GROUP], event)

    assert effects() == [1, 1]


def test_an_event_that_nobody_asked_for_leaves_nothing():
    assert consume(received("s", 1, kind="unknown")) is Outcome.IGNORED

    assert not ConsumedEvent.objects.exists()


def test_a_poison_event_is_parked_with_owner_and_reason_and_leaves_no_effect():
    event = received("s", 1, kind="failed")

    assert consume(event) is Outcome.PARKED
    assert consume(event) is Outcome.PARKED

    letter = DeadLetter.objects.get()
    assert (letter.source, letter.item_id, letter.subject) == (GROUP, str(event.id), "s")
    assert letter.owner == "operations"
    assert letter.reason == "ValueError: this event is poison"
    assert effects() == []
    assert not ConsumedEvent.objects.exists()
    assert selectors.dead_letters_open() == 1


def test_later_events_of_a_parked_subject_wait_and_others_flow():
    consume(received("parked", 1, kind="failed"))

    later = consume(received("parked", 2))
    other = consume(received("free", 3))

    assert (later, other) == (Outcome.PARKED, Outcome.APPLIED)
    assert effects() == [3]
    assert DeadLetter.objects.get(is_waiting=True).reason == "waits behind an earlier event"


def test_a_replay_applies_what_is_parked_in_its_order(monkeypatch):
    consume(received("s", 1, kind="failed"))
    consume(received("s", 3))
    consume(received("s", 2))
    monkeypatch.setattr(handlers, "is_mended", True)

    call_command("replay_events", consumer=GROUP)

    assert effects() == [1, 2, 3]
    assert selectors.dead_letters_open() == 0
    assert consume(received("s", 4)) is Outcome.APPLIED


def test_a_replay_twice_applies_once(monkeypatch):
    consume(received("s", 1, kind="failed"))
    monkeypatch.setattr(handlers, "is_mended", True)

    call_command("replay_events", consumer=GROUP)
    call_command("replay_events", consumer=GROUP)

    assert effects() == [1]


def test_replays_at_once_apply_once(monkeypatch):
    for number in range(5):
        consume(received("s", number, kind="failed"))
    monkeypatch.setattr(handlers, "is_mended", True)

    at_once(4, lambda _number: inbox.replay(GROUP, CONSUMERS[GROUP], subject="s"))

    assert effects() == [0, 1, 2, 3, 4]


def test_a_replay_that_fails_keeps_the_subject_parked_and_says_so():
    consume(received("s", 1, kind="failed"))
    consume(received("s", 2))

    with pytest.raises(CommandError, match="still parked"):
        call_command("replay_events", consumer=GROUP)

    assert effects() == []
    assert selectors.dead_letters_open() == 2


def test_a_discarded_letter_lets_the_later_ones_go_on():
    consume(received("s", 1, kind="failed"))
    consume(received("s", 2))

    first = DeadLetter.objects.get(is_waiting=False)
    assert inbox.discard(first.pk)
    assert not inbox.discard(first.pk)
    call_command("replay_events", consumer=GROUP, subject="s")

    assert effects() == [2]


def test_a_letter_that_never_was_an_event_stays_with_its_owner():
    inbox.park_unreadable(GROUP, place="t/0/7", subject="s", reason="the message is not JSON")
    inbox.park_unreadable(GROUP, place="t/0/7", subject="s", reason="the message is not JSON")

    with pytest.raises(CommandError):
        call_command("replay_events", consumer=GROUP)

    assert DeadLetter.objects.get().item_id == "t/0/7"


def test_a_replay_of_an_unknown_consumer_is_refused():
    with pytest.raises(CommandError, match="no such consumer group: x"):
        call_command("replay_events", consumer="x")


def test_an_error_of_a_living_database_counts_as_the_events_own():
    assert consume(received("s", 1, kind="broken")) is Outcome.PARKED


def test_a_database_that_is_away_parks_nothing(monkeypatch):
    event = received("s", 1, kind="broken")
    port = connection.settings_dict["PORT"]

    def lose(_event):
        connection.settings_dict["PORT"] = "1"
        handlers.lose_the_database(_event)

    monkeypatch.setattr(handlers, "write", lose)
    try:
        with pytest.raises(inbox.DatabaseAwayError):
            consume(received("s", 1))
    finally:
        connection.settings_dict["PORT"] = port
        connection.close()

    assert not DeadLetter.objects.exists()
    assert consume(event) is Outcome.PARKED


def test_what_was_applied_long_ago_is_forgotten_in_bites(monkeypatch):
    monkeypatch.setattr(inbox, "PURGE_ROWS_MAX", 2)
    for number in range(4):
        consume(received("s", number))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_consumedevent SET consumed_at = consumed_at - interval '31 days'"
            " WHERE id < (SELECT max(id) FROM messaging_consumedevent)"
        )

    assert [inbox.purge(), inbox.purge(), inbox.purge()] == [2, 1, 0]
    assert ConsumedEvent.objects.count() == 1
