"""Read the switch's messages as facts of a transaction and as requests for a leg."""

import hashlib

import orjson

from apps.payments.contracts import Job, TransactionFacts, WireRequest
from apps.upi.contracts import Device, Party, Received, ReqAuthDetails, ReqPay, RiskScore, Txn


def facts_of(message: ReqPay | ReqAuthDetails) -> TransactionFacts:
    """Return what the message says of its transaction; a reversal speaks of its original."""
    txn = message.txn
    assert message.payer.amount is not None, "the codec refuses a payer without an amount"
    is_reversal = txn.type == "REVERSAL"
    return TransactionFacts(
        id=(txn.org_txn_id or txn.id) if is_reversal else txn.id,
        rrn=_rrn(txn, is_reversal=is_reversal),
        amount=message.payer.amount,
        payer_address=message.payer.addr.lower(),
        payer_name=_name(message.payer),
        payer_type=message.payer.type,
        payer_code=message.payer.code,
        payee_address=message.payee.addr.lower(),
        payee_name=_name(message.payee),
        payee_type=message.payee.type,
        payee_code=message.payee.code,
        note=txn.note or "",
        purpose=txn.purpose or "00",
        initiation_mode=txn.initiation_mode or "00",
        reference=txn.ref_id or "",
        reference_url=txn.ref_url or "",
        reference_category=txn.ref_category or "",
        initiated_at=(txn.org_txn_date or txn.ts) if is_reversal else txn.ts,
    )


def request_of(received: Received[ReqPay] | Received[ReqAuthDetails]) -> WireRequest:
    """Return what the answer to this message must repeat."""
    txn = received.message.txn
    return WireRequest(
        exchange_id=received.exchange_id,
        message_id=received.message.head.msg_id,
        transaction_id=txn.id,
        transaction_at=txn.ts,
        sub_type=txn.sub_type or "",
    )


def _rrn(txn: Txn, *, is_reversal: bool) -> str:
    rrn = (txn.org_rrn or txn.cust_ref) if is_reversal else txn.cust_ref
    assert rrn is not None, "the codec refuses a payment without custRef"
    return rrn


def _name(party: Party) -> str:
    if party.info is not None:
        return party.info.verified_name
    return party.name or party.addr.partition("@")[0]


def device_mark_to_json(device: Device | None) -> str | None:
    """Write what tells the payer's phone from another one, and nothing else of it."""
    if device is None or not device.id:
        return None
    return orjson.dumps({"mark": hashlib.sha256(device.id.encode()).hexdigest()}).decode()


def device_mark(job: Job) -> str:
    """Return what tells the phone of a debit from another one, "" where there is no phone."""
    return str(orjson.loads(job.device)["mark"]) if job.device else ""


def risk_scores_to_json(txn: Txn) -> str | None:
    """Write the scores that the switch gives a transaction; None without any."""
    if not txn.risk_scores:
        return None
    scores = [(score.provider, score.type, int(score.value)) for score in txn.risk_scores]
    return orjson.dumps(scores).decode()


def risk_scores(job: Job) -> list[RiskScore]:
    """Return the scores that came with the request for a leg."""
    stored = orjson.loads(job.risk_scores) if job.risk_scores else []
    return [RiskScore(provider=each[0], type=each[1], value=str(each[2])) for each in stored]
