"""What lines, and their absence, prove of a call: a table."""

import datetime as dt
from dataclasses import replace
from uuid import UUID

import pytest

from apps.accounts.states import CallKind
from apps.common.money import Money
from apps.payments.states import State
from apps.settlement.contracts import HostLine, LineKind, OurCall
from apps.settlement.host_judging import HostDays, proof

DAY = dt.date(2026, 11, 21)
NEXT, THIRD = (DAY + dt.timedelta(days=number) for number in (1, 2))
DAYS = {"1": DAY, "2": NEXT, "3": THIRD}
NOON = dt.datetime(2026, 11, 21, 6, 30, tzinfo=dt.UTC)
CODES = {"DEBIT": "000000", "CREDIT": "210000", "REVERSAL": "200000"}
CALL = OurCall(
    id=UUID(int=1),
    leg_id=UUID(int=2),
    transaction_id="SMP1",
    transfer_key="DEBIT/PAY/SMP1",
    kind=CallKind.DEBIT,
    state=State.UNKNOWN,
    terminal="EXBUPI01",
    stan=1,
    transmitted_at=NOON,
    last_sent_at=NOON,
    business_date=DAY,
    settlement_date=None,
    cancelled_on=None,
    rrn="632700000001",
    amount=Money(100),
    account="001234567890",
)
POSTED = HostLine(
    kind=LineKind.POSTED,
    business_date=DAY,
    terminal=CALL.terminal,
    stan=CALL.stan,
    sent_at=CALL.transmitted_at,
    rrn=CALL.rrn,
    processing_code="000000",
    upi_id=CALL.transaction_id,
    account=CALL.account,
    amount=CALL.amount,
    sign="D",
    at=NOON,
)
UNDONE = replace(POSTED, kind=LineKind.UNDONE, sign="C", business_date=NEXT)
WRONGLY_UNDONE = replace(UNDONE, sign="D")
AGAIN = replace(CALL, last_sent_at=NOON + dt.timedelta(days=1))


def other(**changes):
    return replace(POSTED, **changes)


@pytest.mark.parametrize(
    ("_case", "call", "lines", "taken", "proves"),
    [
        ("a line",                 CALL,  [POSTED],                      "1",   "DONE"),
        ("a line of the next day", CALL,  [other(business_date=NEXT)],   "2",   "DONE"),
        ("without the UPI id",     CALL,  [other(upi_id="")],            "1",   "DONE"),
        ("done and undone",        CALL,  [POSTED, UNDONE],              "12",  "UNDONE"),
        ("undone, a file missing", CALL,  [UNDONE],                      "2",   "UNDONE"),
        ("done twice",             CALL,  [POSTED, POSTED],              "1",   "NONE"),
        ("another amount",         CALL,  [other(amount=Money(99))],     "12",  "NONE"),
        ("another RRN",            CALL,  [other(rrn="x")],              "12",  "NONE"),
        ("another account",        CALL,  [other(account="1")],          "12",  "NONE"),
        ("another payment",        CALL,  [other(upi_id="SMP2")],        "12",  "NONE"),
        ("another movement",       CALL,  [other(processing_code="1")],  "1",   "NONE"),
        ("another direction",      CALL,  [other(sign="C")],             "1",   "NONE"),
        ("undone the wrong way",   CALL,  [POSTED, WRONGLY_UNDONE],      "12",  "NONE"),
        ("no file",                CALL,  [],                            "",    "NONE"),
        ("absent on its day",      CALL,  [],                            "1",   "NONE"),
        ("absent on the next",     CALL,  [],                            "2",   "NONE"),
        ("absent on both",         CALL,  [],                            "12",  "NOT_DONE"),
        ("sent again a day later", AGAIN, [],                            "12",  "NONE"),
        ("a gap between",          AGAIN, [],                            "13",  "NONE"),
        ("absent since the last",  AGAIN, [],                            "123", "NOT_DONE"),
    ],
)  # fmt: skip
def test_lines_prove_what_they_agree_with_and_absence_needs_every_day(
    _case, call, lines, taken, proves
):
    days = {DAYS[number] for number in taken}

    assert proof(call, lines, HostDays(days, strange=set()), codes=CODES) == proves


@pytest.mark.parametrize("strange", [DAY, NEXT])
def test_absence_proves_nothing_where_the_hosts_calendar_is_not_ours(strange):
    days = HostDays({DAY, NEXT}, strange={strange})

    assert proof(CALL, [], days, codes=CODES) == "NONE"
    assert proof(CALL, [POSTED], days, codes=CODES) == "DONE"


def test_a_call_just_before_midnight_is_of_its_indian_day():
    late = dt.datetime(2026, 11, 21, 18, 29, 59, tzinfo=dt.UTC)
    call = replace(CALL, transmitted_at=late, last_sent_at=late)

    assert call.days == [DAY, NEXT]
