"""The switch's own messages, built from a payment or from the request they answer."""

import copy
from collections.abc import Iterable

from lxml import etree

from sandbox import clock, codec, ids, magic, world
from sandbox.codec import Envelope, element
from sandbox.payment import Payment, PaymentKind, Status, Verdict

_KEPT_BY_PAYER_ABROAD = ("Info", "Ac", "Amount", "Merchant")
_KEPT_OF_PAYEE = ("Info", "Ac", "Amount", "Merchant")
_KEPT_WHEN_ASKING = ("Info", "Amount", "Merchant")
_NO_ORIGINAL = {"orgTxnId": "", "orgMsgId": "", "orgRrn": "", "orgTxnDate": ""}
_TRANSACTION_ORDER = (
    "id", "note", "refId", "refUrl", "ts", "type", "subType", "custRef", "orgTxnId", "orgMsgId",
    "orgRespCode", "orgRrn", "orgTxnDate", "initiatedBy", "initiationMode", "purpose",
    "refCategory",
)  # fmt: skip


def _head() -> codec.Element:
    return codec.head(world.SWITCH, ids.new_id(world.SWITCH_PREFIX))


def _transaction(attributes: dict[str, str], *, risk_of: Payment | None = None) -> codec.Element:
    ordered = {name: attributes[name] for name in _TRANSACTION_ORDER if attributes.get(name)}
    made = element("Txn", ordered)
    if risk_of is not None:
        risk = magic.risk(
            payer=risk_of.payer_address,
            payee=risk_of.payee_address,
            amount_paise=risk_of.amount_paise,
        )
        score = {"provider": world.SWITCH, "type": "TXNRISK", "value": risk}
        made.append(element("RiskScores", None, element("Score", score)))
    return made


def _party(party: codec.Element, kept: Iterable[str]) -> codec.Element:
    """Copy a payer or payee with only the children named."""
    made = etree.Element(party.tag, codec.attributes(party))
    for name in kept:
        found = party.find(name)
        if found is not None:
            made.append(copy.deepcopy(found))
    return made


def _payees(payee: codec.Element, kept: Iterable[str] = _KEPT_OF_PAYEE) -> codec.Element:
    return element("Payees", None, _party(payee, kept))


def _meta(payment: Payment) -> codec.Element:
    tags = (("PAYREQSTART", payment.created_at), ("PAYREQEND", payment.created_at))
    return element("Meta", None, *(element("Tag", {"name": n, "value": v}) for n, v in tags))


def auth_request(payment: Payment) -> codec.Element:
    """Ask the payee's PSP which account an address means, or the payer's PSP for his consent."""
    is_collect = payment.kind is PaymentKind.COLLECT
    transaction = _transaction(_of_kind(payment), risk_of=payment)
    if is_collect:
        rule = {"name": "EXPIREAFTER", "value": str(payment.expire_minutes)}
        transaction.append(element("Rules", None, element("Rule", rule)))
    return codec.message(
        "ReqAuthDetails",
        _head(),
        transaction,
        _payees(payment.payee, _KEPT_WHEN_ASKING if is_collect else _KEPT_OF_PAYEE),
        _party(payment.payer, _KEPT_WHEN_ASKING),
    )


def _of_kind(payment: Payment) -> dict[str, str]:
    return payment.transaction | {"type": payment.kind, "subType": payment.kind}


def debit_request(payment: Payment, cred: codec.Element) -> codec.Element:
    """Ask the remitter to take the money; a PIN's credential is now one for the issuer."""
    payer = _party(payment.payer, ("Info", "Device", "Ac"))
    payer.append(element("Creds", None, cred))
    payer.append(_amount(payment))
    if (merchant := payment.payer.find("Merchant")) is not None:
        payer.append(copy.deepcopy(merchant))
    return _leg(payment, "DEBIT", payer)


def pin_cred(issuer_block: str, key_index: str) -> codec.Element:
    """Wrap an issuer's block."""
    data = element("Data", {"code": world.SWITCH, "ki": key_index})
    data.text = issuer_block
    return element("Cred", {"type": "PIN", "subType": "MPIN"}, data)


def approved_cred(approval: str) -> codec.Element:
    """Wrap the word of the merchant's bank that it has approved the debit itself."""
    data = element("Data", {"code": world.SWITCH, "ki": world.SWITCH_KEY_INDEX})
    data.text = approval
    return element("Cred", {"type": "PreApproved", "subType": "NA"}, data)


def credit_request(payment: Payment) -> codec.Element:
    """Ask the beneficiary to give the money to the payee."""
    return _leg(payment, "CREDIT", _party(payment.payer, _KEPT_BY_PAYER_ABROAD))


def _leg(payment: Payment, kind: str, payer: codec.Element) -> codec.Element:
    # Only a refund itself names its original: a leg is known by its own Txn.id (code T10).
    attributes = payment.transaction | {"type": kind, "subType": payment.kind} | _NO_ORIGINAL
    return codec.message(
        "ReqPay",
        _head(),
        _meta(payment),
        _transaction(attributes, risk_of=payment),
        payer,
        _payees(payment.payee),
    )


def reversal_request(payment: Payment, *, leg: str, code: str) -> codec.Element:
    """Ask a bank to undo its leg (DEBIT or CREDIT): a new Txn.id that names the original."""
    message_id = payment.debit_message_id if leg == "DEBIT" else payment.credit_message_id
    attributes = payment.transaction | {
        "id": ids.new_id(world.SWITCH_PREFIX),
        "ts": clock.iso(clock.now()),
        "type": "REVERSAL",
        "subType": leg,
        "orgTxnId": payment.transaction_id,
        "orgMsgId": message_id,
        "orgRespCode": code,
        "orgRrn": payment.rrn,
        "orgTxnDate": payment.transaction.get("ts", payment.created_at),
    }
    return codec.message(
        "ReqPay",
        _head(),
        _meta(payment),
        _transaction(attributes),
        _party(payment.payer, _KEPT_BY_PAYER_ABROAD),
        _payees(payment.payee),
    )


def final_answer(payment: Payment) -> codec.Element:
    """Tell the PSP that began a payment how it ended, with what both banks said."""
    return codec.message(
        "RespPay",
        _head(),
        _transaction(_of_kind(payment)),
        _response(payment.request_message_id, payment.verdict, references(payment)),
    )


def confirmation(payment: Payment) -> codec.Element:
    """Tell the PSP that did not begin the payment how it ended."""
    note = payment.transaction.get("note", "")
    attributes = payment.transaction | {
        "type": "TxnConfirmation",
        "orgTxnId": payment.transaction_id,
    }
    # The enumeration of orgStatus has no DEEMED: the payee's bank owes, so it is still pending.
    status = "PENDING" if payment.verdict.status is Status.DEEMED else payment.verdict.status
    outcome = {
        "note": note,
        "orgStatus": str(status),
        "orgErrCode": payment.verdict.code,
        "type": str(payment.kind),
        "orgTxnId": payment.transaction_id,
    }
    return codec.message(
        "ReqTxnConfirmation",
        _head(),
        _transaction(attributes),
        element("TxnConfirmation", outcome, *references(payment)),
    )


def check_answer(request: Envelope, payment: Payment | None) -> codec.Element:
    """Answer a status check: a payment not known is U48, one not decided yet is PARTIAL."""
    found = request.root.find("Txn")
    assert found is not None, "the gate lets no message pass without Txn"
    attributes = codec.attributes(found)
    attributes.pop("refUrl", None)
    if payment is None or not payment.is_final:
        result, code = ("FAILURE", "U48") if payment is None else ("PARTIAL", "")
        response = element(
            "Resp", {"reqMsgId": request.message_id, "result": result, "errCode": code}
        )
    else:
        response = _response(request.message_id, payment.verdict, references(payment))
        response.set("txnRespCode", payment.verdict.raw_code or payment.verdict.code[:3])
    return codec.message("RespChkTxn", _head(), _transaction(attributes), response)


def check_request(payment: Payment, leg: str) -> codec.Element:
    """Ask a bank how its leg (DEBIT or CREDIT) of a payment stands."""
    attributes = payment.transaction | {
        "id": ids.new_id(world.SWITCH_PREFIX),
        "ts": clock.iso(clock.now()),
        "type": "ChkTxn",
        "subType": leg,
        "orgTxnId": payment.transaction_id,
        "orgMsgId": payment.debit_message_id if leg == "DEBIT" else payment.credit_message_id,
        "orgRrn": payment.rrn,
        "orgTxnDate": payment.transaction.get("ts", payment.created_at),
        "initiationMode": "00",
    }
    return codec.message("ReqChkTxn", _head(), _transaction(attributes))


def heartbeat_request() -> codec.Element:
    """Ask a bank whether it is alive. One value serves as message id and Txn.id."""
    head = _head()
    message_id = head.get("msgId", "")
    attributes = {"id": message_id, "note": "hbt", "refId": message_id}
    attributes |= {"ts": clock.iso(clock.now()), "type": "Hbt"}
    return codec.message(
        "ReqHbt",
        head,
        _transaction(attributes),
        element("HbtMsg", {"type": "ALIVE", "value": "NA"}),
    )


def heartbeat_answer(request: Envelope) -> codec.Element:
    """Say that the switch is alive."""
    attributes = {"id": request.transaction_id, "ts": clock.iso(clock.now()), "type": "Hbt"}
    response = element("Resp", {"reqMsgId": request.message_id, "result": "SUCCESS", "errCode": ""})
    return codec.message("RespHbt", _head(), response, _transaction(attributes))


def relayed_request(request: Envelope, parts: Iterable[codec.Element]) -> codec.Element:
    """Build the issuer's copy of an account request from its parts, credentials replaced."""
    return codec.message(request.api, _head(), *parts)


def relayed_answer(
    request: Envelope, *, result: str, code: str, parts: Iterable[codec.Element] = ()
) -> codec.Element:
    """Hand the answer to a meta message on to the PSP that asked, with these parts."""
    found = request.root.find("Txn")
    assert found is not None, "the gate lets no message pass without Txn"
    attributes = codec.attributes(found)
    attributes.pop("refUrl", None)
    response = element("Resp", {"reqMsgId": request.message_id, "result": result, "errCode": code})
    copied = (copy.deepcopy(part) for part in parts)
    return codec.message(
        request.api.replace("Req", "Resp", 1),
        _head(),
        response,
        _transaction(attributes),
        *copied,
    )


def references(payment: Payment) -> list[codec.Element]:
    """Return what each bank said of the payment: its own words, or the switch's in its place."""
    payer = payment.payer_reference or _silent_reference(payment, "PAYER", payment.payer)
    payee = payment.payee_reference or _silent_reference(payment, "PAYEE", payment.payee)
    if payment.verdict.status is Status.FAILURE:
        payer, payee = payer | {"settAmount": "0.00"}, payee | {"settAmount": "0.00"}
    return [element("Ref", payer), element("Ref", payee)]


def _silent_reference(payment: Payment, kind: str, party: codec.Element) -> dict[str, str]:
    """Build the Ref of a bank that said nothing: the switch's code stands for it."""
    verdict = payment.verdict
    is_settled = verdict.status is not Status.FAILURE
    code = verdict.raw_code if is_settled else verdict.code.partition("~")[0]
    return reference(
        kind,
        party,
        amount=payment.amount,
        settled=payment.amount if is_settled else "0.00",
        approval="000000",
        code=code,
    )


def reference(
    kind: str, party: codec.Element, *, amount: str, settled: str, approval: str, code: str
) -> dict[str, str]:
    """Build the Ref of one party."""
    values = {
        "type": kind,
        "seqNum": party.get("seqNum", "1"),
        "addr": party.get("addr", ""),
        "regName": party.get("name", ""),
        "settAmount": settled,
        "orgAmount": amount,
        "settCurrency": world.CURRENCY,
        "approvalNum": approval,
        "respCode": code,
        "acNum": codec.account_detail(party, "ACNUM"),
        "IFSC": codec.account_detail(party, "IFSC"),
        "code": party.get("code", "0000"),
        "accType": codec.account_detail(party, "ACTYPE"),
    }
    return {name: value for name, value in values.items() if value}


def _response(
    request_message_id: str, verdict: Verdict, refs: list[codec.Element]
) -> codec.Element:
    attributes = {
        "reqMsgId": request_message_id,
        "result": str(verdict.status),
        "errCode": verdict.code,
    }
    return element("Resp", attributes, *refs)


def _amount(payment: Payment) -> codec.Element:
    return element("Amount", {"value": payment.amount, "curr": world.CURRENCY})
