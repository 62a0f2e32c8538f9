"""Handlers that stand for the apps above the wire: they note what came, and do as they are told."""

from apps.upi.contracts import Received, ReqPay
from apps.upi.errors import RefusedError
from apps.upi.services import pin_blocks

received: list[Received] = []
refusal: list[RefusedError] = []


def receive(message: Received) -> None:
    if refusal:
        raise refusal[0]
    received.append(message)


def receive_debit(message: Received[ReqPay]) -> None:
    pin_blocks.store(message.exchange_id, message.message.payer.creds)
    receive(message)


_HERE = "tests.upi.routes"
ROUTES = {
    ("ReqPay", "DEBIT"): f"{_HERE}.receive_debit",
    ("ReqPay", "CREDIT"): f"{_HERE}.receive",
    ("ReqPay", "REVERSAL"): f"{_HERE}.receive",
    ("ReqAuthDetails", "PAY"): f"{_HERE}.receive",
    ("ReqTxnConfirmation", "TxnConfirmation"): f"{_HERE}.receive",
    ("ReqBalEnq", "BalEnq"): f"{_HERE}.receive",
    ("ReqRegMob", "ReqRegMob"): f"{_HERE}.receive",
    ("RespPay", "PAY"): f"{_HERE}.receive",
    ("RespBalEnq", "BalEnq"): f"{_HERE}.receive",
}
