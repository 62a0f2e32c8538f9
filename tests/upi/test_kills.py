"""A process killed at any point of the wire: what it began is finished once, or not at all."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import transaction

from apps.common import clock
from apps.upi.models import Exchange, MessageLog
from apps.upi.services import deliver, heartbeat
from tests.upi import wire
from tests.upi.test_answers import answer_to, make_due, receive, record

RECEIVE = """
import sys, django
django.setup()
from django.test import Client
body = sys.stdin.buffer.read()
Client(HTTP_HOST="127.0.0.1").post(sys.argv[1], data=body, content_type="application/xml")
"""
DELIVER = """
import django
django.setup()
from apps.upi.services import deliver
deliver.deliver_due()
"""
BEAT = """
import django
django.setup()
from apps.common import clock
from apps.upi.services import heartbeat
heartbeat.beat(now=clock.now())
"""


def run_until_killed(program: str, point: str, *arguments: str, body: bytes = b"") -> None:
    entry = settings.DATABASES["default"]
    address = "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format_map(entry)
    process = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        input=body,
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "upi_platform.settings.test",
            "DATABASE_URL": address,
            "SWITCH_URL": settings.UPI_SWITCH_URL,
            "UPI_SERVICES": "receiver",
            "FAULT_AT": point,
        },
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == -9, process.stderr.decode()[-2000:]


@pytest.mark.parametrize(("point", "kept"), [("upi.accepting", 0), ("upi.accepted", 1)])
def test_a_receiver_killed_around_its_commit_accepts_once(open_door, point, kept):
    body = wire.sign(wire.fresh("HEARTBEAT"), open_door.key)

    run_until_killed(RECEIVE, point, wire.path_of(body), body=body)

    assert Exchange.objects.count() == kept
    assert open_door.post(body).err == ""
    assert Exchange.objects.count() == 1
    assert MessageLog.objects.filter(direction="OUT").count() == 1


@pytest.mark.parametrize(
    ("point", "sent"),
    [("upi.answer.signed", 0), ("upi.answer.sent", 1), ("upi.answer.recorded", 1)],
)
def test_an_answer_whose_sender_is_killed_goes_out_with_the_same_bytes(
    open_door, switch, point, sent
):
    record(answer_to(receive(open_door)))

    run_until_killed(DELIVER, point)
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
    open_door, switch, point, sent, state
):
    run_until_killed(BEAT, point)

    with transaction.atomic():
        assert Exchange.objects.get().state == state
    assert deliver.deliver_due() == 0
    assert len(switch.posted) == sent
    heartbeat.beat(now=clock.now())
    assert len({posted.root.find("Head").get("msgId") for posted in switch.posted}) == sent + 1
