"""The host's file is read whole or not at all."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.settlement import host_file
from apps.settlement.contracts import LineKind
from apps.settlement.errors import HostFileInvalidError
from tests.settlement.host_days import end, line, write

TODAY = dt.date(2026, 11, 22)

_ALNUM = st.characters(min_codepoint=48, max_codepoint=122).filter(str.isalnum)
_INSTANTS = st.datetimes(dt.datetime(2026, 8, 1), dt.datetime(2026, 11, 22)).map(
    lambda at: at.replace(microsecond=0, tzinfo=dt.UTC)
)
_LINES = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(list(LineKind)),
        "terminal": st.text(_ALNUM, min_size=8, max_size=8),
        "stan": st.integers(1, 999_999),
        "sent_at": _INSTANTS,
        "rrn": st.text(_ALNUM, min_size=12, max_size=12),
        "processing_code": st.sampled_from(["000000", "210000", "200000"]),
        "upi_id": st.text(_ALNUM, max_size=35),
        "account": st.text(_ALNUM, min_size=1, max_size=28),
        "amount_paise": st.integers(1, 10**12 - 1),
        "sign": st.sampled_from("CD"),
    }
)


def _written(facts):
    return line(
        TODAY,
        **facts
        | {
            "kind": facts["kind"].value,
            "stan": f"{facts['stan']:06}",
            "sent_at": f"{facts['sent_at']:%m%d%H%M%S}",
            "amount_paise": str(facts["amount_paise"]),
        },
    )


def _read(each):
    facts = {name: getattr(each, name) for name in _FACTS}
    return facts | {"amount_paise": each.amount.paise}


_FACTS = (
    "kind", "terminal", "stan", "sent_at", "rrn", "processing_code", "upi_id", "account", "sign",
)  # fmt: skip


@settings(max_examples=50)
@given(st.lists(_LINES, max_size=6, unique_by=str))
def test_what_is_written_is_read(facts):
    found = host_file.read(write(TODAY, *map(_written, facts)), date=TODAY)

    assert [_read(each) for each in found] == facts
    assert {each.business_date for each in found} <= {TODAY}


@settings(max_examples=50)
@given(st.lists(_LINES, min_size=1, max_size=4, unique_by=str), st.data())
def test_no_part_of_a_file_is_a_file(facts, data):
    content = write(TODAY, *map(_written, facts))
    cut = data.draw(st.integers(0, len(content) - 1))

    with pytest.raises(HostFileInvalidError):
        host_file.read(content[:cut], date=TODAY)


@given(st.binary(max_size=200))
def test_other_bytes_are_refused(content):
    with pytest.raises(HostFileInvalidError):
        host_file.read(content, date=TODAY)


@settings(max_examples=50)
@given(st.lists(_LINES, min_size=1, max_size=4, unique_by=str), st.data())
def test_a_file_with_a_byte_changed_is_refused_or_says_another_thing(facts, data):
    content = bytearray(write(TODAY, *map(_written, facts)))
    place = data.draw(st.integers(0, len(content) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda other: other != content[place]))
    content[place] = byte

    try:
        found = host_file.read(bytes(content), date=TODAY)
    except HostFileInvalidError:
        return
    assert len(found) == len(facts)


@pytest.mark.parametrize(
    ("_case", "content"),
    [
        ("nothing",               b""),
        ("no last line",          write(TODAY, line(TODAY), last=line(TODAY, stan="000002"))),
        ("too few lines",         write(TODAY, last=end(TODAY, 1))),
        ("too many lines",        write(TODAY, line(TODAY), last=end(TODAY, 0))),
        ("a count that is none",  write(TODAY, line(TODAY), last=end(TODAY, "01"))),
        ("an end that says more", write(TODAY, last=end(TODAY, 0, stan="000001"))),
        ("another day's end",     write(TODAY, last=end(dt.date(2026, 11, 21), 0))),
        ("a line after the end",  write(TODAY) + write(TODAY).splitlines(keepends=True)[1]),
        ("another day's line",    write(TODAY, line(TODAY, business_date="2026-11-21"))),
        ("a line twice",          write(TODAY, line(TODAY), line(TODAY))),
        ("other columns",         write(TODAY, columns=host_file.COLUMNS[::-1])),
        ("an unknown kind",       write(TODAY, line(TODAY, kind="DECLINED"))),
        ("an amount of none",     write(TODAY, line(TODAY, amount_paise="0"))),
        ("a negative amount",     write(TODAY, line(TODAY, amount_paise="-1"))),
        ("an amount with signs",  write(TODAY, line(TODAY, amount_paise="1,234"))),
        ("an amount in rupees",   write(TODAY, line(TODAY, amount_paise="149.50"))),
        ("an exponent",           write(TODAY, line(TODAY, amount_paise="5E2"))),
        ("other digits",          write(TODAY, line(TODAY, amount_paise="५००"))),
        ("a sign that is none",   write(TODAY, line(TODAY, sign="-"))),
        ("a decline",             write(TODAY, line(TODAY, response="51"))),
        ("STAN zero",             write(TODAY, line(TODAY, stan="000000"))),
        ("no such instant",       write(TODAY, line(TODAY, sent_at="1332000000"))),
        ("no such posting time",  write(TODAY, line(TODAY, at="2026-11-22T99:00:00.000+05:30"))),
        ("a formula",             write(TODAY, line(TODAY, upi_id="=cmd|' /C calc'!A0"))),
        ("a row count in a line", write(TODAY, line(TODAY, rows="1"))),
        ("not text",              b"\xff\xfe"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_whole(_case, content):
    with pytest.raises(HostFileInvalidError):
        host_file.read(content, date=TODAY)


def test_the_year_of_a_call_is_the_nearest():
    january = dt.date(2027, 1, 1)
    content = write(january, line(january, sent_at="1231182959"))

    (found,) = host_file.read(content, date=january)

    assert found.sent_at == dt.datetime(2026, 12, 31, 18, 29, 59, tzinfo=dt.UTC)
