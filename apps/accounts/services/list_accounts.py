"""Tell a PSP which accounts a mobile number has, in the transaction that accepts its question."""

from django.conf import settings

from apps.accounts import selectors
from apps.accounts.contracts import AccountView
from apps.common import clock, ids
from apps.upi.contracts import (
    AllowedCredential,
    Answer,
    Head,
    ListedAccount,
    Received,
    ReqListAccount,
    Resp,
    RespListAccount,
    Txn,
)
from apps.upi.services.answers import answer_deadline, record_answers

# upi-protocol 4.5, RespListAccount.
NO_ACCOUNT, SEVERAL_CUSTOMERS, HELD_JOINTLY = "XH", "BR", "B2"
_ALLOWED = (
    AllowedCredential(type="PIN", sub_type="MPIN", d_type="Numeric", d_length=6),
    AllowedCredential(type="OTP", sub_type="SMS", d_type="Numeric", d_length=6),
)


def answer(received: Received[ReqListAccount]) -> None:
    """Answer with the accounts that one customer may link, or with the code of the refusal."""
    request = received.message
    found = _found(request)
    code = _refusal(found)
    own = [each for each in found if not each.is_joint]
    message = RespListAccount(
        head=Head(
            ts=clock.now(),
            org_id=settings.UPI_ORG_ID,
            msg_id=ids.new_upi_id(settings.UPI_ID_PREFIX),
        ),
        resp=Resp(
            req_msg_id=request.head.msg_id,
            result="FAILURE" if code else "SUCCESS",
            err_code=code,
        ),
        txn=Txn(
            id=request.txn.id,
            ts=request.txn.ts,
            type=request.txn.type,
            note=request.txn.note,
            ref_id=request.txn.ref_id,
        ),
        account_list=() if code else tuple(_listed(each) for each in own),
    )
    record_answers(
        [
            Answer(
                exchange_id=received.exchange_id,
                message=message,
                expires_at=answer_deadline(received),
            )
        ],
        claim=None,
    )


def _found(request: ReqListAccount) -> list[AccountView]:
    """Find accounts by the number of the very device that asks, and by no other."""
    device, account = request.payer.device, request.payer.ac
    is_ours = account is not None and selectors.is_ours(account.ifsc)
    if not is_ours or device is None or device.mobile != request.link.value:
        return []
    return selectors.accounts_of_mobile(request.link.value)


def _refusal(found: list[AccountView]) -> str:
    if not found:
        return NO_ACCOUNT
    own = [each for each in found if not each.is_joint]
    if not own:
        return HELD_JOINTLY
    # Accounts of one number under several names are of several customers.
    if len({each.holder_name.casefold() for each in own}) > 1:
        return SEVERAL_CUSTOMERS
    return ""


def _listed(account: AccountView) -> ListedAccount:
    return ListedAccount(
        acc_type=account.account_type,
        acc_ref_number=account.number,
        masked_accnumber=account.masked_number,
        ifsc=account.ifsc,
        name=account.holder_name,
        aeba=False,
        mbeba=account.has_pin,
        creds_allowed=_ALLOWED,
    )
