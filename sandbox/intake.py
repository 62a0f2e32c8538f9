"""Read a payment from the request that starts it: PAY, COLLECT or REFUND, after the gate."""

from sandbox import clock, codec, world
from sandbox.codec import Envelope
from sandbox.payment import Payment, PaymentKind


def payment_of(request: Envelope) -> Payment:
    """Return the payment that a ReqPay asks for; the gate has judged the request."""
    root = request.root
    transaction, payer, payee = root.find("Txn"), root.find("Payer"), root.find("Payees/Payee")
    assert transaction is not None, "the gate judged Txn"
    assert payer is not None, "the gate judged Payer"
    assert payee is not None, "the gate judged Payee"
    credential = payer.findtext("Creds/Cred/Data") or ""
    for creds in payer.findall("Creds"):
        payer.remove(creds)
    _take_named_account(payee)
    amount = codec.paise(codec.amount_of(payer))
    assert amount is not None, "the gate judged the amount"
    made = Payment(
        kind=PaymentKind(request.type),
        transaction_id=request.transaction_id,
        original_id=request.original_id,
        rrn=transaction.get("custRef", ""),
        amount_paise=amount,
        payer_psp=_psp(payer),
        payee_psp=_psp(payee),
        remitter=_bank(payer),
        beneficiary=_bank(payee),
        request_message_id=request.message_id,
        transaction=codec.attributes(transaction),
        payer=payer,
        payee=payee,
        created_at=clock.iso(clock.now()),
        expire_minutes=expire_minutes(transaction) or 0,
    )
    if made.kind is PaymentKind.REFUND:
        made.approval = credential
    else:
        made.credential = credential
    return made


def take_credential(payment: Payment, payer: codec.Element) -> None:
    """Put the payer who agreed to a collect in the place of the one who was asked."""
    payment.credential = payer.findtext("Creds/Cred/Data") or ""
    for creds in payer.findall("Creds"):
        payer.remove(creds)
    payment.payer = payer
    payment.remitter = _bank(payer)


def expire_minutes(transaction: codec.Element) -> int | None:
    """Return after how many minutes a collect expires; None if the request does not say."""
    for rule in transaction.iterfind("Rules/Rule"):
        value = rule.get("value", "")
        if rule.get("name") == "EXPIREAFTER" and value.isascii() and value.isdigit():
            return int(value)
    return None


def _take_named_account(payee: codec.Element) -> None:
    """Put the account that an address names where a PSP's answer would put it."""
    named = world.account_of(payee.get("addr", ""))
    if named is None:
        return
    for given in payee.findall("Ac"):
        payee.remove(given)
    details = zip(("IFSC", "ACTYPE", "ACNUM"), (named[0], "DEFAULT", named[1]), strict=True)
    payee.append(
        codec.element(
            "Ac",
            {"addrType": "ACCOUNT"},
            *(codec.element("Detail", {"name": name, "value": value}) for name, value in details),
        )
    )


def _psp(party: codec.Element) -> str:
    """Return who answers for an address: nobody for one that names an account."""
    found = world.member_of_handle(world.handle_of(party.get("addr", "")))
    assert found is not None or world.account_of(party.get("addr", "")), "the gate judged both"
    return "" if found is None else found.org_id


def _bank(party: codec.Element) -> str:
    found = world.member_of_ifsc(codec.account_detail(party, "IFSC"))
    return "" if found is None else found.org_id
