"""Random orders and books, for properties of the engine and of the posting that must equal it."""

from hypothesis import strategies as st

from apps.common.money import Money
from apps.ledger.contracts import Kind, TransferOrder

ACCOUNTS = 5
KEYS = [f"key-{number}" for number in range(12)]


def orders(accounts, unknown=999_999_999):
    """Orders on few accounts and few keys, so that repeats, clashes and resolutions are common."""
    account = st.sampled_from([*accounts, *accounts, *accounts, unknown])
    kind = st.sampled_from([Kind.SINGLE, Kind.SINGLE, Kind.PENDING, Kind.POST, Kind.VOID])
    return kind.flatmap(
        lambda kind: st.builds(
            TransferOrder,
            key=st.sampled_from(KEYS),
            debit_account=account,
            credit_account=account,
            amount=st.integers(-1, 60).map(Money),
            purpose=st.sampled_from(["TEST", "TEST", "OTHER"]),
            kind=st.just(kind),
            pending_key=_pending_key(kind),
        )
    )


def _pending_key(kind):
    if kind in {Kind.POST, Kind.VOID}:
        return st.one_of(st.sampled_from(KEYS), st.sampled_from(KEYS), st.none())
    return st.one_of(st.none(), st.none(), st.none(), st.sampled_from(KEYS))


@st.composite
def batches(draw, accounts):
    """Several batches in which later orders often repeat or resolve earlier ones."""
    made = []
    result = []
    for _ in range(draw(st.integers(1, 3))):
        batch = []
        for _ in range(draw(st.integers(1, 12))):
            choice = draw(st.integers(0, 9))
            pendings = [order for order in made if order.kind is Kind.PENDING]
            if made and choice == 0:
                order = draw(st.sampled_from(made))
            elif pendings and choice <= 4:
                order = _resolution(draw, draw(st.sampled_from(pendings)))
            else:
                order = draw(orders(accounts))
            made.append(order)
            batch.append(order)
        result.append(batch)
    return result


def _resolution(draw, pending):
    return TransferOrder(
        key=draw(st.sampled_from(KEYS)),
        debit_account=pending.debit_account,
        credit_account=pending.credit_account,
        amount=draw(st.sampled_from([pending.amount, Money(max(1, pending.amount.paise // 2))])),
        purpose="TEST",
        kind=draw(st.sampled_from([Kind.POST, Kind.VOID])),
        pending_key=pending.key,
    )
