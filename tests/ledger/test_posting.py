"""Posting writes exactly what the engine decides, whatever a batch holds."""

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.common import ids
from apps.common.money import ZERO, Money
from apps.ledger import engine, selectors
from apps.ledger.contracts import Chart, Kind, Status, TransferOrder, Verdict
from apps.ledger.engine import Account, Books
from apps.ledger.models import LedgerAccount, Transfer, TransferKey
from apps.ledger.services.open_ledger_account import open_ledger_account
from apps.ledger.services.posting import post_transfers
from tests.ledger.orders import ACCOUNTS, batches


def order(key, debit, credit, paise, kind=Kind.SINGLE, pending=None):
    return TransferOrder(key, debit, credit, Money(paise), "TEST", kind, pending)


def stored_account(account_id):
    with transaction.atomic():
        return selectors.ask_for_accounts([account_id])().accounts[account_id]


def test_money_moves_and_the_transfer_keeps_both_balances(open_account):
    asha, ravi = open_account(1000), open_account(50)

    (verdict,) = post_transfers([order("k", asha, ravi, 300)])

    assert verdict.status is Status.ACCEPTED
    assert (verdict.debit_balance_after, verdict.credit_balance_after) == (Money(700), Money(350))
    transfer = Transfer.objects.get(pk=verdict.transfer_id)
    assert transfer.amount == Money(300)
    assert (transfer.debit_balance_after_paise, transfer.credit_balance_after_paise) == (700, 350)
    assert selectors.balance(asha) == Money(700)
    assert selectors.balance(ravi) == Money(350)
    assert selectors.transfer_by_key("k") == transfer
    assert selectors.books_sum() == ZERO


def test_a_refused_order_leaves_nothing(open_account):
    asha, ravi = open_account(100), open_account()

    (verdict,) = post_transfers([order("k", asha, ravi, 101)])

    assert verdict == Verdict("k", Status.EXCEEDS_CREDITS)
    assert selectors.balance(asha) == Money(100)
    assert selectors.transfer_by_key("k") is None


def test_a_repeat_in_a_later_batch_is_told_what_happened_then(open_account):
    asha, ravi = open_account(1000), open_account()
    (first,) = post_transfers([order("k", asha, ravi, 300)])
    post_transfers([order("between", asha, ravi, 1)])

    (repeat,) = post_transfers([order("k", asha, ravi, 300)])

    assert repeat.status is Status.EXISTS
    assert repeat.is_posted
    assert repeat.transfer_id == first.transfer_id
    assert repeat.debit_balance_after == Money(700)
    assert selectors.balance(asha) == Money(699)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"debit_account": 0},     Status.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT),
        ({"credit_account": 0},    Status.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT),
        ({"amount": Money(301)},   Status.EXISTS_WITH_DIFFERENT_AMOUNT),
        ({"purpose": "OTHER"},     Status.EXISTS_WITH_DIFFERENT_PURPOSE),
        ({"kind": Kind.PENDING},   Status.EXISTS_WITH_DIFFERENT_KIND),
    ],
)  # fmt: skip
def test_other_content_under_a_key_is_named_field_by_field(open_account, changed, status):
    asha, ravi = open_account(1000), open_account()
    fields = {"debit_account": asha, "credit_account": ravi, "amount": Money(300)}
    post_transfers([TransferOrder(key="k", purpose="TEST", **fields)])

    (verdict,) = post_transfers(
        [TransferOrder(**{"key": "k", "purpose": "TEST", **fields, **changed})]
    )

    assert verdict == Verdict("k", status)
    assert selectors.balance(asha) == Money(700)


def test_a_batch_may_spend_what_an_earlier_order_of_it_brought(open_account):
    asha, ravi, mira = open_account(100), open_account(), open_account()

    verdicts = post_transfers(
        [order("a", asha, ravi, 100), order("b", ravi, mira, 100), order("c", ravi, mira, 1)]
    )

    assert [verdict.status for verdict in verdicts] == [
        Status.ACCEPTED,
        Status.ACCEPTED,
        Status.EXCEEDS_CREDITS,
    ]
    assert selectors.balance(mira) == Money(100)


def test_money_set_aside_is_posted_once(open_account):
    asha, ravi = open_account(100), open_account()
    post_transfers([order("hold", asha, ravi, 80, Kind.PENDING)])
    assert LedgerAccount.objects.get(pk=asha).available == Money(20)

    (too_much,) = post_transfers([order("spend", asha, ravi, 21)])
    (posted,) = post_transfers([order("post", asha, ravi, 50, Kind.POST, "hold")])
    (voided,) = post_transfers([order("void", asha, ravi, 80, Kind.VOID, "hold")])

    assert too_much.status is Status.EXCEEDS_CREDITS
    assert posted.status is Status.ACCEPTED
    assert voided.status is Status.PENDING_TRANSFER_ALREADY_POSTED
    assert stored_account(asha) == Account(asha, 50, 100, 0, 0, True, False)


def test_a_batch_needs_the_callers_transaction(committed):
    with pytest.raises(AssertionError):
        post_transfers([order("k", 1, 2, 3)])


def test_an_empty_batch_is_no_batch(db):
    assert post_transfers([]) == []


def test_the_chart_has_the_accounts_of_the_flows(db):
    for code in Chart:
        assert selectors.account_by_code(code).balance == ZERO


def test_a_statement_shows_both_sides_newest_first_in_pages(open_account, vault):
    asha, ravi = open_account(1000), open_account(500)
    post_transfers([order("out", asha, ravi, 300)])
    post_transfers([order("in", ravi, asha, 50)])

    lines = selectors.statement(asha)

    assert [(line.key, line.amount, line.balance_after) for line in lines] == [
        ("in", Money(50), Money(750)),
        ("out", Money(-300), Money(700)),
        (f"open-{asha}", Money(1000), Money(1000)),
    ]
    assert selectors.statement(asha, limit=1) == lines[:1]
    assert selectors.statement(asha, before=lines[0].transfer_id) == lines[1:]
    assert selectors.balance(vault) == Money(-1500)


@pytest.mark.parametrize("table", ["ledger_transfer", "ledger_transfer_key"])
@pytest.mark.parametrize("verb", ["UPDATE {} SET amount_paise = 1", "DELETE FROM {}"])
def test_history_cannot_be_changed_by_the_platform(open_account, table, verb):
    open_account(100)

    with pytest.raises(Exception, match=r"permission denied|history"), transaction.atomic():
        connection.cursor().execute(verb.format(table))


@pytest.mark.parametrize("field", ["debits_posted_paise", "debits_pending_paise"])
def test_the_database_itself_refuses_an_overdraft(open_account, field):
    asha = open_account(100)

    with pytest.raises(IntegrityError, match="debits_do_not_exceed_credits"), transaction.atomic():
        LedgerAccount.objects.filter(pk=asha).update(**{field: 101})


def test_a_key_cannot_be_stored_twice(open_account):
    open_account(100)
    key = TransferKey.objects.get()

    with pytest.raises(IntegrityError), transaction.atomic():
        TransferKey.objects.create(
            digest=key.digest,
            transfer_id=ids.uuid7(),
            kind=Kind.SINGLE,
            debit_account_id=1,
            credit_account_id=2,
            amount_paise=1,
            purpose="TEST",
        )


def test_history_is_kept_even_from_the_owner(open_account):
    open_account(100)

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_trigger WHERE tgname = 'append_only' "
            "AND tgrelid IN ('ledger_transfer'::regclass, 'ledger_transfer_key'::regclass)"
        )
        assert cursor.fetchone() == (2,)


@st.composite
def histories(draw):
    """Some funds an account, bounded or not, and several batches on few keys."""
    funds = draw(st.lists(st.integers(0, 100), min_size=ACCOUNTS, max_size=ACCOUNTS))
    bounded = draw(st.lists(st.booleans(), min_size=ACCOUNTS, max_size=ACCOUNTS))
    return funds, bounded, draw(batches(range(ACCOUNTS)))


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(histories())
def test_posting_equals_the_engine_on_any_history(vault, history):
    funds, bounded, several = history
    with transaction.atomic():
        opened = _open(vault, funds, bounded)
        expected = _Oracle(opened)
        for batch in several:
            orders = [_on(opened, order) for order in batch]

            verdicts = post_transfers(orders)

            assert _plain(verdicts, orders) == _plain(expected.judge(orders), orders)
        for account_id, account in expected.accounts.items():
            assert stored_account(account_id) == account
        assert selectors.books_sum() == ZERO
        assert Transfer.objects.count() == TransferKey.objects.count()
        transaction.set_rollback(True)


def _open(vault, funds, bounded):
    opened = []
    for paise, is_bounded in zip(funds, bounded, strict=True):
        account = open_ledger_account(name="c", debits_must_not_exceed_credits=is_bounded)
        if paise:
            post_transfers([order(f"open-{account.pk}", vault, account.pk, paise)])
        opened.append(account.pk)
    return opened


def _on(opened, order):
    """Put an order on accounts by place onto the accounts that are open now."""

    def real(place):
        return opened[place] if place < len(opened) else 999_999_999

    return TransferOrder(
        order.key,
        real(order.debit_account),
        real(order.credit_account),
        order.amount,
        order.purpose,
        order.kind,
        order.pending_key,
    )


class _Oracle:
    """The engine alone, fed batch by batch with its own outcomes."""

    def __init__(self, opened):
        self.accounts = {account_id: stored_account(account_id) for account_id in opened}
        self.orders = []

    def judge(self, orders):
        """Judge all orders from the start: the engine knows no batches."""
        self.orders += orders
        if not hasattr(self, "start"):
            self.start = {number: account.copy() for number, account in self.accounts.items()}
        judgement = engine.judge(
            Books(self.start, {}, {}), self.orders, [ids.uuid7() for _ in self.orders]
        )
        self.accounts = {**self.start, **judgement.accounts_after}
        return judgement.verdicts[-len(orders) :]


def _plain(verdicts, orders):
    assert [verdict.key for verdict in verdicts] == [order.key for order in orders]
    return [
        (verdict.key, verdict.status, verdict.debit_balance_after, verdict.credit_balance_after)
        for verdict in verdicts
    ]
