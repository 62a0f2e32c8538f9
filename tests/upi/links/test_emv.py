"""EMV codes: what is read, what is refused and by which code, and that both ways agree."""

import csv
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps.common.addresses import VpaAddress
from apps.common.errors import InvalidInputError
from apps.common.money import Money
from apps.upi.links import emv, uri
from apps.upi.links.emv import EmvCode

INVALID, MISSING = "link_parameter_invalid:", "link_parameter_missing:"
CONTRADICT = "link_parameters_contradict:"
VECTORS = list(
    csv.DictReader((Path(__file__).parent / "vectors" / "emv.csv").read_text().splitlines())
)
CODE = EmvCode(
    payee=VpaAddress("store1", "exbank"), payee_name="EXAMPLE STORE", city="MUMBAI", mcc="5411"
)


def sealed(text: str) -> str:
    """Return a payload with a fitting CRC."""
    return f"{text}6304{emv.checksum(text + '6304')}"


def opened(payload: str) -> str:
    return payload[:-8]


def refusal_of(payload: str) -> str:
    try:
        emv.read(payload)
    except InvalidInputError as error:
        return f"{error.code}:{error.members.get('field', '')}".rstrip(":")
    return ""


def changed(before: str, after: str) -> str:
    text = opened(emv.write(CODE))
    assert before in text
    return sealed(text.replace(before, after))


def test_the_checksum_is_that_of_the_standard():
    assert emv.checksum("123456789") == "29B1"


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["case"])
def test_a_vector_is_read_and_written_byte_for_byte(vector):
    code = emv.read(vector["payload"])

    assert vector["payload"].endswith(vector["crc"])
    if "RuPay" in vector["case"]:  # its terminal is entered by the payer, which says nothing
        assert emv.read(emv.write(code)) == code
    else:
        assert emv.write(code) == vector["payload"]


def test_a_vector_becomes_the_link_that_it_stands_for():
    static, dynamic, cafe = (emv.intent_of(emv.read(vector["payload"])) for vector in VECTORS)

    assert (
        uri.write(static) == "upi://pay?mode=03&pa=store1@exbank&pn=EXAMPLE%20STORE&mc=5411&cu=INR"
    )
    assert uri.write(dynamic) == (
        "upi://pay?mode=03&pa=store1@exbank&pn=EXAMPLE%20STORE&mc=5411&tr=ORD20251122000001"
        "&am=149.50&cu=INR&mtid=TID00001"
    )
    assert (cafe.amount, cafe.minimum, cafe.mode) == (None, Money(100), "03")


def test_a_code_carries_the_other_ways_to_pay():
    code = emv.read(VECTORS[2]["payload"])

    assert code.cards == (("06", "6080000000000006"),)
    assert code.account == "EXBK0000001001234567890"
    assert code.terminal == ""


@pytest.mark.parametrize(
    ("_case", "payload", "refusal"),
    [
        ("empty", "", "emv_malformed"),
        ("only its start", "000201", "emv_malformed"),
        ("a link", "upi://pay?pa=a@exbank&pn=X", "emv_malformed"),
        ("no CRC", "00020101021152045411", "emv_malformed"),
        ("Devanagari", "000201\u0906", "emv_malformed"),
        ("too long", sealed("000201" + "6499" + "a" * 600), "emv_malformed"),
        ("another CRC", emv.write(CODE)[:-4] + "0000", "emv_checksum"),
        ("a length beyond the end", sealed("000201" + "5999A"), "emv_malformed"),
        ("a length of letters", sealed("000201" + "59AA" + "A" * 10), "emv_malformed"),
        ("a tag of letters", sealed("000201" + "AA01X"), "emv_malformed"),
        ("an empty value", sealed("000201" + "5900"), "emv_malformed"),
        ("a tag twice", changed("5802IN", "5802IN5802IN"), "duplicate_parameter:58"),
        ("Q07 dollars", changed("5303356", "5303840"), "link_currency:53"),
        ("no UPI template", changed("26310010", "29310010"), "emv_not_upi"),
        ("another scheme's", changed("A000000524", "A000000003"), "emv_not_upi"),
        ("no currency", changed("5303356", ""), MISSING + "53"),
        ("no country", changed("5802IN", ""), MISSING + "58"),
        ("another country", changed("5802IN", "5802NP"), INVALID + "58"),
        ("no city", changed("6006MUMBAI", ""), MISSING + "60"),
        ("a bad address", changed("store1@exbank", "store1#exbank"), INVALID + "26.01"),
        ("a category of letters", changed("52045411", "520454l1"), INVALID + "52"),
        ("a third kind", changed("010211", "010213"), INVALID + "01"),
        ("an amount of nothing", changed("5802IN", "54040.005802IN"), INVALID + "54"),
        ("a short reference", changed("6006MUMBAI", "6006MUMBAI62070503abc"), INVALID + "62.05"),
        ("a tip of words", changed("5802IN", "5502XX5802IN"), INVALID + "55"),
    ],
)
def test_a_bad_code_is_refused_by_its_code(_case, payload, refusal):
    assert refusal_of(payload) == refusal


def test_two_references_that_differ_are_refused():
    text = opened(emv.write(CODE))
    two = "27" + "22" + "0010A000000524" + "0104ORD1" + "62" + "08" + "0504ORD2"

    assert refusal_of(sealed(text + two)) == CONTRADICT + "62.05"
    assert refusal_of(sealed(text + two.replace("ORD2", "ORD1"))) == ""


def test_a_minimum_above_the_amount_is_refused():
    text = (
        opened(emv.write(CODE))
        .replace("26310010", "26390010")
        .replace("store1@exbank", "store1@exbank02045.00")
    )

    assert refusal_of(sealed(text + "54044.00")) == CONTRADICT + "26.02"
    assert refusal_of(sealed(text + "54046.00")) == ""


def test_a_reference_template_of_another_scheme_is_refused():
    text = opened(emv.write(CODE)) + "27" + "22" + "0010A000000003" + "0104ORD1"

    assert refusal_of(sealed(text)) == INVALID + "27.00"


def test_a_template_without_an_address_is_refused():
    text = opened(emv.write(CODE)).replace(
        "26310010A0000005240113store1@exbank", "26140010A000000524"
    )

    assert refusal_of(sealed(text)) == MISSING + "26.01"


names = st.text("ABCxyz 019&", min_size=1, max_size=25).filter(lambda name: name.strip() != "")
amounts = st.integers(1, 10**9).map(Money)


@st.composite
def codes(draw: st.DrawFn) -> EmvCode:
    low, high = sorted([draw(amounts), draw(amounts)])
    short = st.just("") | st.from_regex(r"[A-Za-z0-9_\-]{1,20}", fullmatch=True)
    return EmvCode(
        payee=VpaAddress(draw(st.from_regex(r"[a-z0-9]{1,30}", fullmatch=True)), "exbank"),
        payee_name=draw(names),
        city=draw(st.text("ABC xyz", min_size=1, max_size=15)),
        mcc=draw(st.from_regex(r"[0-9]{4}", fullmatch=True)),
        is_dynamic=draw(st.booleans()),
        amount=draw(st.none() | st.just(high)),
        minimum=draw(st.none() | st.just(low)),
        reference=draw(st.just("") | st.from_regex(r"[A-Za-z0-9\-]{4,30}", fullmatch=True)),
        postal_code=draw(st.sampled_from(["", "400051"])),
        store=draw(short),
        terminal=draw(short),
        cards=draw(st.sampled_from([(), (("04", "5200000000000007"), ("06", "6080000000000006"))])),
        account=draw(st.sampled_from(["", "EXBK00000010099000001"])),
    )


@given(codes())
def test_what_is_written_is_what_is_read(code):
    payload = emv.write(code)

    assert emv.read(payload) == code
    intent = emv.read_link(payload).intent
    assert uri.read(uri.write(intent)).intent == intent


@given(codes(), st.data())
def test_one_changed_sign_is_always_found(code, data):
    payload = emv.write(code)
    place = data.draw(st.integers(0, len(payload) - 1))
    sign = data.draw(st.sampled_from("0A").filter(lambda sign: sign != payload[place]))

    assert refusal_of(payload[:place] + sign + payload[place + 1 :]) in {
        "emv_checksum",
        "emv_malformed",
    }


@given(st.text(max_size=80))
@example("6304")
def test_no_text_is_read_with_anything_but_an_answer_or_a_refusal(text):
    for start in ("", "000201", "00020101021126"):
        refusal_of(start + text)
        if text.isascii():
            refusal_of(sealed(start + text))
