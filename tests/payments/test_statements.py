"""
How many statements a message and a payment may ask of the database.

Each is a round trip and a piece of processor time on both sides. A number here may fall; whoever
lets one grow has to say so by changing it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from apps.payments.states import Role
from apps.vpa.selectors import resolve
from tests.payments.hand import Deal, Side, drain
from tests.payments.payer import enrol_payee, enrol_payer

ABROAD = Side(address="ravi@smplbank", number="009876500001", ifsc="SMPL0000002", name="RAVI IYER")
# What a process asks once a minute, or once a second: the timers, and whether the switch is there.
REMEMBERED = ("upi_timer_rule", '"upi_organisation"')


@contextmanager
def counted(asked: list[str]) -> Iterator[None]:
    """Collect the statements; BEGIN and COMMIT, and a PIN block's, are not among them."""

    def note(execute: Callable[..., Any], sql: Any, *rest: Any) -> Any:
        if not any(name in str(sql) for name in REMEMBERED):
            asked.append(" ".join(str(sql).split())[:100])
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        yield


@pytest.fixture
def asha(hand):
    return enrol_payer(hand)


@pytest.fixture
def inward(hand):
    return Deal(payer=ABROAD, payee=enrol_payee(hand))


def assert_asks(statements: int, send: Callable[[], Any]) -> None:
    asked: list[str] = []
    with counted(asked):
        send()
    assert len(asked) == statements, asked


def test_a_question_for_an_address(hand, inward):
    # The sender's keys; the message's own keys with its row of the log; the leg.
    assert_asks(3, lambda: hand.authorise(inward))


def test_a_debit(hand, asha):
    deal = asha.pay(ABROAD)

    assert_asks(3, lambda: hand.debit(deal))


def test_a_credit(hand, inward):
    # One more where Redis does not know where the address leads.
    resolve(inward.payee.address)

    assert_asks(3, lambda: hand.credit(inward))


def test_a_confirmation(hand, inward):
    hand.authorise(inward)
    drain(Role.PAYEE_PSP)

    # The leg and its end, its order, what is owed of it, our answer and its repeats.
    assert_asks(9, lambda: hand.confirm(inward))


def test_the_answer_to_a_payment(hand, asha):
    deal = asha.pay(ABROAD)
    drain(Role.PAYER_PSP)

    # The leg and its end, the fact.
    assert_asks(5, lambda: hand.answer_payment(deal))


def test_a_payment_at_the_api(hand, asha):
    body = asha.body(ABROAD)

    assert_asks(10, lambda: asha.post(body))
