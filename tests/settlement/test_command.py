"""The command takes a whole file or none, prints what differs, and its code says so."""

import datetime as dt
import io
import json

import pytest
from django.core.management import CommandError, call_command

from apps.common import clock
from apps.payments.models import FileVerdict
from apps.settlement.day_file import COLUMNS
from apps.settlement.models import DayFile
from tests.settlement.files import debited, row, write

TODAY = clock.business_date(clock.now())


def test_the_command_prints_breaks_by_kind_and_ends_with_one(hand, outward, tmp_path):
    debited(hand, outward)
    file = tmp_path / "day.csv"
    file.write_bytes(write(row(outward, "UT")))
    out = io.StringIO()

    with pytest.raises(SystemExit) as ended:
        call_command("reconcile", dayfile=file, stdout=out, date=TODAY)

    assert ended.value.code == 1
    assert "DEBIT_UNEXPECTED: 1, exposure ₹149.50" in out.getvalue()
    assert outward.id in out.getvalue()
    assert outward.payer.number not in out.getvalue()


def test_the_command_is_content_with_a_day_that_agrees(hand, outward, tmp_path):
    debited(hand, outward)
    file = tmp_path / "day.csv"
    file.write_bytes(write(row(outward)))
    out = io.StringIO()

    call_command("reconcile", dayfile=file, stdout=out)

    assert "1 rows in the file, 1 matched" in out.getvalue()
    assert out.getvalue().rstrip().endswith("no breaks")


@pytest.mark.parametrize(
    ("_case", "spoil"),
    [
        ("other columns", lambda deal: write(row(deal), columns=COLUMNS[::-1])),
        ("another day", lambda deal: write(row(deal, Date="01012001"))),
        ("a transaction twice", lambda deal: write(row(deal), row(deal, "UT"))),
        ("an amount that is none", lambda deal: write(row(deal, setAmount="1e2"))),
        ("another bank's", lambda deal: write(row(deal, payerId="XXX", remId="XXX"))),
        ("a row too short", lambda deal: write(row(deal)) + b"U3,EXB\r\n"),
        ("cut in a row", lambda deal: write(row(deal))[:-20]),
        ("not text", lambda _: b"\xff\xfe"),
    ],
)
def test_a_bad_file_is_refused_whole(hand, outward, tmp_path, _case, spoil):
    file = tmp_path / "day.csv"
    file.write_bytes(spoil(outward))

    with pytest.raises(CommandError) as refused:
        call_command("reconcile", dayfile=file, date=TODAY)

    assert refused.value.returncode == 2
    assert not FileVerdict.objects.exists()
    assert not DayFile.objects.exists()


def test_a_file_that_cannot_be_had_is_no_day_without_breaks(tmp_path):
    for source in ({"dayfile": tmp_path / "none"}, {"switch_control": "http://127.0.0.1:9"}):
        with pytest.raises(CommandError) as refused:
            call_command("reconcile", **source)

        assert refused.value.returncode == 2


def test_only_a_file_that_somebody_vouches_for_proves_absence(hand, outward, tmp_path):
    file = tmp_path / "day.csv"
    file.write_bytes(write())
    yesterday = TODAY - dt.timedelta(days=1)

    for options in ({}, {"complete": True}):
        call_command("reconcile", dayfile=file, date=yesterday, stdout=io.StringIO(), **options)
    call_command("reconcile", dayfile=file, date=TODAY, stdout=io.StringIO(), complete=True)

    vouched = DayFile.objects.order_by("pk").values_list("settlement_date", "is_complete")
    assert list(vouched) == [(yesterday, False), (yesterday, True), (TODAY, False)]


def test_programs_read_the_breaks_as_json(hand, outward, tmp_path):
    debited(hand, outward)
    file = tmp_path / "day.csv"
    file.write_bytes(write(row(outward, "UT")))
    out = io.StringIO()

    with pytest.raises(SystemExit):
        call_command("reconcile", dayfile=file, stdout=out, json=True)

    found = json.loads(out.getvalue())
    assert [(each["kind"], each["exposure_paise"]) for each in found["breaks"]] == [
        ("DEBIT_UNEXPECTED", 14950)
    ]
