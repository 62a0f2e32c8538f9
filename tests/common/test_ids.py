"""Ids are ordered by time, are exactly one of ours, or nothing."""

import datetime as dt
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.common import ids


def test_row_ids_are_ordered_by_time_and_tell_it():
    before = dt.datetime.now(tz=dt.UTC)

    first, later = ids.uuid7(), ids.uuid7_floor(before + dt.timedelta(days=1))

    assert first < later
    assert first.version == 7
    assert first.variant == uuid.RFC_4122
    assert abs(ids.instant_of(first) - before) < dt.timedelta(seconds=5)


def test_the_floor_of_an_instant_is_below_every_id_made_then():
    assert ids.uuid7_floor(dt.datetime.now(tz=dt.UTC) - dt.timedelta(milliseconds=2)) < ids.uuid7()


def test_a_upi_id_has_the_prefix_and_35_characters():
    made = {ids.new_upi_id("EXB") for _ in range(1000)}

    assert len(made) == 1000
    assert all(len(one) == 35 and one.startswith("EXB") and one.isalnum() for one in made)


@given(st.uuids())
def test_a_public_id_reads_back_as_the_row_it_names(value):
    text = ids.public_id("ord", value)

    assert ids.parse_public_id("ord", text) == value
    assert ids.parse_public_id("pay", text) is None


@given(st.uuids(), st.uuids())
def test_public_ids_sort_as_their_rows_do(left, right):
    assert (ids.public_id("ord", left) < ids.public_id("ord", right)) == (left < right)


@pytest.mark.parametrize(
    "text",
    ["", "ord", "ord_", "ord_../1", "ord_' or 1=1--", "ord_" + "z" * 26, "ord_" + "u" * 26,
     "ord_" + "0" * 25, "ord_" + "0" * 27, "ORD_" + "0" * 26, "ord_" + "٠" * 26],
)  # fmt: skip
def test_whatever_is_not_an_id_of_ours_is_nothing(text):
    assert ids.parse_public_id("ord", text) is None
