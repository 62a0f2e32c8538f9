"""The wire's messages for what a customer asks."""

import datetime as dt
from collections.abc import Callable, Sequence

from apps.customers.models import AccountRequest
from apps.customers.selectors import message_address, payer_of
from apps.customers.states import RequestKind
from apps.upi.contracts import (
    Credential,
    Message,
    Party,
    RegDetails,
    ReqBalEnq,
    ReqOtp,
    ReqRegMob,
    ReqSetCre,
    Txn,
)
from apps.upi.services import questions

# Txn/@type of each message (upi-protocol 2.1), which is also its note.
TRANSACTION_TYPES = {
    RequestKind.OTP: "Otp",
    RequestKind.PIN_REGISTRATION: "ReqRegMob",
    RequestKind.PIN_CHANGE: "SetCre",
    RequestKind.BALANCE: "BalEnq",
}


def message_of(
    request: AccountRequest, credentials: Sequence[Credential], *, at: dt.datetime
) -> Message:
    """
    Build the message of a request; its account, device and customer are loaded.

    `credentials` are in the order in which the customer gave them: of a PIN change the present
    PIN is first.
    """
    return _BUILDERS[RequestKind(request.kind)](request, tuple(credentials), at)


def _otp(request: AccountRequest, _: tuple[Credential, ...], at: dt.datetime) -> Message:
    return ReqOtp(
        head=questions.head_of(at=at),
        txn=_txn(request, at),
        payer=_payer(request),
        reg_details=_card(request),
    )


def _registration(
    request: AccountRequest, credentials: tuple[Credential, ...], at: dt.datetime
) -> Message:
    return ReqRegMob(
        head=questions.head_of(at=at),
        txn=_txn(request, at),
        payer=_payer(request),
        reg_details=_card(request, credentials),
    )


def _change(
    request: AccountRequest, credentials: tuple[Credential, ...], at: dt.datetime
) -> Message:
    present, new = credentials
    payer = _payer(request, creds=(present,), new_cred=(new,))
    return ReqSetCre(head=questions.head_of(at=at), txn=_txn(request, at), payer=payer)


def _balance(
    request: AccountRequest, credentials: tuple[Credential, ...], at: dt.datetime
) -> Message:
    payer = _payer(request, creds=credentials)
    return ReqBalEnq(head=questions.head_of(at=at), txn=_txn(request, at), payer=payer)


_BUILDERS: dict[
    RequestKind, Callable[[AccountRequest, tuple[Credential, ...], dt.datetime], Message]
] = {
    RequestKind.OTP: _otp,
    RequestKind.PIN_REGISTRATION: _registration,
    RequestKind.PIN_CHANGE: _change,
    RequestKind.BALANCE: _balance,
}


def _txn(request: AccountRequest, at: dt.datetime) -> Txn:
    kind = TRANSACTION_TYPES[RequestKind(request.kind)]
    return questions.txn_of(request.transaction_id, kind, at=at)


def _payer(
    request: AccountRequest,
    *,
    creds: tuple[Credential, ...] = (),
    new_cred: tuple[Credential, ...] = (),
) -> Party:
    payer = payer_of(request.account, request.device)
    return Party(
        addr=message_address(payer.mobile),
        name=payer.name,
        type="PERSON",
        code="0000",
        device=payer.device,
        ac=payer.account,
        creds=creds,
        new_cred=new_cred,
    )


def _card(request: AccountRequest, creds: tuple[Credential, ...] = ()) -> RegDetails:
    return RegDetails(
        mobile=request.device.customer.mobile,
        card_digits=request.card_digits,
        exp_date=request.card_expiry,
        creds=creds,
    )
