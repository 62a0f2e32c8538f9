"""The bugs: each wraps one function of the engine and harms what passes while it is awake."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

from django.db import transaction

from apps.accounts import selectors as accounts
from apps.accounts.core_banking import ledger
from apps.accounts.core_banking.base import OrderKind, Result
from apps.common.money import Money
from apps.ledger.contracts import Chart, TransferOrder
from apps.ledger.selectors import account_id_by_code
from apps.ledger.services.posting import post_transfers
from apps.payments import selectors
from apps.payments.api import app, render
from apps.payments.services import legs
from apps.payments.states import Finality, PublicStatus, Role, State
from apps.upi.services import correlate
from tests.conformance.plants.apps import awake
from tests.conformance.plants.names import BUGS

DROPS, DEBITS_AGAIN, OTHER_PAYMENT, GOES_BACK, NO_CREDIT, DEBITS_DECLINED, REVERSES_TWICE = BUGS
_calls = itertools.count()


def plant() -> None:
    """Put every bug in its place."""
    app.accept_payment = _accepting(app.accept_payment)
    render.public_status = _showing(render.public_status)
    correlate._repeat = _repeating(correlate._repeat)
    ledger._transfer = _transferring(ledger._transfer)
    ledger._post = _posting(ledger._post)
    legs.move = _moving(legs.move)


def _move_money(number: str, amount: Money, *, to_customer: bool) -> None:
    account = accounts.accounts_by_number({number})[number].ledger_account_id
    payable = account_id_by_code(Chart.SWITCH_PAYABLE)
    order = TransferOrder(
        key=f"planted/{uuid4()}",
        debit_account=payable if to_customer else account,
        credit_account=account if to_customer else payable,
        amount=amount,
        purpose="UPI_PLANTED",
    )
    post_transfers([order])


def _accepting(real: Callable) -> Callable:
    def accept(asked, block, **more):
        if awake() == DROPS:
            block_of_test = transaction.atomic()
            block_of_test._from_testcase = True
            with block_of_test:
                accepted = real(asked, block, **more)
                transaction.set_rollback(True)
            return accepted
        accepted = real(asked, block, **more)
        if awake() == OTHER_PAYMENT and accepted.is_replay:
            rows, _ = selectors.page_of_payments(
                owner_id=asked.customer_id, role=Role.PAYER_PSP, limit=5, before=None
            )
            others = [row for row in rows if row.transaction.id != asked.transaction_id]
            return replace(accepted, payment=others[0])
        return accepted

    return accept


def _showing(real: Callable) -> Callable:
    def status(state):
        if awake() == GOES_BACK and state == State.SUCCESS and next(_calls) % 3 == 1:
            return PublicStatus.PENDING, Finality.PROVISIONAL
        return real(state)

    return status


def _repeating(real: Callable) -> Callable:
    def repeat(inbound, parameters):
        known = real(inbound, parameters)
        message = inbound.message
        if awake() == DEBITS_AGAIN and (message.api, message.txn.type) == ("ReqPay", "DEBIT"):
            payer = message.payer
            _move_money(payer.ac.account_number, payer.amount, to_customer=False)
        return known

    return repeat


def _transferring(real: Callable) -> Callable:
    def transfer(order, ledger_account_id, chart):
        if awake() == NO_CREDIT and order.kind is OrderKind.CREDIT:
            ledger_account_id = account_id_by_code(Chart.VAULT_CASH)
        return real(order, ledger_account_id, chart)

    return transfer


def _posting(real: Callable) -> Callable:
    def post(orders):
        outcomes = real(orders)
        for outcome in outcomes:
            is_reversal = outcome.order.kind is OrderKind.REVERSAL
            if awake() == REVERSES_TWICE and is_reversal and outcome.result is Result.POSTED:
                _move_money(outcome.order.account_number, outcome.order.amount, to_customer=True)
        return outcomes

    return post


def _moving(real: Callable) -> Callable:
    def move(batch, **more):
        moved = real(batch, **more)
        if awake() == DEBITS_DECLINED:
            for each in batch:
                if (each.role, each.target) == (Role.DEBIT, State.DECLINED):
                    job = selectors.job(each.leg_id)
                    _move_money(job.account_number, job.transaction.amount, to_customer=False)
        return moved

    return move
