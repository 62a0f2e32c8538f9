"""The first 24 hours of an account, or of a new device: small amounts only (FL, FP)."""

import datetime as dt

import pytest
from django.db import transaction

from apps.accounts.services.open_account import open_account
from apps.common.money import Money
from apps.risk.contracts import LimitAsk, Rule
from apps.risk.models import FirstUse, LimitRule
from apps.risk.services import first_day, limits
from tests.accounts.issuer import CARD

NOON = dt.datetime(2026, 11, 22, 6, 30, tzinfo=dt.UTC)
OLD, NEW = "a" * 64, "b" * 64


@pytest.fixture
def asha(db):
    """An account; a first payment of ten rupees, fifteen in the first 24 hours."""
    LimitRule.objects.all().delete()
    rules = {Rule.FIRST_PAYMENT_AMOUNT: 1000, Rule.FIRST_DAY_AMOUNT: 1500}
    for rule, value in rules.items():
        LimitRule.objects.create(
            rule=rule, value=value, valid_from_date=dt.date(2026, 1, 1), source="a test"
        )
    opened = open_account(
        number="001234567890", holder_name="ASHA RAO", mobile="919800000001", card=CARD
    )
    return opened.pk


def pay(account_id, *steps, give_back=()):
    """Take each (paise, device, hours) and return the codes."""
    asks = [
        LimitAsk(account_id, Money(paise), NOON + dt.timedelta(hours=hours), device)
        for paise, device, hours in steps
    ]
    with transaction.atomic():
        codes = limits.take(asks)
    with transaction.atomic():
        limits.give_back([asks[place] for place in give_back])
    return codes


# Paise, phone and hour of each debit, and what becomes of it.
STEPS = [
    ("the first payment is bounded",     "1001 old 0: FL"),
    ("at its bound it is made",          "1000 old 0: ok"),
    ("a declined one is not the first",  "1001 old 0: FL, 1001 old 1: FL"),
    ("the first day is bounded",         "1000 old 0: ok, 501 old 23: FP, 500 old 23: ok"),
    ("after it nothing is",              "1000 old 0: ok, 9999 old 24: ok"),
    ("it begins with a payment",         "1 old 0: ok, 1499 old 20: ok, 1500 old 24: ok"),
    ("a new phone begins anew",          "1 old 0: ok, 1001 new 30: FL, 1000 new 30: ok"),
    ("its first day is bounded too",     "1 old 0: ok, 1000 new 30: ok, 501 new 31: FP"),
    ("so is the old phone's after it",   "1 old 0: ok, 1 new 30: ok, 1001 old 31: FL"),
    ("what no phone asks for is free",   "9999 none 0: ok, 1001 old 1: FL"),
]  # fmt: skip
PHONES = {"old": OLD, "new": NEW, "none": ""}


@pytest.mark.parametrize(("_case", "text"), STEPS)
def test_the_first_day_is_judged_in_order(asha, _case, text):
    steps, codes = [], []
    for step in text.split(", "):
        ask, code = step.split(": ")
        paise, phone, hours = ask.split()
        steps.append((int(paise), PHONES[phone], int(hours)))
        codes.append(None if code == "ok" else code)

    assert pay(asha, *steps) == codes
    # One batch or many: the rows say the same.
    FirstUse.objects.all().delete()
    assert [pay(asha, step)[0] for step in steps] == codes


def test_a_customer_of_old_is_not_new_whatever_the_phone(asha):
    first_day.establish([asha])

    assert pay(asha, (9999, NEW, 0)) == [None]
    assert FirstUse.objects.get().device == NEW
    assert pay(asha, (1001, OLD, 1)) == ["FL"]


def test_what_was_not_posted_did_not_begin(asha):
    assert pay(asha, (1000, OLD, 0), give_back=[0]) == [None]

    row = FirstUse.objects.get()
    assert (row.began_at, row.amount_paise) == (None, 0)
    assert pay(asha, (1001, OLD, 30)) == ["FL"]


def test_what_is_given_back_may_be_paid_again(asha):
    assert pay(asha, (1000, OLD, 0), (500, OLD, 1), give_back=[1]) == [None, None]

    assert pay(asha, (500, OLD, 2), (1, OLD, 2)) == [None, "FP"]


def test_the_banks_own_limit_comes_after_the_others():
    rules = limits.Limits(
        payment_amount_paise=1000, bank_payment_amount_paise=800, bank_day_amount_paise=2000
    )

    assert limits.refuse(rules, 1001, amount_used=0, payments=0) == "Z8"
    assert limits.refuse(rules, 801, amount_used=0, payments=0) == "ZU"
    assert limits.refuse(rules, 800, amount_used=1201, payments=0) == "ZU"
    assert limits.refuse(rules, 800, amount_used=1200, payments=0) is None
