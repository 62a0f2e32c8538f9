"""Where the switch's messages arrive; each handler runs in the receiver's transaction."""

from apps.payments.services import check, receive
from apps.upi.contracts import (
    Received,
    ReqAuthDetails,
    ReqChkTxn,
    ReqPay,
    ReqTxnConfirmation,
    RespChkTxn,
    RespPay,
)


def receive_authorisation(received: Received[ReqAuthDetails]) -> None:
    """ReqAuthDetails: say who is behind an address of ours."""
    receive.receive_authorisation(received)


def receive_collect(received: Received[ReqAuthDetails]) -> None:
    """ReqAuthDetails(COLLECT): somebody asks a customer of ours for money."""
    receive.receive_collect(received)


def receive_debit(received: Received[ReqPay]) -> None:
    """ReqPay(DEBIT): take the money from a payer of ours."""
    receive.receive_debit(received)


def receive_credit(received: Received[ReqPay]) -> None:
    """ReqPay(CREDIT): give the money to a payee of ours."""
    receive.receive_credit(received)


def receive_reversal(received: Received[ReqPay]) -> None:
    """ReqPay(REVERSAL): undo a debit or a credit of ours."""
    receive.receive_reversal(received)


def receive_payment_answer(received: Received[RespPay]) -> None:
    """RespPay(PAY, COLLECT, REFUND): how something that we began has ended."""
    receive.receive_payment_answer(received)


def receive_confirmation(received: Received[ReqTxnConfirmation]) -> None:
    """ReqTxnConfirmation: how a payment to an address of ours ended."""
    receive.receive_confirmation(received)


def receive_check(received: Received[ReqChkTxn]) -> None:
    """ReqChkTxn: the switch asks where our leg stands."""
    check.answer_switch(received)


def receive_check_answer(received: Received[RespChkTxn]) -> None:
    """RespChkTxn: what the switch says of a payment that we asked about."""
    check.take_answer(received)
