"""What the small bank says: requests of its customers, and answers to the switch."""

import copy

from lxml import etree

from sandbox import clock, credentials
from tests.sandbox.bank import UPI, Bank, Message, new_id

ACCOUNT = "001234567890"
STORE_ACCOUNT = "001234500001"
PIN = "4826"
PAYER = "asha@exbank"
DEVICE = {"MOBILE": "919800000001", "ID": "d1e2f3a4b5c6d7e8", "APP": "com.example.upi"}
SHOP = "shop@exbank"
PEOPLE = {PAYER: ACCOUNT, SHOP: STORE_ACCOUNT}


def el(name: str, attributes: dict[str, str] | None = None, *children) -> etree._Element:
    made = etree.Element(name, attributes or {})
    made.extend(children)
    return made


def message(api: str, *children: etree._Element) -> etree._Element:
    root = etree.Element(f"{{{UPI}}}{api}", nsmap={"upi": UPI})
    head = {"ver": "2.0", "ts": clock.iso(clock.now()), "orgId": "900001", "msgId": new_id()}
    root.extend([el("Head", head), *children])
    return root


def account(number: str, ifsc: str = "EXBK0000001") -> etree._Element:
    details = (("IFSC", ifsc), ("ACTYPE", "SAVINGS"), ("ACNUM", number))
    return el(
        "Ac",
        {"addrType": "ACCOUNT"},
        *(el("Detail", {"name": name, "value": value}) for name, value in details),
    )


def device_block(switch_key, *, txn_id, amount, payee, pin=PIN, payer=PAYER, **device) -> str:
    named = DEVICE | device
    binding = credentials.DeviceBinding(
        txn_id, amount, payer, payee, named["MOBILE"], named["ID"], named["APP"]
    )
    return credentials.make_device_block(
        pin, sub_type="MPIN", binding=binding, switch_key=switch_key
    )


def creds(*blocks: tuple[str, str, str]) -> etree._Element:
    made = el("Creds")
    for kind, sub_type, block in blocks:
        data = el("Data", {"code": "NPCI", "ki": "20261101"})
        data.text = block
        made.append(el("Cred", {"type": kind, "subType": sub_type}, data))
    return made


def payer_party(block: str = "", amount: str = "") -> etree._Element:
    tags = [el("Tag", {"name": name, "value": value}) for name, value in DEVICE.items()]
    names = {"addr": PAYER, "name": "ASHA RAO", "seqNum": "1", "type": "PERSON", "code": "0000"}
    payer = el("Payer", names, el("Device", None, *tags), account(ACCOUNT))
    if block:
        payer.append(creds(("PIN", "MPIN", block)))
    if amount:
        payer.append(el("Amount", {"value": amount, "curr": "INR"}))
    return payer


def pay_request(switch_key, payee: str, amount: str = "149.50", **changes) -> etree._Element:
    """Build a ReqPay(PAY) of our customer; changes replace what the block is bound to."""
    txn_id = changes.pop("txn_id", new_id())
    bound = {"txn_id": txn_id, "amount": amount, "payee": payee} | changes
    block = device_block(switch_key, **bound)
    names = {"addr": payee, "name": "PAYEE", "seqNum": "1", "type": "PERSON", "code": "0000"}
    return message(
        "ReqPay",
        el(
            "Txn",
            {
                "id": txn_id,
                "note": "lunch",
                "refId": "R1",
                "refUrl": "https://exbank.example",
                "ts": clock.iso(clock.now()),
                "type": "PAY",
                "custRef": "532610000123",
                "initiationMode": "00",
                "purpose": "00",
            },
        ),
        payer_party(block, amount),
        el("Payees", None, el("Payee", names, el("Amount", {"value": amount, "curr": "INR"}))),
    )


def merchant() -> etree._Element:
    identifier = {"subCode": "5411", "mid": "M1", "sid": "S1", "tid": "T1"}
    names = {"brand": "Shop", "legal": "Shop", "franchise": "Shop"}
    return el(
        "Merchant",
        None,
        el("Identifier", identifier),
        el("Name", names),
        el("Ownership", {"type": "PRIVATE"}),
    )


def transaction(kind: str, txn_id: str, **more: str) -> etree._Element:
    return el(
        "Txn",
        {
            "id": txn_id,
            "note": "order 1",
            "refId": "R1",
            "refUrl": "https://exbank.example",
            "ts": clock.iso(clock.now()),
            "type": kind,
            "custRef": "532610000124",
            "initiationMode": "00",
            "purpose": "00",
        }
        | more,
    )


def collect_request(payer: str, amount: str = "149.50", *, minutes: str = "30") -> etree._Element:
    """Build a ReqPay(COLLECT) of our shop."""
    rules = el("Rules", None, el("Rule", {"name": "EXPIREAFTER", "value": minutes}))
    made = transaction("COLLECT", new_id())
    made.append(rules)
    tags = [el("Tag", {"name": name, "value": value}) for name, value in DEVICE.items()]
    shop = {"addr": SHOP, "name": "SHOP", "seqNum": "1", "type": "ENTITY", "code": "5411"}
    asked = {"addr": payer, "name": payer, "seqNum": "1", "type": "PERSON", "code": "0000"}
    money = {"value": amount, "curr": "INR"}
    payee = el(
        "Payee",
        shop,
        el("Device", None, *tags),
        account(STORE_ACCOUNT),
        el("Amount", money),
        merchant(),
    )
    return message(
        "ReqPay", made, el("Payer", asked, el("Amount", money)), el("Payees", None, payee)
    )


def refund_request(original: str, payee: str, amount: str, **changes: str) -> etree._Element:
    """Build a ReqPay(REFUND) of our shop for a payment that it received."""
    names = {"addr": changes.get("payer", SHOP), "name": "SHOP", "seqNum": "1"}
    money = {"value": amount, "curr": "INR"}
    data = el("Data", {"code": "NPCI", "ki": "20261101"})
    data.text = "MDB8NjExNDI1"
    cred = el("Cred", {"type": "PreApproved", "subType": "NA"}, data)
    payer = el(
        "Payer",
        names | {"type": "ENTITY", "code": "5411"},
        account(STORE_ACCOUNT),
        el("Creds", None, cred),
        el("Amount", money),
        merchant(),
    )
    asked = {"addr": payee, "name": payee, "seqNum": "1", "type": "PERSON", "code": "0000"}
    return message(
        "ReqPay",
        transaction("REFUND", new_id(), orgTxnId=original),
        payer,
        el("Payees", None, el("Payee", asked, el("Amount", money))),
    )


def account_request(api: str, kind: str, *parts: etree._Element, txn_id: str) -> etree._Element:
    transaction = {"id": txn_id, "note": kind, "ts": clock.iso(clock.now()), "type": kind}
    return message(api, el("Txn", transaction), *parts)


def check_request(about: str, **changes: str) -> etree._Element:
    transaction = {
        "id": new_id(),
        "ts": clock.iso(clock.now()),
        "type": "ChkTxn",
        "subType": "PAY",
        "orgTxnId": about,
        "orgTxnDate": clock.iso(clock.now()),
        "initiationMode": "00",
    }
    return message("ReqChkTxn", el("Txn", transaction | changes))


def answer(request: Message, code: str = "", *more: etree._Element) -> etree._Element:
    """Answer a request: without a code it is a success."""
    result = {
        "reqMsgId": request.message_id,
        "result": "FAILURE" if code else "SUCCESS",
        "errCode": code,
    }
    transaction = el("Txn", dict(request.root.find("Txn").items()))
    return message(request.api.replace("Req", "Resp", 1), transaction, el("Resp", result), *more)


def leg_answer(request: Message, code: str = "00") -> etree._Element:
    """Answer a leg or its reversal with this code."""
    is_payer = "DEBIT" in {request.type, request.get("Txn", "subType")}
    party = request.root.find("Payer" if is_payer else "Payees/Payee")
    amount = party.find("Amount").get("value")
    made = answer(request, "" if code == "00" else code)
    reference = {
        "type": "PAYER" if is_payer else "PAYEE",
        "seqNum": "1",
        "addr": party.get("addr"),
        "settAmount": amount if code == "00" else "0.00",
        "orgAmount": amount,
        "settCurrency": "INR",
        "approvalNum": "000123",
        "respCode": code,
    }
    if request.type == "REVERSAL":
        reference["reversalRespCode"] = code
    made.find("Resp").append(el("Ref", reference))
    return made


def resolution(request: Message, code: str = "") -> etree._Element:
    """Answer which account one of our addresses means."""
    payee = copy.deepcopy(request.root.find("Payees/Payee"))
    number = PEOPLE.get(payee.get("addr").lower())
    if number is None:
        return answer(request, code or "ZH")
    payee.insert(0, account(number))
    return answer(request, code, el("Payees", None, payee))


def consent(switch_key, **changes):
    """Let our payer agree to a collect with his PIN."""

    def respond(_bank: Bank, request: Message) -> etree._Element:
        amount = request.get("Payer/Amount", "value")
        bound = {"txn_id": request.txn_id, "amount": amount}
        bound |= {"payee": request.get("Payees/Payee", "addr")} | changes
        payer = payer_party(device_block(switch_key, **bound), amount)
        return answer(request, "", payer, copy.deepcopy(request.root.find("Payees")))

    return respond


def natural(bank: Bank, request: Message) -> etree._Element | None:
    """Answer as a good bank does, and remember what was posted and what is refused for ever."""
    if request.api == "ReqAuthDetails":
        return resolution(request)
    if request.api != "ReqPay":
        return answer(request)
    if request.type == "REVERSAL":
        return leg_answer(request, _reverse(bank, request))
    key = (request.type, request.txn_id)
    if key in bank.buried:
        return leg_answer(request, "XB" if request.type == "DEBIT" else "XC")
    bank.posted[key] = bank.posted.get(key, 0) + 1
    return leg_answer(request)


def _reverse(bank: Bank, request: Message) -> str:
    leg = request.get("Txn", "subType")
    if (leg, request.about) not in bank.posted:
        bank.buried.add((leg, request.about))
        return "OD" if leg == "DEBIT" else "OC"
    if leg == "DEBIT":
        bank.reversed.add(request.about)
        return "00"
    return "CS"


def silent(_bank: Bank, _request: Message) -> None:
    """Never answer."""


def posted_then_silent(bank: Bank, request: Message) -> None:
    """Do what is asked and never say so."""
    natural(bank, request)


def declines(code: str):
    """Answer with this code, whatever is asked."""

    def respond(_bank: Bank, request: Message) -> etree._Element:
        if request.api == "ReqPay":
            return leg_answer(request, code)
        return answer(request, code)

    return respond
