"""What a core-banking host posted, in our own books: one account mirrors all of its customers'."""

from collections.abc import Sequence
from uuid import UUID

from apps.accounts.core_banking.base import Order, OrderKind, TransferClashError
from apps.ledger.contracts import Chart, TransferOrder
from apps.ledger.selectors import account_ids_by_code
from apps.ledger.services.posting import post_transfers

# Money that leaves a customer at the host leaves the mirror: from, to.
_SIDES = {
    OrderKind.DEBIT: (Chart.CORE_BANKING, Chart.SWITCH_PAYABLE),
    OrderKind.CREDIT: (Chart.SWITCH_RECEIVABLE, Chart.CORE_BANKING),
    OrderKind.REVERSAL: (Chart.SWITCH_PAYABLE, Chart.CORE_BANKING),
}


def post(orders: Sequence[Order]) -> list[UUID]:
    """
    Post what the host has posted; return the transfers, in order. A repeat returns the first's.

    The caller's transaction is open, and it took the lock of the books before those of legs.
    Raises TransferClashError when an order is not the one that its key stands for.
    """
    if not orders:
        return []
    chart = account_ids_by_code({code for sides in _SIDES.values() for code in sides})
    verdicts = post_transfers(
        [
            TransferOrder(
                key=order.transfer_key,
                debit_account=chart[_SIDES[order.kind][0]],
                credit_account=chart[_SIDES[order.kind][1]],
                amount=order.amount,
                purpose=f"UPI_{order.kind}",
            )
            for order in orders
        ]
    )
    transfers = []
    for verdict in verdicts:
        if not verdict.is_posted or verdict.transfer_id is None:
            raise TransferClashError(f"{verdict.key}: {verdict.status}")
        transfers.append(verdict.transfer_id)
    return transfers
