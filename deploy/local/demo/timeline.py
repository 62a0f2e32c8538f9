"""What our own database says: a payment's timeline and transfers, and the books as a whole."""
# ruff: noqa: PLC0415 - these modules can be imported only once Django is set up

from deploy.local.demo.page import Entry, Page


def show(page: Page, txn_id: str) -> None:
    """Print a payment's timeline as the back office shows it."""
    from apps.payments.timeline import timeline_of

    steps = timeline_of(txn_id).steps
    page.timeline([Entry(step.elapsed_ms, step.lane, step.text) for step in steps])


def balance_paise(account_id: str) -> int:
    """Return the balance of a linked account, as core banking has it."""
    from apps.accounts.core_banking.base import core_banking
    from apps.common import ids
    from apps.customers.models import LinkedAccount

    linked = LinkedAccount.objects.get(pk=str(ids.parse_public_id("acc", account_id)))
    return core_banking().balance(linked.account_number).paise


def transfers(txn_id: str) -> list[str]:
    """Return the purposes of a payment's transfers."""
    from apps.ledger.models import Transfer
    from apps.payments.models import Leg

    legs = Leg.objects.filter(transaction_id=txn_id)
    moved = [leg.transfer_id for leg in legs if leg.transfer_id is not None]
    return sorted(Transfer.objects.filter(pk__in=moved).values_list("purpose", flat=True))


def books_sum() -> int:
    """Return the sum of all balances in paise."""
    from apps.ledger import selectors

    return selectors.books_sum().paise


def switch_position(name: str) -> int:
    """Return what we owe the switch (payable) or are owed (receivable), in paise."""
    from apps.ledger import selectors
    from apps.ledger.contracts import Chart

    if name == "payable":
        return selectors.balance(selectors.account_id_by_code(Chart.SWITCH_PAYABLE)).paise
    return -selectors.balance(selectors.account_id_by_code(Chart.SWITCH_RECEIVABLE)).paise


def open_payments() -> list[str]:
    """Return the transactions whose payer leg has not ended."""
    from apps.payments.models import Leg

    ends = ["SUCCESS", "FAILED", "DEEMED"]
    still = Leg.objects.filter(role="PAYER_PSP").exclude(state__in=ends)
    return list(still.values_list("transaction_id", flat=True))
