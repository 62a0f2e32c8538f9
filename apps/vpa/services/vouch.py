"""Say whose an address of ours is, when another PSP asks."""

from django.conf import settings

from apps.common import clock, ids
from apps.upi.contracts import Answer, Head, Received, ReqValAdd, RespValAdd, Txn, ValAddResp
from apps.upi.services.answers import answer_deadline, record_answers
from apps.vpa import selectors
from apps.vpa.contracts import ResolvedVpa
from apps.vpa.services.verify import UNKNOWN_ADDRESS


def answer(received: Received[ReqValAdd]) -> None:
    """Answer with the name that we vouch for, or why not, in the receiver's transaction."""
    request = received.message
    found = selectors.resolve(request.payee.addr.lower())
    req_msg_id = request.head.msg_id
    refusal = UNKNOWN_ADDRESS if found is None else found.refusal(at=received.received_at)
    message = RespValAdd(
        head=Head(
            ts=clock.now(),
            org_id=settings.UPI_ORG_ID,
            msg_id=ids.new_upi_id(settings.UPI_ID_PREFIX),
        ),
        resp=_refuse(refusal, req_msg_id)
        if found is None or refusal
        else _vouch(found, req_msg_id),
        txn=Txn(
            id=request.txn.id,
            ts=request.txn.ts,
            type=request.txn.type,
            note=request.txn.note,
            ref_id=request.txn.ref_id,
        ),
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


def _refuse(code: str, req_msg_id: str) -> ValAddResp:
    return ValAddResp(req_msg_id=req_msg_id, result="FAILURE", err_code=code)


def _vouch(found: ResolvedVpa, req_msg_id: str) -> ValAddResp:
    return ValAddResp(
        req_msg_id=req_msg_id,
        result="SUCCESS",
        mask_name=found.verified_name,
        code=found.mcc,
        type=found.kind.value,
        ifsc=found.account.ifsc,
        acc_type=found.account.account_type,
        merchant=found.merchant,
    )
