"""JSON is read strictly, and refused with a stable code."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.common.errors import DomainError
from apps.common.strict_json import NotFiniteNumber, OrjsonRenderer, StrictJsonParser, loads

texts = st.text(st.characters(codec="utf-8"))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(texts, values, max_size=5))
def test_what_we_write_we_read_back(members):
    assert loads(OrjsonRenderer().render(members)) == members


@pytest.mark.parametrize(
    ("_case", "body", "code"),
    [
        ("cut short",            b'{"amount":',                      "malformed_json"),
        ("nested 100,000 deep",  b"[" * 60_000,                      "malformed_json"),
        ("deep inside an object", b'{"a":' * 17 + b"1" + b"}" * 17,   "malformed_json"),
        ("a list",               b"[]",                              "malformed_json"),
        ("not UTF-8",            b'{"a":"\xff"}',                    "malformed_json"),
        ("UTF-16",               '{"a":1}'.encode("utf-16"),         "malformed_json"),
        ("empty",                b"",                                "malformed_json"),
        ("the same member twice", b'{"amount":100,"amount":90000}',   "duplicate_member"),
        ("twice, written apart", b'{"a":1,"\\u0061":2}',             "duplicate_member"),
        ("too large",            b'{"a":"' + b"x" * 65_536 + b'"}',  "too_large"),
    ],
)  # fmt: skip
def test_a_body_that_could_be_misread_is_refused(_case, body, code):
    with pytest.raises(DomainError) as refusal:
        StrictJsonParser().parse(io.BytesIO(body))

    assert refusal.value.code == code


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e400", "100.10", "1.0", "9" * 5000]
)
def test_a_number_that_is_not_a_whole_number_is_no_number(number):
    members = loads(b'{"amount":' + number.encode() + b"}")

    assert isinstance(members["amount"], NotFiniteNumber)
    assert not isinstance(members["amount"], int)


def test_brackets_inside_text_do_not_count_as_depth():
    assert loads(b'{"note":"[[[[[[[[[[[[[[[[[[[[ \\" {{{{"}') == {"note": "[" * 20 + ' " {{{{'}
