"""What was declined on a day, by the inner code and its class."""

import datetime as dt
import itertools

import pytest
from django.db import connection, transaction

from apps.common import clock, partitions
from apps.payments.declines import _DECLINES, declines
from apps.payments.models import Leg
from apps.payments.states import Role
from tests.payments.hand import Deal, Side, drain
from tests.payments.payer import enrol_payer

ABROAD = Side(address="ravi@smplbank", number="009876500001", ifsc="SMPL0000002", name="RAVI IYER")
NOON = dt.datetime(2026, 11, 22, 6, 30, tzinfo=dt.UTC)
DAY = dt.date(2026, 11, 22)


@pytest.fixture
def legs(hand):
    """A debit, a credit and two payments declined, one of each made, all at one noon."""
    asha = enrol_payer(hand, paise=100_000)
    for paise in (14950, 100_001):
        hand.debit(Deal(payer=asha.side, payee=ABROAD, paise=paise))
    hand.credit(Deal(payer=ABROAD, payee=Side(address="x@exbank", number="000000000")))
    drain(Role.DEBIT, Role.CREDIT)
    for result, code in (("FAILURE", "U30~Z9"), ("FAILURE", "U30~Z9|Z9"), ("FAILURE", "U68")):
        deal = asha.pay(ABROAD, amount=100)
        drain(Role.PAYER_PSP)
        hand.answer_payment(deal, result, code)
    Leg.objects.update(changed_at=NOON)


def test_declines_are_counted_by_the_inner_code_and_its_class(legs):
    counted = [(row.role, row.code, row.kind, row.count) for row in declines(first=DAY, last=DAY)]

    assert counted == [
        (Role.PAYER_PSP, "Z9", "BD", 2),
        (Role.CREDIT, "XI", "BD", 1),
        (Role.DEBIT, "Z9", "BD", 1),
        (Role.PAYER_PSP, "U68", "TD", 1),
    ]


def test_a_day_begins_at_indian_midnight(legs):
    midnight = dt.datetime(2026, 11, 22, 18, 30, tzinfo=dt.UTC)
    Leg.objects.filter(role=Role.DEBIT).update(changed_at=midnight - dt.timedelta(seconds=1))
    Leg.objects.filter(role=Role.CREDIT).update(changed_at=midnight)
    tomorrow = DAY + dt.timedelta(days=1)

    dates = {row.role: row.date for row in declines(first=DAY, last=tomorrow)}

    assert (dates[Role.DEBIT], dates[Role.CREDIT]) == (DAY, tomorrow)
    assert declines(first=tomorrow, last=tomorrow)[0].role == Role.CREDIT


def test_a_report_is_bounded(db):
    with pytest.raises(AssertionError, match="bounded"):
        declines(first=DAY, last=DAY + dt.timedelta(days=31))


def test_the_report_reads_declined_legs_only_by_their_own_index(committed):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        begin = NOON - dt.timedelta(days=1)
        cursor.execute(f"EXPLAIN (FORMAT JSON) {_DECLINES}", {"begin": begin, "end": NOON})
        (plan,) = cursor.fetchone()[0]

    scans = list(leaves(plan["Plan"]))
    assert len(scans) > partitions.MONTHS_AHEAD
    assert {scan["Node Type"] for scan in scans} <= {"Index Scan", "Bitmap Index Scan"}
    assert all("changed_at" in scan["Index Cond"] for scan in scans)
    assert all(scan["Index Name"].endswith("leg_ended") for scan in scans)


def leaves(plan):
    below = plan.get("Plans", [])
    yield from itertools.chain.from_iterable(map(leaves, below)) if below else [plan]


def test_a_day_without_declines_is_empty(db):
    today = clock.business_date(clock.now())

    assert declines(first=today, last=today) == []
