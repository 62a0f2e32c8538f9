"""What the switch asks the issuer: each handler stores a request, in the receiver's transaction."""

from apps.accounts.services import list_accounts, requests
from apps.accounts.states import RequestKind
from apps.upi.contracts import (
    Received,
    ReqBalEnq,
    ReqListAccount,
    ReqOtp,
    ReqRegMob,
    ReqSetCre,
)


def receive_otp(received: Received[ReqOtp]) -> None:
    """Take a request to send an OTP to an account's holder."""
    message = received.message
    requests.receive(received, kind=RequestKind.OTP, payer=message.payer, proof=message.reg_details)


def receive_registration(received: Received[ReqRegMob]) -> None:
    """Take a request to set a PIN, proved by card and OTP."""
    message = received.message
    requests.receive(
        received, kind=RequestKind.REGISTRATION, payer=message.payer, proof=message.reg_details
    )


def receive_pin_change(received: Received[ReqSetCre]) -> None:
    """Take a request to change a PIN, proved by the present one."""
    requests.receive(received, kind=RequestKind.PIN_CHANGE, payer=received.message.payer)


def receive_balance_enquiry(received: Received[ReqBalEnq]) -> None:
    """Take a request for a balance, proved by the PIN."""
    requests.receive(received, kind=RequestKind.BALANCE, payer=received.message.payer)


def receive_account_listing(received: Received[ReqListAccount]) -> None:
    """Tell which accounts a mobile number has."""
    list_accounts.answer(received)
