"""The wire's messages, from what a leg and its transaction know."""

import datetime as dt
from dataclasses import replace
from uuid import UUID

import orjson
from django.conf import settings

from apps.common import ids
from apps.common.money import ZERO
from apps.common.secret import Secret
from apps.payments.contracts import Job, TransactionFacts, WireRequest
from apps.payments.states import Role
from apps.upi.contracts import (
    AccountAddress,
    Credential,
    Device,
    Head,
    Info,
    Meta,
    Party,
    Ref,
    ReqChkTxn,
    ReqPay,
    Resp,
    RespAuthDetails,
    RespChkTxn,
    RespPay,
    RespTxnConfirmation,
    Txn,
)
from apps.vpa.contracts import ResolvedVpa

APPROVED = "00"
_NO_APPROVAL = "000000"
_APPROVALS = 10**6
# upi-protocol 4.8, IM0: a status check names no mode above this one.
_CHECK_MODE_MAX = "14"
# upi-protocol 3.3: nobody is asked for a PIN. The data says nothing, and may not be empty.
_PRE_APPROVED = Credential(
    type="PreApproved", sub_type="NA", code="NPCI", ki="00000000", data=Secret("TkE=")
)


def new_head(at: dt.datetime) -> Head:
    """Return the head of a new message of ours."""
    return Head(ts=at, org_id=settings.UPI_ORG_ID, msg_id=ids.new_upi_id(settings.UPI_ID_PREFIX))


def approval_number(leg_id: UUID) -> str:
    """Return the six digits that name a leg that was done: always the same for the same leg."""
    return f"{leg_id.int % (_APPROVALS - 1) + 1:06d}"


def pay_request(job: Job, credentials: tuple[Credential, ...], *, at: dt.datetime) -> ReqPay:
    """Return the ReqPay(PAY) of a payment, with the credential that the app gave us for it."""
    facts = job.transaction
    payer = Party(
        addr=facts.payer_address,
        name=facts.payer_name,
        type=facts.payer_type,
        code=facts.payer_code,
        info=vouched(facts.payer_name, job.account_number),
        device=device_of(job),
        ac=account_of(job),
        creds=credentials,
        amount=facts.amount,
    )
    return ReqPay(
        head=new_head(at),
        meta=Meta(pay_req_start=facts.initiated_at, pay_req_end=at),
        txn=txn_of(facts, type="PAY"),
        payer=payer,
        payee=payee_of(facts),
    )


def vouched(name: str, account_number: str) -> Info:
    """Return that we know whose an account of ours is."""
    return Info(
        identity_type="ACCOUNT",
        verified_name=name,
        identity_id=account_number,
        verified_address=True,
    )


def payee_of(facts: TransactionFacts) -> Party:
    """Return the payee as far as every job knows it."""
    return Party(
        addr=facts.payee_address,
        name=facts.payee_name,
        type=facts.payee_type,
        code=facts.payee_code,
        amount=facts.amount,
    )


def payer_of(facts: TransactionFacts) -> Party:
    """Return the payer as far as every job knows it."""
    return Party(
        addr=facts.payer_address,
        name=facts.payer_name,
        type=facts.payer_type,
        code=facts.payer_code,
        amount=facts.amount,
    )


def refund_request(job: Job, original: TransactionFacts, *, at: dt.datetime) -> ReqPay:
    """Return the ReqPay(REFUND) that gives money of a merchant back to who paid it."""
    facts = job.transaction
    merchant = Party(
        addr=facts.payer_address,
        name=facts.payer_name,
        type=facts.payer_type,
        code=facts.payer_code,
        info=vouched(facts.payer_name, job.account_number),
        ac=account_of(job),
        creds=(_PRE_APPROVED,),
        amount=facts.amount,
    )
    txn = txn_of(facts, type="REFUND", original_id=original.id)
    return ReqPay(
        head=new_head(at),
        meta=Meta(pay_req_start=facts.initiated_at, pay_req_end=at),
        txn=replace(txn, org_rrn=original.rrn, org_txn_date=original.initiated_at),
        payer=merchant,
        payee=payee_of(facts),
    )


def authorised(job: Job, payee: ResolvedVpa, *, at: dt.datetime) -> RespAuthDetails:
    """Return who the payee is: account, verified name and merchant block."""
    facts = job.transaction
    party = Party(
        addr=facts.payee_address,
        name=payee.verified_name,
        type=payee.kind,
        code=payee.mcc,
        info=vouched(payee.verified_name, payee.account.account_number),
        ac=payee.account,
        amount=facts.amount,
        merchant=payee.merchant,
    )
    return _authorisation(job, party, code="", at=at)


def refused(job: Job, code: str, *, at: dt.datetime) -> RespAuthDetails:
    """Return why the payee's address does not take the payment."""
    facts = job.transaction
    party = Party(
        addr=facts.payee_address,
        name=facts.payee_name,
        type="PERSON",
        code="0000",
        amount=facts.amount,
    )
    return _authorisation(job, party, code=code, at=at)


def _authorisation(job: Job, payee: Party, *, code: str, at: dt.datetime) -> RespAuthDetails:
    facts = job.transaction
    return RespAuthDetails(
        head=new_head(at),
        txn=txn_of(facts, type="PAY", sub_type="PAY"),
        resp=resp_of(job.request_message_id, code),
        payer=payer_of(facts),
        payee=payee,
    )


def leg_answer(job: Job, request: WireRequest, *, code: str, at: dt.datetime) -> RespPay:
    """
    Return the RespPay of a debit, credit or reversal; `code` is "00" when it was done.

    A reversal names its outcome in `reversalRespCode` too (upi-protocol 4.3).
    """
    facts = job.transaction
    is_reversal = job.role is Role.REVERSAL
    txn = txn_of(
        facts,
        type=job.role,
        sub_type=request.sub_type or None,
        own_id=request.transaction_id,
        own_at=request.transaction_at,
        original_id=facts.id if is_reversal else None,
    )
    ref = leg_reference(job, code, reversal_code=code if is_reversal else None)
    resp = resp_of(request.message_id, "" if code == APPROVED else code, refs=(ref,))
    return RespPay(head=new_head(at), txn=txn, resp=resp)


def request_of(job: Job) -> WireRequest:
    """Return the message that the leg answers."""
    assert job.exchange_id is not None, "only a leg that was asked for answers"
    return WireRequest(
        exchange_id=job.exchange_id,
        message_id=job.request_message_id,
        transaction_id=job.wire_transaction_id,
        transaction_at=job.wire_transaction_at,
        sub_type=job.wire_sub_type,
    )


def confirmation_answer(request_id: str, txn: Txn, *, at: dt.datetime) -> RespTxnConfirmation:
    """Return that we have taken note."""
    return RespTxnConfirmation(head=new_head(at), txn=txn, resp=resp_of(request_id, ""))


def check_request(job: Job, *, initiated_by: str, at: dt.datetime) -> ReqChkTxn:
    """Return the question what became of a transaction."""
    facts = job.transaction
    own = ids.new_upi_id(settings.UPI_ID_PREFIX)
    mode = facts.initiation_mode
    txn = Txn(
        id=own,
        ts=at,
        type="ChkTxn",
        sub_type=job.kind,
        note="status",
        ref_id=own,
        cust_ref=facts.rrn,
        org_txn_id=facts.id,
        org_rrn=facts.rrn,
        org_txn_date=facts.initiated_at,
        initiated_by=initiated_by,
        initiation_mode=mode if mode <= _CHECK_MODE_MAX else "00",
        purpose=facts.purpose,
    )
    return ReqChkTxn(head=new_head(at), txn=txn)


def check_answer(
    request: Txn, request_id: str, *, code: str, refs: tuple[Ref, ...], at: dt.datetime
) -> RespChkTxn:
    """
    Return where our legs of a transaction stand.

    `code` says why there is nothing to tell; without code and without refs they are undecided.
    """
    resp = Resp(
        req_msg_id=request_id,
        result="FAILURE" if code else "SUCCESS" if refs else "PARTIAL",
        err_code=code,
        txn_resp_code=refs[0].resp_code if refs else None,
        refs=refs,
    )
    return RespChkTxn(head=new_head(at), txn=request, resp=resp)


def leg_reference(job: Job, code: str, *, reversal_code: str | None) -> Ref:
    """Return what became of our side, and what a reversal made of it."""
    facts = job.transaction
    is_payer = job.kind == "DEBIT"
    is_done = code == APPROVED
    return Ref(
        type="PAYER" if is_payer else "PAYEE",
        addr=facts.payer_address if is_payer else facts.payee_address,
        reg_name=facts.payer_name if is_payer else facts.payee_name,
        sett_amount=facts.amount if is_done else ZERO,
        org_amount=facts.amount,
        approval_num=approval_number(job.id) if is_done else _NO_APPROVAL,
        resp_code=code,
        reversal_resp_code=reversal_code,
        ac_num=job.account_number or None,
        ifsc=job.ifsc or None,
        code=facts.payer_code if is_payer else facts.payee_code,
        acc_type=job.account_type or None,
    )


def resp_of(request_id: str, code: str, *, refs: tuple[Ref, ...] = ()) -> Resp:
    """Return the result of a request; an empty code is a success."""
    return Resp(
        req_msg_id=request_id, result="FAILURE" if code else "SUCCESS", err_code=code, refs=refs
    )


def txn_of(
    facts: TransactionFacts,
    *,
    type: str,  # noqa: A002 - the wire's word
    sub_type: str | None = None,
    own_id: str | None = None,
    own_at: dt.datetime | None = None,
    original_id: str | None = None,
) -> Txn:
    """Return the transaction as every message writes it."""
    return Txn(
        id=own_id or facts.id,
        ts=own_at or facts.initiated_at,
        type=type,
        sub_type=sub_type,
        note=facts.note or None,
        ref_id=facts.reference or None,
        ref_url=facts.reference_url or None,
        cust_ref=facts.rrn,
        org_txn_id=original_id,
        initiation_mode=facts.initiation_mode,
        purpose=facts.purpose,
        ref_category=facts.reference_category or None,
    )


def account_of(job: Job) -> AccountAddress:
    """Return the account of ours that the leg is about."""
    return AccountAddress(
        ifsc=job.ifsc, account_type=job.account_type, account_number=job.account_number
    )


def device_of(job: Job) -> Device | None:
    """Return the device from which the customer pays."""
    return device_from_json(job.device) if job.device else None


def device_to_json(device: Device) -> str:
    """Write the tags of a device for the leg that will send them."""
    return orjson.dumps(device).decode()


def device_from_json(text: str) -> Device:
    """Read the tags of a device back."""
    return Device(**orjson.loads(text))
