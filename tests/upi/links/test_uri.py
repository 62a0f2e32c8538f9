"""Links as text: what is read, what is refused and by which code, and that both ways agree."""

import csv
import datetime as dt
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps.common.addresses import VpaAddress
from apps.common.errors import InvalidInputError
from apps.common.money import Money
from apps.upi.links import uri
from apps.upi.links.errors import LinkSignatureMalformedError
from apps.upi.links.intent import Action, Intent, MandateTerms

BASE = "upi://pay?pa=store1@exbank&pn=Example%20Store"
INVALID, MISSING = "link_parameter_invalid:", "link_parameter_missing:"
CONTRADICT, SIGNATURE = "link_parameters_contradict:", "link_signature_malformed:"
VECTORS = list(
    csv.DictReader((Path(__file__).parent / "vectors" / "uris.csv").read_text().splitlines())
)
IST = dt.timezone(dt.timedelta(hours=5, minutes=30))


def refusal_of(text: str) -> str:
    """Return code:field of the refusal, "" if the text is read."""
    try:
        uri.read(text)
    except InvalidInputError as error:
        return f"{error.code}:{error.members.get('field', '')}".rstrip(":")
    return ""


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["case"])
def test_a_vector_is_read_or_refused_as_it_must(vector):
    assert refusal_of(vector["uri"]) == vector["refusal"]


@pytest.mark.parametrize(
    "vector", [v for v in VECTORS if not v["refusal"]], ids=lambda v: v["case"]
)
def test_a_good_vector_says_the_same_when_it_is_written_anew(vector):
    intent = uri.read(vector["uri"]).intent

    assert uri.read(uri.write(intent)).intent == intent


def test_a_link_is_read_whole():
    link = uri.read(
        "upi://pay?ver=01&mode=16&purpose=00&orgid=900001&pa=Store1@ExBank&pn=Example%20Store"
        "&mc=5411&tid=EXB1&tr=ORD1&tn=order%201&am=149.50&mam=10&cu=INR"
        "&url=https%3A%2F%2Fshop.example%2Fo%2F1&QRts=2026-03-01T10:00:00%2B05:30"
        "&QRexpire=2026-03-01T10:30:00%2B05:30&mid=MID1&aid=x"
    )

    assert link.signature is None
    assert link.intent == Intent(
        action=Action.PAY,
        payee=VpaAddress("store1", "exbank"),
        payee_name="Example Store",
        mcc="5411",
        transaction_id="EXB1",
        reference="ORD1",
        note="order 1",
        amount=Money(14950),
        minimum=Money(1000),
        url="https://shop.example/o/1",
        mode="16",
        purpose="00",
        signer="900001",
        created_at=dt.datetime(2026, 3, 1, 10, 0, tzinfo=IST),
        expires_at=dt.datetime(2026, 3, 1, 10, 30, tzinfo=IST),
        others=(("ver", "01"), ("mid", "MID1")),
        unknown=("aid",),
    )
    assert link.intent.other("mid") == "MID1"
    assert link.intent.other("msid") == ""


@pytest.mark.parametrize("start", ["tez://upi/pay", "phonepe://pay", "paytmmp://pay"])
def test_the_schemes_of_single_apps_mean_the_same(start):
    link = uri.read(BASE.replace("upi://pay", start))

    assert link.intent == uri.read(BASE).intent


@pytest.mark.parametrize(
    ("_case", "text", "refusal"),
    [
        ("empty", "", "link_malformed"),
        ("of the web", "https://exbank.example/pay", "link_malformed"),
        ("capitals", BASE.replace("upi", "UPI"), "link_malformed"),
        ("of an unknown kind", "upi://refund?pa=a@exbank", "link_malformed"),
        ("without parameters", "upi://pay", "link_malformed"),
        ("with nothing behind the ?", "upi://pay?", "link_malformed"),
        ("of 2,049 signs", BASE + "&x=" + "a" * 2001, "link_malformed"),
        ("of 65 parameters", BASE + "&x=1" * 63, "link_malformed"),
        ("with a lone name", BASE + "&am", "link_malformed"),
        ("with two separators", BASE + "&&am=1.00", "link_malformed"),
        ("with an encoded name", BASE + "&%61m=1.00", "link_malformed"),
        ("Q01 twice the same", BASE + "&am=100&am=1", "duplicate_parameter:am"),
        ("unknown ones twice", BASE + "&zz=1&zz=1", "duplicate_parameter:zz"),
        ("in another case", BASE + "&Am=1.00", INVALID + "Am"),
        ("lower case for Tier", BASE + "&tier=TIER1", INVALID + "tier"),
        ("no payee's name", "upi://pay?pa=a@exbank", MISSING + "pn"),
        ("an empty value", BASE + "&am=", INVALID + "am"),
        ("Q07 in dollars", BASE + "&am=1.00&cu=USD", "link_currency:cu"),
        ("Q07 in small letters", BASE + "&cu=inr", "link_currency:cu"),
        ("a raw space", BASE + "&tn=order 1", INVALID + "tn"),
        ("a raw newline", BASE + "&tn=a\nb", INVALID + "tn"),
        ("raw Devanagari", BASE + "&tn=\u0906\u0936\u093e", INVALID + "tn"),
        ("a fragment", BASE + "&tn=a#b", INVALID + "tn"),
        ("a second equals sign", BASE + "&tn=a=b", INVALID + "tn"),
        ("half an escape", BASE + "&tn=a%2", INVALID + "tn"),
        ("no hexadecimal", BASE + "&tn=a%zz", INVALID + "tn"),
        ("no UTF-8", BASE + "&tn=a%ff", INVALID + "tn"),
        ("overlong UTF-8", BASE + "&tn=%c0%ae", INVALID + "tn"),
        ("Q08 a long note", BASE + "&tn=" + "a" * 51, INVALID + "tn"),
        ("Q08 a control sign", BASE + "&tn=a%07b", INVALID + "tn"),
        ("Q08 a script as URL", BASE + "&url=javascript:alert", INVALID + "url"),
        ("a URL with a space", BASE + "&url=https://a%20b", INVALID + "url"),
        ("text turned around", BASE + "&tn=%E2%80%AEa", INVALID + "tn"),
        ("no width", BASE + "&tn=a%E2%80%8Bb", INVALID + "tn"),
        ("Cyrillic a", BASE + "&tn=p%D0%B0y", INVALID + "tn"),
        ("full width", BASE + "&tn=%EF%BC%A1", INVALID + "tn"),
        ("mathematical A", BASE + "&tn=%F0%9D%90%80", INVALID + "tn"),
        ("a letter in two parts", BASE + "&tn=e%CC%81", INVALID + "tn"),
        ("only spaces", BASE + "&tn=%20%20", INVALID + "tn"),
        ("other digits in the amount", BASE + "&am=%D9%A1.00", INVALID + "am"),
        ("an amount of nothing", BASE + "&am=0.00", INVALID + "am"),
        ("a negative amount", BASE + "&am=-1.00", INVALID + "am"),
        ("an exponent", BASE + "&am=1e3", INVALID + "am"),
        ("a leading zero", BASE + "&am=01.00", INVALID + "am"),
        ("a grouped amount", BASE + "&am=1,000.00", INVALID + "am"),
        ("16 digits of rupees", BASE + "&am=1" + "0" * 15, INVALID + "am"),
        ("a minimum of nothing", BASE + "&mam=0.00", INVALID + "mam"),
        ("a mode of one digit", BASE + "&mode=4", INVALID + "mode"),
        ("mode 33", BASE + "&mode=33", INVALID + "mode"),
        ("an MCC of letters", BASE + "&mc=54l1", INVALID + "mc"),
        ("a reference of other signs", BASE + "&tr=a_b", INVALID + "tr"),
        ("another version", BASE + "&ver=02", INVALID + "ver"),
        ("a mandate's parameter", BASE + "&rev=Y", INVALID + "rev"),
        ("a mandate's kind", BASE + "&txnType=CREATE", INVALID + "txnType"),
        ("an instant without offset", BASE + "&QRts=2026-03-01T10:00:00", INVALID + "QRts"),
        ("no such day", BASE + "&QRts=2026-02-30T10:00:00Z", INVALID + "QRts"),
        ("an invoice of no day", BASE + "&invoiceDate=today", INVALID + "invoiceDate"),
        (
            "an end before the start",
            BASE + "&QRts=2026-03-01T10:00:00Z&QRexpire=2026-03-01T10:00:00Z",
            CONTRADICT + "QRexpire",
        ),
        ("a collect without amount", BASE.replace("pay?", "collect?"), MISSING + "am"),
    ],
)
def test_a_malformed_link_is_refused_by_its_code(_case, text, refusal):
    assert refusal_of(text) == refusal


@pytest.mark.parametrize(
    ("_case", "address"),
    [
        ("Q09 a newline", "a@exbank%0A"),
        ("Q09 NUL", "a%00@exbank"),
        ("Q09 encoded twice", "a%2540exbank"),
        ("no handle", "a"),
        ("Cyrillic a", "%D0%B0sha@exbank"),
        ("the Kelvin sign", "%E2%84%AA@exbank"),
        ("256 signs", "a" * 249 + "@exbank"),
        ("a space", "a%20b@exbank"),
    ],
)
def test_an_address_that_could_be_another_is_refused(_case, address):
    assert refusal_of(f"upi://pay?pa={address}&pn=X") == INVALID + "pa"


MANDATE = (
    "upi://mandate?pa=sub@exbank&pn=X&mn=plan&validitystart=01122025&validityend=30112026"
    "&am=5.00&amrule=MAX&recur=MONTHLY"
)


@pytest.mark.parametrize(
    ("_case", "text", "refusal"),
    [
        ("a good one", MANDATE + "&recurvalue=31&recurtype=ON", ""),
        ("no such day", MANDATE.replace("01122025", "31022025"), INVALID + "validitystart"),
        ("a day as ISO", MANDATE.replace("01122025", "2025-12-01"), INVALID + "validitystart"),
        ("no rule of amounts", MANDATE.replace("&amrule=MAX", ""), MISSING + "amrule"),
        ("too much at first", MANDATE + "&fam=5.01", CONTRADICT + "fam"),
        (
            "the eighth weekday",
            MANDATE.replace("MONTHLY", "WEEKLY") + "&recurvalue=8",
            CONTRADICT + "recurvalue",
        ),
        (
            "a day of daily",
            MANDATE.replace("MONTHLY", "DAILY") + "&recurvalue=1",
            CONTRADICT + "recurvalue",
        ),
        ("a rule of no day", MANDATE + "&recurtype=ON", CONTRADICT + "recurtype"),
        ("revoked by no name", "upi://mandate?pa=a@exbank&pn=X&txnType=REVOKE", MISSING + "umn"),
        (
            "revoked by its name",
            "upi://mandate?pa=a@exbank&pn=X&txnType=REVOKE&umn=abc1@exbank",
            "",
        ),
    ],
)
def test_a_mandates_terms_fit_together(_case, text, refusal):
    assert refusal_of(text) == refusal


@pytest.mark.parametrize(
    ("_case", "tail", "refusal"),
    [
        ("empty", "&orgid=000000&sign=", SIGNATURE + "sign"),
        ("not base64", "&orgid=000000&sign=%25%25%25%25", SIGNATURE + "sign"),
        ("cut", "&orgid=000000&sign=MEQCI", SIGNATURE + "sign"),
        ("with a space", "&orgid=000000&sign=ME%20CIA==", SIGNATURE + "sign"),
        ("not last", "&sign=MEQC&orgid=000000", SIGNATURE + "sign"),
        ("twice", "&orgid=000000&sign=MEQC&sign=MEQC", SIGNATURE + "sign"),
        ("by nobody", "&sign=MEQC", SIGNATURE + "orgid"),
        ("of 1,401 signs", "&orgid=000000&sign=" + "A" * 1404, SIGNATURE + "sign"),
    ],
)
def test_a_signature_has_one_form_and_one_place(_case, tail, refusal):
    assert refusal_of(BASE + tail) == refusal


def test_a_signature_in_front_of_everything_is_refused():
    with pytest.raises(LinkSignatureMalformedError):
        uri.read(BASE.replace("?", "?sign=MEQC&orgid=000000&"))


@pytest.mark.parametrize("encoded", ["%2B%2F8%3D", "%2b%2f8%3d", "+/8="])
def test_the_signed_text_is_everything_before_the_signature(encoded):
    link = uri.read(f"{BASE}&orgid=000000&sign={encoded}")

    assert link.signed_text == f"{BASE}&orgid=000000"
    assert link.signature == b"\xfb\xff"


# Round trips.

addresses = st.builds(
    VpaAddress,
    user=st.from_regex(r"[a-z0-9][a-z0-9.\-_]{0,30}", fullmatch=True),
    handle=st.from_regex(r"[a-z]{2,20}", fullmatch=True),
)
amounts = st.integers(1, 10**13).map(Money)
texts = st.text("abcXYZ 019&=%#+?/:;'\"<>@₹अकाதமி", min_size=1, max_size=50).filter(
    lambda text: text.strip() != ""
)
instants = st.datetimes(
    dt.datetime(2020, 1, 1), dt.datetime(2098, 1, 1), timezones=st.sampled_from([dt.UTC, IST])
)
references = st.from_regex(r"[A-Za-z0-9\-]{1,35}", fullmatch=True)


@st.composite
def pay_intents(draw: st.DrawFn) -> Intent:
    low, high = sorted([draw(amounts), draw(amounts)])
    made_at = draw(instants)
    return Intent(
        action=Action.PAY,
        payee=draw(addresses),
        payee_name=draw(texts),
        mcc=draw(st.from_regex(r"[0-9]{4}", fullmatch=True)),
        transaction_id=draw(st.sampled_from(["", "EXB0a1"])),
        reference=draw(references),
        note=draw(st.just("") | texts),
        amount=draw(st.none() | st.just(high)),
        minimum=draw(st.none() | st.just(low)),
        url=draw(st.sampled_from(["", "https://shop.example/o?a=1&b=2#c"])),
        mode=draw(st.sampled_from(["00", "01", "04", "15", "16", "22"])),
        purpose=draw(st.sampled_from(["00", "AZ"])),
        signer=draw(st.sampled_from(["", "000000", "900001"])),
        created_at=draw(st.none() | st.just(made_at)),
        expires_at=draw(st.none() | st.just(made_at + dt.timedelta(seconds=1))),
        others=draw(
            st.sampled_from(
                [
                    (),
                    (("ver", "01"), ("qrMedium", "04")),
                    (("mid", "M1"), ("gstBrkUp", "GST:1|CGST:2")),
                ]
            )
        ),
    )


@st.composite
def mandate_intents(draw: st.DrawFn) -> Intent:
    start, end = sorted(
        draw(st.lists(st.dates(dt.date(2020, 1, 1), dt.date(2098, 1, 1)), min_size=2, max_size=2))
    )
    first, amount = sorted([draw(amounts), draw(amounts)])
    flags = st.sampled_from([None, True, False])
    return Intent(
        action=Action.MANDATE,
        payee=draw(addresses),
        payee_name=draw(texts),
        amount=amount,
        mandate=MandateTerms(
            name=draw(texts),
            start_date=start,
            end_date=end,
            amount_rule=draw(st.sampled_from(["MAX", "EXACT"])),
            recurrence="MONTHLY",
            recurrence_value=draw(st.none() | st.integers(1, 31)),
            first_amount=draw(st.none() | st.just(first)),
            is_revocable=draw(flags),
            is_shared=draw(flags),
            is_blocked=draw(flags),
        ),
    )


@given(pay_intents() | mandate_intents())
def test_what_is_written_is_what_is_read(intent):
    text = uri.write(intent)

    assert text.isascii()
    assert uri.read(text).intent == intent


@given(pay_intents(), st.binary(min_size=3, max_size=256))
def test_a_signature_travels_with_the_text_it_is_over(intent, signature):
    text = uri.write(intent)
    if not intent.signer:
        return

    link = uri.read(uri.with_signature(text, signature))

    assert (link.signed_text, link.signature) == (text, signature)


@given(st.text(max_size=80))
@example("pa=%")
@example("pa=a@exbank&pn=%F4%90%80%80")
def test_no_text_is_read_with_anything_but_an_answer_or_a_refusal(text):
    for start in ("", "upi://pay?", BASE + "&tn=", BASE + "&", BASE + "&orgid=000000&sign="):
        refusal_of(start + text)
