"""The wire's messages of a collect: a merchant of ours asks, or a customer of ours answers."""

import datetime as dt
import math
from dataclasses import replace

from apps.payments.contracts import Job
from apps.payments.messages import (
    account_of,
    device_of,
    new_head,
    payee_of,
    payer_of,
    resp_of,
    txn_of,
    vouched,
)
from apps.payments.states import Kind
from apps.upi.contracts import (
    Credential,
    Device,
    Meta,
    Party,
    ReqPay,
    RespAuthDetails,
    Rule,
)
from apps.upi.deadlines import EXPIRE_AFTER
from apps.vpa.contracts import ResolvedVpa

_MINUTE_SECONDS = 60


def collect_request(job: Job, payee: ResolvedVpa, *, at: dt.datetime) -> ReqPay:
    """Return the ReqPay(COLLECT) with which a merchant asks a payer."""
    facts = job.transaction
    assert job.expires_at is not None, "a collect ends by itself"
    seconds = (job.expires_at - facts.initiated_at).total_seconds()
    rule = Rule(name=EXPIRE_AFTER, value=str(math.ceil(seconds / _MINUTE_SECONDS)))
    merchant = Party(
        addr=facts.payee_address,
        name=facts.payee_name,
        type=payee.kind,
        code=payee.mcc,
        info=vouched(payee.verified_name, payee.account.account_number),
        # The merchant's server is the device: it has no number and no place.
        device=Device(type="API", id=payee.vpa_id.hex, app="merchant-api"),
        ac=payee.account,
        amount=facts.amount,
        merchant=payee.merchant,
    )
    return ReqPay(
        head=new_head(at),
        meta=Meta(pay_req_start=facts.initiated_at, pay_req_end=at),
        txn=replace(txn_of(facts, type=Kind.COLLECT), rules=(rule,)),
        payer=payer_of(facts),
        payee=merchant,
    )


def approved(
    job: Job, credential: Credential, *, payer_name: str, payee: Party, at: dt.datetime
) -> RespAuthDetails:
    """
    Return that our customer pays: from which account, with which device, by which PIN.

    `payee` is who asked, as the switch told us.
    """
    facts = job.transaction
    payer = Party(
        addr=facts.payer_address,
        name=payer_name,
        type="PERSON",
        code="0000",
        info=vouched(payer_name, job.account_number),
        device=device_of(job),
        ac=account_of(job),
        creds=(credential,),
        amount=facts.amount,
    )
    return _answer(job, payer, payee, code="", at=at)


def declined(job: Job, code: str, *, at: dt.datetime) -> RespAuthDetails:
    """Return why our customer does not pay."""
    facts = job.transaction
    return _answer(job, payer_of(facts), payee_of(facts), code=code, at=at)


def _answer(job: Job, payer: Party, payee: Party, *, code: str, at: dt.datetime) -> RespAuthDetails:
    facts = job.transaction
    return RespAuthDetails(
        head=new_head(at),
        txn=txn_of(facts, type=Kind.COLLECT, sub_type=Kind.COLLECT),
        resp=resp_of(job.request_message_id, code),
        payer=payer,
        payee=payee,
    )
