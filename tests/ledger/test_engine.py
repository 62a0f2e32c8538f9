# ruff: noqa: E501 - the tables are read by column
"""The rules of the books as tables: one row a case, refusals in the order they are looked for."""

import pytest

from apps.common import ids
from apps.common.money import Money
from apps.ledger import engine
from apps.ledger.contracts import Kind, Status, TransferOrder
from apps.ledger.engine import PAISE_MAX, Account, Books

CASH, ASHA, RAVI = 1, 2, 3


def books(**balances):
    accounts = {
        CASH: Account(CASH, credits_must_not_exceed_debits=True),
        ASHA: Account(ASHA, debits_must_not_exceed_credits=True),
        RAVI: Account(RAVI, debits_must_not_exceed_credits=True),
    }
    for name, value in balances.items():
        accounts[globals()[name]].credits_posted = value
        accounts[CASH].debits_posted += value
    return Books(accounts=accounts, transfers={}, resolutions={})


def order(key, debit=ASHA, credit=RAVI, paise=100, kind=Kind.SINGLE, pending=None, **more):
    purpose = more.get("purpose", "TEST")
    return TransferOrder(key, debit, credit, Money(paise), purpose, kind, pending)


def judge(state, *orders):
    return engine.judge(state, orders, [ids.uuid7() for _ in orders])


def statuses(state, *orders):
    return [verdict.status for verdict in judge(state, *orders).verdicts]


FIRST = order("first")
PENDING = order("held", kind=Kind.PENDING)
POSTED = (PENDING, order("held-post", kind=Kind.POST, pending="held"))
VOIDED = (PENDING, order("held-void", kind=Kind.VOID, pending="held"))


@pytest.mark.parametrize(
    ("earlier", "judged", "status"),
    [
        ((FIRST,),   order("first", 9, 9, 0, Kind.PENDING, purpose="X"), Status.EXISTS_WITH_DIFFERENT_KIND),
        (POSTED,     order("held-post", 9, 9, 0, Kind.POST, "other"),    Status.EXISTS_WITH_DIFFERENT_PENDING_KEY),
        ((FIRST,),   order("first", 9, 9, 0, purpose="X"),               Status.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT),
        ((FIRST,),   order("first", ASHA, 9, 0, purpose="X"),            Status.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT),
        ((FIRST,),   order("first", paise=0, purpose="X"),               Status.EXISTS_WITH_DIFFERENT_AMOUNT),
        ((FIRST,),   order("first", purpose="X"),                        Status.EXISTS_WITH_DIFFERENT_PURPOSE),
        ((FIRST,),   FIRST,                                              Status.EXISTS),
        ((),         order("k", 9, 9, 0, Kind.POST),                     Status.AMOUNT_IS_NOT_POSITIVE),
        ((),         order("k", 9, 9, -1),                               Status.AMOUNT_IS_NOT_POSITIVE),
        ((),         order("k", 9, 9, pending="p"),                      Status.ACCOUNTS_ARE_THE_SAME),
        ((),         order("k", 8, 9, pending="p"),                      Status.PENDING_KEY_IS_UNEXPECTED),
        ((),         order("k", 8, 9, kind=Kind.PENDING, pending="p"),   Status.PENDING_KEY_IS_UNEXPECTED),
        ((),         order("k", 8, 9, kind=Kind.POST),                   Status.PENDING_KEY_IS_MISSING),
        ((),         order("k", 8, 9, kind=Kind.VOID),                   Status.PENDING_KEY_IS_MISSING),
        ((),         order("k", 8, 9),                                   Status.DEBIT_ACCOUNT_NOT_FOUND),
        ((),         order("k", ASHA, 9, 10**9),                         Status.CREDIT_ACCOUNT_NOT_FOUND),
        ((),         order("k", kind=Kind.POST, pending="p"),            Status.PENDING_TRANSFER_NOT_FOUND),
        ((FIRST,),   order("k", kind=Kind.POST, pending="first"),        Status.TRANSFER_IS_NOT_PENDING),
        ((PENDING,), order("k", CASH, ASHA, 1, Kind.POST, "held"),       Status.PENDING_TRANSFER_HAS_DIFFERENT_DEBIT_ACCOUNT),
        ((PENDING,), order("k", ASHA, CASH, 1, Kind.POST, "held"),       Status.PENDING_TRANSFER_HAS_DIFFERENT_CREDIT_ACCOUNT),
        ((PENDING,), order("k", paise=101, kind=Kind.POST, pending="held"), Status.PENDING_TRANSFER_HAS_DIFFERENT_AMOUNT),
        ((PENDING,), order("k", paise=99, kind=Kind.VOID, pending="held"),  Status.PENDING_TRANSFER_HAS_DIFFERENT_AMOUNT),
        (POSTED,     order("k", kind=Kind.VOID, pending="held"),         Status.PENDING_TRANSFER_ALREADY_POSTED),
        (VOIDED,     order("k", kind=Kind.POST, pending="held"),         Status.PENDING_TRANSFER_ALREADY_VOIDED),
        ((),         order("k", CASH, RAVI, PAISE_MAX),                  Status.TOTAL_IS_TOO_LARGE),
        ((),         order("k", paise=1001),                             Status.EXCEEDS_CREDITS),
        ((PENDING,), order("k", paise=901),                              Status.EXCEEDS_CREDITS),
        ((),         order("k", ASHA, CASH, 1000),                       Status.ACCEPTED),
        ((),         order("k", paise=1000),                             Status.ACCEPTED),
        ((PENDING,), order("k", paise=900),                              Status.ACCEPTED),
        ((PENDING,), order("k", paise=1, kind=Kind.POST, pending="held"), Status.ACCEPTED),
        ((PENDING,), order("k", kind=Kind.VOID, pending="held"),         Status.ACCEPTED),
    ],
)  # fmt: skip
def test_an_order_is_judged_in_the_documented_order(earlier, judged, status):
    state = books(ASHA=1000)

    assert statuses(state, *earlier, judged)[-1] is status


def test_a_bounded_credit_side_is_kept():
    state = books(ASHA=1000)
    state.accounts[ASHA].debits_must_not_exceed_credits = False

    assert statuses(state, order("k", ASHA, CASH, 1001)) == [Status.EXCEEDS_DEBITS]


def test_refusals_are_listed_in_the_order_in_which_they_are_looked_for():
    listed = list(Status)

    assert listed.index(Status.EXISTS) < listed.index(Status.AMOUNT_IS_NOT_POSITIVE)
    assert listed[-2:] == [Status.EXCEEDS_DEBITS, Status.ACCEPTED]


def test_an_earlier_transfer_of_the_batch_funds_a_later_one():
    state = books(ASHA=100)

    verdicts = judge(state, order("a"), order("b", RAVI, ASHA), order("c", RAVI, ASHA)).verdicts

    assert [verdict.status for verdict in verdicts] == [
        Status.ACCEPTED,
        Status.ACCEPTED,
        Status.EXCEEDS_CREDITS,
    ]
    assert verdicts[1].credit_balance_after == Money(100)


def test_a_repeat_is_told_what_happened_then():
    state = books(ASHA=1000)

    first, _between, repeat = judge(state, FIRST, order("b"), FIRST).verdicts

    assert repeat.status is Status.EXISTS
    assert repeat.transfer_id == first.transfer_id
    assert repeat.debit_balance_after == first.debit_balance_after == Money(900)
    assert repeat.credit_balance_after == first.credit_balance_after == Money(100)


def test_a_refused_key_may_be_tried_again():
    state = books(ASHA=50)

    assert statuses(
        state, order("k"), order("fund", CASH, ASHA, 50), order("k")
    ) == [Status.EXCEEDS_CREDITS, Status.ACCEPTED, Status.ACCEPTED]  # fmt: skip


def test_a_post_of_less_frees_the_rest():
    state = books(ASHA=1000)

    after = judge(
        state, PENDING, order("post", paise=30, kind=Kind.POST, pending="held")
    ).accounts_after

    assert (after[ASHA].debits_posted, after[ASHA].debits_pending) == (30, 0)
    assert (after[RAVI].credits_posted, after[RAVI].credits_pending) == (30, 0)


def test_the_books_that_came_in_are_not_changed():
    state = books(ASHA=1000)

    judge(state, FIRST, PENDING)

    assert state.accounts[ASHA] == Account(
        ASHA, credits_posted=1000, debits_must_not_exceed_credits=True
    )
    assert state.transfers == {}
