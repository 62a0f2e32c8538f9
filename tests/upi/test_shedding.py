"""Questions beyond what there is room for are shed unread; money is never shed."""

from apps.upi.shedding import Room
from tests.upi import wire

QUESTIONS = ("17_ReqChkTxn", "32_ReqListAccount", "30_ReqValAdd")


def test_there_is_room_for_so_many_at_once():
    room = Room(at_once=2, per_second=100)

    assert [room.enter(at=10.0) for _ in range(3)] == [True, True, False]

    room.leave()
    assert room.enter(at=10.0)
    assert not room.enter(at=10.0)


def test_there_is_room_for_so_many_a_second_and_one_idle_second_is_saved_up():
    room = Room(at_once=1000, per_second=4)

    assert sum(room.enter(at=100.0) for _ in range(10)) == 4
    assert sum(room.enter(at=100.5) for _ in range(10)) == 2
    assert sum(room.enter(at=200.0) for _ in range(10)) == 4


def test_a_question_that_is_refused_a_place_takes_none():
    room = Room(at_once=1, per_second=4)
    assert room.enter(at=5.0)

    assert not any(room.enter(at=5.0) for _ in range(10))

    room.leave()
    assert room.enter(at=5.0)


def test_a_clock_that_seems_to_go_back_gives_no_room():
    room = Room(at_once=1000, per_second=4)
    assert sum(room.enter(at=100.0) for _ in range(10)) == 4

    assert not room.enter(at=99.0)
    assert sum(room.enter(at=100.25) for _ in range(10)) == 1


def test_without_room_questions_get_429_and_leave_nothing_and_money_is_taken(
    door, changes, settings
):
    settings.UPI_QUESTIONS_AT_ONCE = 0
    for name in QUESTIONS:
        body = wire.sign(wire.fresh(name), door.key)
        shed = door._client.post(wire.path_of(body), data=body, content_type="application/xml")
        assert (shed.status_code, shed.content, shed["Retry-After"]) == (429, b"", "1")
    assert changes() == {}

    for name in ("DEBIT", "CREDIT", "AUTH", "CONFIRMATION"):
        assert door.send(wire.fresh(name)).err == ""


def test_a_place_is_free_again_after_each_message_whatever_became_of_it(door, settings):
    settings.UPI_QUESTIONS_AT_ONCE = 1
    settings.UPI_QUESTIONS_PER_SECOND = 1_000_000

    answers = [door.send(wire.fresh("17_ReqChkTxn")) for _ in range(3)]

    assert [each.status for each in answers] == [200] * 3
    assert all(each.err for each in answers)
