"""The command and the job take a day of the host, print or log what differs, and say so."""

import datetime as dt
import io
import json

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command

from apps.common import clock
from apps.settlement import host_selectors
from apps.settlement.models import HostFile
from apps.settlement.services import host_days
from tests.settlement.host_days import DAY, line, write


def yesterday():
    return clock.business_date(clock.now()) - DAY


@pytest.fixture
def host(at_host, settings):
    settings.CORE_BANKING_FILES_URL = f"http://127.0.0.1:{at_host.control_port}/dayfile"
    settings.HOST_FILE_AT = dt.time.min
    return at_host


def run(**options):
    out = io.StringIO()
    call_command("reconcile_core_banking", stdout=out, **options)
    return out.getvalue()


@pytest.mark.own_books
@pytest.mark.usefixtures("committed")
def test_where_our_books_are_core_banking_there_is_no_host():
    assert "there is no host" in run()
    assert not HostFile.objects.exists()
    assert not host_selectors.host_file_is_due()


def test_the_command_fetches_yesterday_and_is_content_with_a_day_that_agrees(host):
    told = run()

    assert f"{yesterday()}: 0 rows in the file, 0 matched" in told
    assert told.rstrip().endswith("no breaks")
    assert HostFile.objects.get().business_date == yesterday()
    assert run() == told


def test_the_command_prints_breaks_as_json_and_ends_with_one(host, tmp_path):
    file = tmp_path / "day.csv"
    file.write_bytes(write(yesterday(), line(yesterday())))
    out = io.StringIO()

    with pytest.raises(SystemExit) as ended:
        call_command("reconcile_core_banking", dayfile=file, json=True, stdout=out)

    assert ended.value.code == 1
    found = json.loads(out.getvalue())
    assert [(each["kind"], each["exposure_paise"]) for each in found["breaks"]] == [
        ("ONLY_AT_HOST", 14950)
    ]
    assert "001234567890" not in out.getvalue()


@pytest.mark.parametrize(
    ("code", "days_ago", "content"),
    [
        ("host_file_invalid",     1, b"kind\r\n"),
        ("host_file_differs",     2, None),
        ("host_day_open",         0, None),
        ("host_file_unavailable", 1, None),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_said_by_a_stable_code(host, tmp_path, code, days_ago, content):
    date = yesterday() + DAY - days_ago * DAY
    file = tmp_path / "day.csv"
    if code == "host_file_differs":
        file.write_bytes(write(date))
        run(date=date, dayfile=file)
        content = write(date, line(date))
    if content:
        file.write_bytes(content)
    before = list(HostFile.objects.values())

    with pytest.raises(CommandError) as refused:
        run(date=date, dayfile=None if code == "host_day_open" else file)

    assert refused.value.returncode == 2
    assert str(refused.value).startswith(f"{code}: ")
    assert list(HostFile.objects.values()) == before


def test_the_job_takes_each_day_that_was_missed_and_then_has_nothing_to_do(host):
    first = yesterday() - 2 * DAY
    run(date=first)
    assert host_selectors.host_file_is_due()

    assert host_days.take_due_days(now=clock.now()) == 2

    taken = HostFile.objects.order_by("business_date").values_list("business_date", flat=True)
    assert list(taken) == [first, first + DAY, yesterday()]
    cache.delete(host_selectors.FETCH_MARK)
    assert not host_selectors.host_file_is_due()
    assert host_days.take_due_days(now=clock.now()) == 0


def test_a_host_that_gives_no_file_is_asked_again_only_after_a_while(host, settings):
    settings.CORE_BANKING_FILES_URL = "http://127.0.0.1:9/dayfile"

    assert host_days.take_due_days(now=clock.now()) == 0

    assert not host_selectors.host_file_is_due()
    cache.delete(host_selectors.FETCH_MARK)
    assert host_selectors.host_file_is_due()
    assert not HostFile.objects.exists()
