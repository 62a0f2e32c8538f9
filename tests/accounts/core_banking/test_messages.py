"""What an answer of the host must repeat, so that it is its request's, and what is read from it."""

import datetime as dt

import pytest

from apps.accounts.core_banking.iso8583_calls import Call, Wish
from apps.accounts.core_banking.iso8583_codec import Parsed
from apps.accounts.core_banking.iso8583_messages import Writer, instant_of, word_of
from apps.accounts.core_banking.iso8583_profile import OURS, load
from apps.accounts.states import CallKind
from apps.common import clock, ids

OURS_ACCOUNT, ANOTHER = "001234567890", "001234567891"


def request_for(kind):
    wish = Wish(kind, rrn="632700000001", paise=2_500)
    call = Call(ids.uuid7(), wish, "EXBUPI01", 1, clock.now())
    return Writer(load(OURS), acquirer="900001").movement(
        call, account_number=OURS_ACCOUNT, txn_id="SMP1"
    )


@pytest.mark.parametrize(("kind", "own", "other"), [("DEBIT", 102, 103), ("CREDIT", 103, 102)])
@pytest.mark.parametrize(
    ("named", "is_answered"), [(OURS_ACCOUNT, True), ("", True), (ANOTHER, False)]
)
def test_b06_an_answer_names_our_account_or_none(kind, own, other, named, is_answered):
    request = request_for(CallKind(kind))
    # Whose account the other one is only the host knows.
    fields = {**request.fields, "t": "0210", "39": "00", str(own): named, str(other): ANOTHER}

    assert request.is_answered_by(Parsed(fields, b"", None)) is is_answered


NEAR = dt.datetime(2026, 1, 1, 20, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("written", "date"),
    [("0102", dt.date(2026, 1, 2)), ("1231", dt.date(2025, 12, 31))]
    + [(wrong, None) for wrong in ("", "1", "102", "01021", "0230", "1332", "01\n2", "٠١٠٢")],
)
def test_a_settlement_date_is_four_digits_of_a_day_or_none(written, date):
    answer = Parsed({"t": "0210", "39": "00", **({"15": written} if written else {})}, b"", None)

    assert word_of(answer, near=NEAR, at=NEAR).settlement_date == date


@pytest.mark.parametrize("written", ["", "120000", "0101200", "01012000000", "0101 20000"])
def test_an_instant_is_ten_digits_or_none(written):
    assert instant_of(written, near=NEAR) is None
