"""A process killed at any point of the wire: what it began is finished once, or not at all."""

import json
import signal

import pytest
from django.conf import settings
from django.db import transaction

from apps.common import clock
from apps.upi.models import Exchange, MessageLog
from apps.upi.services import deliver, heartbeat
from tests.foundry import opened_foundry
from tests.upi import wire
from tests.upi.test_answers import answer_to, make_due, receive, record

# Sets Django up once; for each order it reads it forks a process that does it and dies there.
FOUNDRY = """
import json, os, sys
import django
django.setup()
from django.conf import settings
from django.test import Client
from apps.common import clock
from apps.upi.services import deliver, heartbeat

def receive(order):
    client = Client(HTTP_HOST="127.0.0.1")
    client.post(order["path"], data=order["body"], content_type="application/xml")

WORKS = {
    "receive": receive,
    "deliver": lambda _: deliver.deliver_due(),
    "beat": lambda _: heartbeat.beat(now=clock.now()),
}
for line in sys.stdin:
    order = json.loads(line)
    pid = os.fork()
    if pid == 0:
        try:
            settings.FAULT_AT, settings.UPI_SWITCH_URL = order["point"], order["switch"]
            WORKS[order["work"]](order)
        finally:
            os._exit(1)
    print(os.WTERMSIG(os.waitpid(pid, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def foundry(django_db_setup):
    with opened_foundry(FOUNDRY, UPI_SERVICES="receiver") as opened:
        yield opened


@pytest.fixture
def run_until_killed(foundry, open_door):
    """Run a work of another process until it dies at a point."""

    def run(work: str, point: str, **order: str) -> None:
        order |= {"work": work, "point": point, "switch": settings.UPI_SWITCH_URL}
        assert foundry.fork(json.dumps(order)) == signal.SIGKILL

    return run


@pytest.mark.parametrize(("point", "kept"), [("upi.accepting", 0), ("upi.accepted", 1)])
def test_a_receiver_killed_around_its_commit_accepts_once(open_door, run_until_killed, point, kept):
    body = wire.sign(wire.fresh("HEARTBEAT"), open_door.key)

    run_until_killed("receive", point, path=wire.path_of(body), body=body.decode())

    assert Exchange.objects.count() == kept
    assert open_door.post(body).err == ""
    assert Exchange.objects.count() == 1
    assert MessageLog.objects.filter(direction="OUT").count() == 1


@pytest.mark.parametrize(
    ("point", "sent"),
    [("upi.answer.signed", 0), ("upi.answer.sent", 1), ("upi.answer.recorded", 1)],
)
def test_an_answer_whose_sender_is_killed_goes_out_with_the_same_bytes(
    open_door, switch, run_until_killed, point, sent
):
    record(answer_to(receive(open_door)))

    run_until_killed("deliver", point)
    assert len(switch.posted) == sent
    make_due()
    deliver.deliver_due()

    assert Exchange.objects.get().state == "ACKED"
    assert len({posted.body for posted in switch.posted}) == 1
    assert len(switch.posted) == (1 if point == "upi.answer.recorded" else sent + 1)


@pytest.mark.parametrize(
    ("point", "sent", "state"),
    [
        ("upi.request.signed",   0, "NONE"),
        ("upi.request.sent",     1, "NONE"),
        ("upi.request.recorded", 1, "ACKED"),
    ],
)  # fmt: skip
def test_a_request_whose_sender_is_killed_is_never_sent_again(
    open_door, switch, run_until_killed, point, sent, state
):
    run_until_killed("beat", point)

    with transaction.atomic():
        assert Exchange.objects.get().state == state
    assert deliver.deliver_due() == 0
    assert len(switch.posted) == sent
    heartbeat.beat(now=clock.now())
    assert len({posted.root.find("Head").get("msgId") for posted in switch.posted}) == sent + 1
