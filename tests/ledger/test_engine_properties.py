"""What holds for any batch: money is conserved, nobody overdraws, a repeat changes nothing."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.common import ids
from apps.ledger import engine
from apps.ledger.contracts import Kind, Status
from apps.ledger.engine import Account, Books
from tests.ledger.orders import ACCOUNTS, batches


@st.composite
def accounts(draw):
    """A bank's cash that may go either way, and customers of whom some may not overdraw."""
    made = {1: Account(1)}
    for number in range(2, ACCOUNTS + 1):
        funds = draw(st.integers(0, 100))
        made[1].debits_posted += funds
        made[number] = Account(
            number,
            credits_posted=funds,
            debits_must_not_exceed_credits=draw(st.booleans()),
        )
    return made


# A busy machine is no counter-example.
patient = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

cases = st.tuples(accounts(), batches(range(1, ACCOUNTS + 1)))


def play(start, orders):
    return engine.judge(Books(start, {}, {}), orders, [ids.uuid7() for _ in orders])


def after(start, judgement):
    return {**start, **judgement.accounts_after}


def flat(several):
    return [order for batch in several for order in batch]


@patient
@given(cases)
def test_money_is_conserved(case):
    start, several = case

    end = after(start, play(start, flat(several)))

    assert sum(account.balance for account in end.values()) == 0
    pending = [account.debits_pending - account.credits_pending for account in end.values()]
    assert sum(pending) == 0


@patient
@given(cases)
def test_nobody_overdraws_and_no_total_is_negative(case):
    start, several = case

    for account in after(start, play(start, flat(several))).values():
        totals = (
            account.debits_posted,
            account.credits_posted,
            account.debits_pending,
            account.credits_pending,
        )
        assert min(totals) >= 0
        if account.debits_must_not_exceed_credits:
            assert account.debits_posted + account.debits_pending <= account.credits_posted


@patient
@given(cases)
def test_a_batch_played_again_changes_nothing(case):
    start, several = case
    orders = flat(several)

    once, twice = play(start, orders), play(start, [*orders, *orders])

    accepted = {verdict.key for verdict in once.verdicts if verdict.status is Status.ACCEPTED}
    again = twice.verdicts[len(orders) :]
    for order, verdict in zip(orders, again, strict=True):
        if order.key in accepted:
            assert verdict.status is not Status.ACCEPTED
    if accepted == {order.key for order in orders}:
        assert twice.accounts_after == once.accounts_after


@patient
@given(cases)
def test_a_key_is_accepted_at_most_once(case):
    start, several = case

    verdicts = play(start, flat(several)).verdicts

    accepted = [verdict.key for verdict in verdicts if verdict.status is Status.ACCEPTED]
    assert len(accepted) == len(set(accepted))


@patient
@given(cases)
def test_verdicts_depend_only_on_the_orders_before(case):
    start, several = case
    orders = flat(several)
    half = len(orders) // 2

    whole, part = play(start, orders).verdicts, play(start, orders[:half]).verdicts

    assert [verdict.status for verdict in whole[:half]] == [verdict.status for verdict in part]


@patient
@given(cases)
def test_the_last_balance_on_a_transfer_is_the_balance_of_the_account(case):
    start, several = case
    orders = flat(several)

    judgement = play(start, orders)

    last = {number: account.balance for number, account in start.items()}
    for order, verdict in zip(orders, judgement.verdicts, strict=True):
        if verdict.status is Status.ACCEPTED:
            last[order.debit_account] = verdict.debit_balance_after.paise
            last[order.credit_account] = verdict.credit_balance_after.paise
    assert last == {number: acc.balance for number, acc in after(start, judgement).items()}


@patient
@given(cases)
def test_what_is_set_aside_is_what_was_neither_posted_nor_voided(case):
    start, several = case
    orders = flat(several)

    judgement = play(start, orders)

    accepted = [
        order
        for order, verdict in zip(orders, judgement.verdicts, strict=True)
        if verdict.status is Status.ACCEPTED
    ]
    resolved = {order.pending_key for order in accepted if order.pending_key is not None}
    open_paise = sum(
        order.amount.paise
        for order in accepted
        if order.kind is Kind.PENDING and order.key not in resolved
    )
    end = after(start, judgement)
    assert sum(account.debits_pending for account in end.values()) == open_paise
