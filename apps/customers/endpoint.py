"""Where the banks' answers to our customers' questions arrive."""

from apps.customers.services import listing, settle, tokens
from apps.upi.contracts import (
    Received,
    RespBalEnq,
    RespListAccount,
    RespListKeys,
    ResponseMessage,
    RespOtp,
    RespRegMob,
    RespSetCre,
)


def receive_otp_answer(received: Received[RespOtp]) -> None:
    """Take the word that an OTP was sent, or why not."""
    _settle(received)


def receive_registration_answer(received: Received[RespRegMob]) -> None:
    """Take the word that the PIN is set, or why not."""
    _settle(received)


def receive_change_answer(received: Received[RespSetCre]) -> None:
    """Take the word that the PIN is changed, or why not."""
    _settle(received)


def receive_balance_answer(received: Received[RespBalEnq]) -> None:
    """Take the balance, or why there is none."""
    _settle(received)


def receive_listing_answer(received: Received[RespListAccount]) -> None:
    """Take the accounts that a bank found, or why there are none."""
    listing.take_answer(received)


def receive_token_answer(received: Received[RespListKeys]) -> None:
    """Take the word that a phone's library is registered, or why not."""
    tokens.take_answer(received)


def _settle(received: Received[ResponseMessage]) -> None:
    request = settle.lock_answered(received.exchange_id)
    settle.settle(received.message, request, at=received.received_at)
