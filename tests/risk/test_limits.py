"""Limits are dated rows; what an account uses of them is locked where it is posted."""

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.services.open_account import open_account
from apps.common.money import Money
from apps.risk import selectors
from apps.risk.contracts import LimitAsk, Limits, Rule
from apps.risk.models import LimitRule, LimitUsage
from apps.risk.services import limits
from tests.accounts.issuer import CARD

# 22 November 2026 ends in India at 18:30 UTC.
EVENING = dt.datetime(2026, 11, 22, 18, 29, 59, tzinfo=dt.UTC)
MIDNIGHT = dt.datetime(2026, 11, 22, 18, 30, tzinfo=dt.UTC)


@pytest.fixture
def rules(db):
    """Ten rupees a payment, twenty-five a day, four payments a day."""
    LimitRule.objects.all().delete()
    for rule, value in (
        (Rule.PAYMENT_AMOUNT, 1000),
        (Rule.DAY_AMOUNT, 2500),
        (Rule.DAY_COUNT, 4),
    ):
        LimitRule.objects.create(
            rule=rule, value=value, valid_from_date=dt.date(2026, 1, 1), source="a test"
        )


def account(number="001234567890", mobile="919800000001"):
    return open_account(number=number, holder_name="ASHA RAO", mobile=mobile, card=CARD).pk


def ask(account_id, paise, at=EVENING):
    return LimitAsk(account_id, Money(paise), at)


def used(account_id, at=EVENING):
    amount, payments = selectors.used_on(account_id, at.astimezone(dt.timezone(IST)).date())
    return amount.paise, payments


IST = dt.timedelta(hours=5, minutes=30)


@pytest.mark.parametrize(
    ("_case", "paise", "amount_used", "payments", "code"),
    [
        ("within all",            1000, 1500, 3, None),
        ("count first",           1001, 2500, 4, "Z7"),
        ("then the payment",      1001, 2500, 3, "Z8"),
        ("then the day",          1000, 1501, 3, "Z8"),
    ],
)  # fmt: skip
def test_a_debit_is_judged_in_order(_case, paise, amount_used, payments, code):
    rules = Limits(payment_amount_paise=1000, day_amount_paise=2500, day_count=4)

    assert limits.refuse(rules, paise, amount_used=amount_used, payments=payments) == code


def test_no_rule_is_no_limit():
    assert limits.refuse(Limits(), 10**12, amount_used=10**15, payments=10**6) is None


def test_debits_are_counted_in_order(rules):
    asha = account()

    codes = limits.take([ask(asha, paise) for paise in (1000, 1001, 1000, 501, 500, 1)])

    assert codes == [None, "Z8", None, "Z8", None, "Z8"]
    assert used(asha) == (2500, 3)


def test_the_number_of_payments_is_limited(rules):
    asha = account()

    assert limits.take([ask(asha, 1)] * 5) == [None] * 4 + ["Z7"]


def test_an_indian_day_begins_at_midnight_in_india(rules):
    asha = account()

    assert limits.take([ask(asha, 1000), ask(asha, 1000)]) == [None, None]
    assert limits.take([ask(asha, 1000), ask(asha, 1000, MIDNIGHT)]) == ["Z8", None]
    assert (used(asha), used(asha, MIDNIGHT)) == ((2000, 2), (1000, 1))


def test_accounts_do_not_share_limits(rules):
    asha, ravi = account(), account("001234567891", "919800000002")

    limits.take([ask(asha, 1000), ask(ravi, 1000), ask(asha, 1000)])

    assert (used(asha), used(ravi)) == ((2000, 2), (1000, 1))


def test_what_was_not_posted_is_given_back(rules):
    asha = account()
    limits.take([ask(asha, 1000), ask(asha, 1000)])

    limits.give_back([ask(asha, 1000)])

    assert used(asha) == (1000, 1)
    assert limits.take([ask(asha, 1000)]) == [None]


def test_yesterdays_rule_judges_yesterdays_payment(rules):
    LimitRule.objects.filter(rule=Rule.PAYMENT_AMOUNT).update(valid_to_date=dt.date(2026, 11, 23))
    LimitRule.objects.create(
        rule=Rule.PAYMENT_AMOUNT,
        value=10,
        valid_from_date=dt.date(2026, 11, 23),
        source="a new circular",
    )
    asha = account()

    assert limits.take([ask(asha, 1000), ask(asha, 1000, MIDNIGHT)]) == [None, "Z8"]


def test_rules_of_a_kind_do_not_overlap(rules):
    with pytest.raises(IntegrityError, match="does_not_overlap"), transaction.atomic():
        LimitRule.objects.create(
            rule=Rule.DAY_COUNT, value=9, valid_from_date=dt.date(2026, 6, 1), source="a test"
        )

    assert selectors.limits_on(dt.date(2026, 11, 22)) == Limits(1000, 2500, 4)


@pytest.mark.parametrize(
    "change",
    [{"value": 0}, {"rule": "WEEK"}, {"valid_to_date": dt.date(2025, 12, 31)}],
)
def test_a_rule_that_cannot_be_is_refused(rules, change):
    with pytest.raises(IntegrityError), transaction.atomic():
        LimitRule.objects.filter(rule=Rule.DAY_COUNT).update(**change)


def test_the_rules_of_the_trade_are_there_from_the_first_day(db):
    assert selectors.limits_on(dt.date(2026, 11, 22)) == Limits(
        1_00_000_00, 1_00_000_00, 20, 2_000_00, 5_000_00, 5_000_00
    )


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(0, 1), st.integers(1, 1200)), min_size=1, max_size=25
    )
)
def test_usage_equals_what_was_accepted_and_kept(rules, steps):
    with transaction.atomic():
        accounts = [account(), account("001234567891", "919800000002")]
        kept = [[], []]
        for gives_back, who, paise in steps:
            if gives_back and kept[who]:
                limits.give_back([ask(accounts[who], kept[who].pop())])
            elif limits.take([ask(accounts[who], paise)]) == [None]:
                kept[who].append(paise)
            assert sum(kept[who]) <= 2500
            assert len(kept[who]) <= 4
        for place, account_id in enumerate(accounts):
            assert used(account_id) == (sum(kept[place]), len(kept[place]))
        transaction.set_rollback(True)


def test_a_batch_is_judged_as_its_debits_one_by_one(rules):
    asha, ravi = account(), account("001234567891", "919800000002")
    asks = [ask(who, paise) for paise in (900, 900, 900, 300, 1) for who in (asha, ravi)]

    together = limits.take(asks)
    LimitUsage.objects.all().delete()

    assert [limits.take([each])[0] for each in asks] == together


def test_concurrent_debits_never_exceed_the_limit(committed):
    asha = account()
    LimitRule.objects.filter(rule=Rule.DAY_COUNT).delete()
    start = threading.Barrier(4)

    def spend(_number):
        start.wait()
        try:
            done = 0
            for _ in range(10):
                with transaction.atomic():
                    done += limits.take([ask(asha, 7_000_00)]) == [None]
            return done
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        accepted = sum(threads.map(spend, range(4)))

    assert accepted == 14
    assert used(asha) == (98_000_00, 14)
