"""The switch's lines: messages that a case lets the switch say, whatever a real one would do."""

import copy
import secrets
from dataclasses import dataclass, field, replace
from typing import Any

from lxml import etree

from conformance.case import AMOUNT_PAISE, Stage
from conformance.person import Person
from sandbox import clock, codec, credentials, ids, parties, world
from sandbox.codec import Element, element

_PREFIX = "CNF"
_RRN_DIGITS = 12
_ANSWER_SECONDS = 30
_TAGS = {
    "GEOCODE": "19.0760,72.8777",
    "LOCATION": "Mumbai,Maharashtra",
    "IP": "203.0.113.10",
    "TYPE": "MOB",
    "OS": "Android 14",
    "CAPABILITY": "5200000200010004000639292929292",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A payer or a payee: the address, the account, and the phone."""

    address: str
    number: str = field(repr=False)
    ifsc: str = "EXBK0000001"
    name: str = "CASE CUSTOMER"
    mobile: str = "919700000001"
    device: str = "case-device"
    app: str = "in.case.app"


STRANGER = Side(
    address="ravi@smplbank", number="009876500001", ifsc="SMPL0000002", name="RAVI KUMAR"
)
STORE = Side(
    address="store1@smplbank", number="009876543210", ifsc="SMPL0000002", name="EXAMPLE STORE"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """A payment as the switch would know it."""

    payer: Side
    payee: Side
    amount_paise: int = AMOUNT_PAISE
    rrn: str = field(default_factory=lambda: f"{secrets.randbelow(10**_RRN_DIGITS):012d}")
    id: str = field(default_factory=lambda: ids.new_id(_PREFIX))
    note: str = "conformance"

    @property
    def amount(self) -> str:
        """Return the amount as the wire writes it."""
        return codec.rupees(self.amount_paise)


def side_of(stage: Stage, person: Person) -> Side:
    """Return a customer of the bank as a party: the account is asked for as a switch asks."""
    if not person.account_number:
        person.account_number = _number_of(stage, person)
    handset = person.phone.handset
    return Side(
        address=person.vpa,
        number=person.account_number,
        mobile=handset.mobile,
        device=handset.identifier,
        app=handset.app_id,
    )


def _number_of(stage: Stage, person: Person) -> str:
    deal = Deal(payer=STRANGER, payee=Side(address=person.vpa, number=""))
    answer = say(stage, authorisation(deal))["answer"]
    assert answer is not None, "the bank says who its addresses are"
    payee = etree.fromstring(answer["xml"]).find("Payees/Payee")
    # The question is closed, so that the bank does not ask later how the payment ended.
    say(stage, confirmation(deal, "FAILURE", "U30"))
    return codec.account_detail(payee, "ACNUM")


def say(stage: Stage, root: Element, **more: Any) -> dict[str, Any]:
    """Let the switch send a message; return HTTP status, Ack, and the answer that came."""
    choices = {"wait": _ANSWER_SECONDS, **more}
    transaction = root.find("Txn")
    if transaction is not None:
        stage.transaction_ids.append(transaction.get("id", ""))
    return stage.control.send(codec.to_bytes(root).decode(), **choices)


def word(said: dict[str, Any]) -> str:
    """Return what came of a message in a word: a refusal's code, or result and code."""
    if said["ack"]:
        return f"Ack {said['ack']}"
    if said["ack"] is None:
        return f"no Ack, HTTP {said['status']}"
    answer = said["answer"]
    return "silence" if answer is None else f"{answer['result']} {answer['code']}"


def renewed(root: Element) -> Element:
    """Return the same content under a new message id."""
    again = copy.deepcopy(root)
    head = again.find("Head")
    assert head is not None, "every message has a Head"
    head.set("msgId", ids.new_id(world.SWITCH_PREFIX))
    return again


def debit(deal: Deal, *, block: str | None) -> Element:
    """Ask for the payer's money; without a block there is no credential at all."""
    parts = [_info(deal.payer), _device(deal.payer), _account(deal.payer)]
    if block is not None:
        data = element("Data", {"code": world.SWITCH, "ki": world.SWITCH_KEY_INDEX})
        data.text = block
        cred = element("Cred", {"type": "PIN", "subType": "MPIN"}, data)
        parts.append(element("Creds", None, cred))
    return _pay(deal, "DEBIT", parts, {"subType": "PAY"})


def credit(deal: Deal) -> Element:
    """Ask to give the payee the money."""
    return _pay(deal, "CREDIT", [_info(deal.payer), _account(deal.payer)], {"subType": "PAY"})


def reversal(deal: Deal, leg: str, *, code: str = "U68") -> Element:
    """Ask to undo a leg, under a Txn.id of its own."""
    undoing = replace(deal, id=ids.new_id(world.SWITCH_PREFIX))
    more = {
        "subType": leg,
        "orgTxnId": deal.id,
        "orgMsgId": ids.new_id(world.SWITCH_PREFIX),
        "orgRespCode": code,
        "orgRrn": deal.rrn,
        "orgTxnDate": _now(),
    }
    return _pay(undoing, "REVERSAL", [_info(deal.payer), _account(deal.payer)], more)


def authorisation(deal: Deal) -> Element:
    """Ask who an address is."""
    return codec.message(
        "ReqAuthDetails",
        _head(),
        _transaction(deal, "PAY", {"subType": "PAY"}),
        element("Payees", None, _party("Payee", deal.payee, [], deal)),
        _party("Payer", deal.payer, [_info(deal.payer)], deal),
    )


def consent(deal: Deal) -> Element:
    """Ask whether a payer agrees to what somebody asks for."""
    transaction = _transaction(deal, "COLLECT", {"subType": "COLLECT"})
    rule = element("Rule", {"name": "EXPIREAFTER", "value": "30"})
    transaction.append(element("Rules", None, rule))
    payee = _party("Payee", deal.payee, [_info(deal.payee)], deal)
    shop = parties.person_of(deal.payee.address)
    if shop is not None and shop.is_merchant:
        payee.set("type", "ENTITY")
        payee.set("code", shop.category_code)
        payee.append(parties.merchant(shop))
    return codec.message(
        "ReqAuthDetails",
        _head(),
        transaction,
        element("Payees", None, payee),
        _party("Payer", deal.payer, [], deal),
    )


def refund_debit(deal: Deal) -> Element:
    """Ask for a merchant's money without a PIN, as for a refund that the bank approved."""
    data = element("Data", {"code": world.SWITCH, "ki": world.SWITCH_KEY_INDEX})
    data.text = "QVBQUk9WRUQ="
    cred = element("Cred", {"type": "PreApproved", "subType": "NA"}, data)
    parts = [_info(deal.payer), _device(deal.payer), _account(deal.payer)]
    return _pay(deal, "DEBIT", [*parts, element("Creds", None, cred)], {"subType": "REFUND"})


def bare(api: str) -> Element:
    """Build a message of which only the name, the Head and the Txn are known."""
    deal = Deal(payer=STRANGER, payee=STRANGER)
    return codec.message(api, _head(), _transaction(deal, "PAY", {}))


def mandate(api: str) -> Element:
    """Build a message about a mandate, of the form that is public."""
    deal = Deal(payer=STRANGER, payee=STORE)
    attributes = {"initiationMode": "13", "purpose": "14", "initiatedBy": "PAYER"}
    amount = element("Amount", {"value": "499.00", "rule": "MAX"})
    rule = element("Rule", {"value": "5", "type": "ON"})
    facts = {
        "name": "Monthly plan", "txnId": deal.id, "umn": f"{deal.id}@smplbank", "ts": _now(),
        "revokeable": "Y", "shareToPayee": "Y", "type": "CREATE", "blockFund": "N",
    }  # fmt: skip
    asked = element(
        "Mandate",
        facts,
        element("Validity", {"start": "01122026", "end": "30112027"}),
        amount,
        element("Recurrence", {"pattern": "MONTHLY"}, rule),
    )
    parties_of = (
        _party("Payer", deal.payer, [_info(deal.payer)], deal),
        element("Payees", None, _party("Payee", deal.payee, [], deal)),
    )
    return codec.message(api, _head(), _transaction(deal, "CREATE", attributes), asked, *parties_of)


def complaint() -> Element:
    """Raise a complaint about a transaction that nobody knows."""
    deal = Deal(payer=STRANGER, payee=STORE)
    more = {
        "subType": "REMITTER", "orgTxnId": ids.new_id(_PREFIX), "orgRrn": deal.rrn,
        "orgTxnDate": _now(), "initiationMode": "U1",
    }  # fmt: skip
    facts = {
        "reqAdjFlag": "PBRB", "reqAdjCode": "U010", "reqAdjAmount": deal.amount,
        "orgSettRespCode": "RB", "currCycle": "N",
    }  # fmt: skip
    return codec.message(
        "ReqComplaint",
        _head(),
        _transaction(deal, "COMPLAINT", more),
        element("Complaint", facts),
    )


def confirmation(deal: Deal, status: str, code: str = "") -> Element:
    """Tell how a payment to an address ended."""
    outcome = {
        "note": deal.note,
        "orgStatus": status,
        "orgErrCode": code,
        "type": "PAY",
        "orgTxnId": deal.id,
    }
    return codec.message(
        "ReqTxnConfirmation",
        _head(),
        _transaction(deal, "TxnConfirmation", {"orgTxnId": deal.id}),
        element("TxnConfirmation", outcome),
    )


def check(deal: Deal, leg: str) -> Element:
    """Ask how a leg stands."""
    asking = replace(deal, id=ids.new_id(world.SWITCH_PREFIX))
    more = {"subType": leg, "orgTxnId": deal.id, "orgRrn": deal.rrn, "orgTxnDate": _now()}
    return codec.message("ReqChkTxn", _head(), _transaction(asking, "ChkTxn", more))


def heartbeat() -> Element:
    """Ask whether the bank is alive."""
    head = _head()
    message_id = head.get("msgId", "")
    transaction = {"id": message_id, "note": "hbt", "refId": message_id, "ts": _now()}
    return codec.message(
        "ReqHbt",
        head,
        element("Txn", transaction | {"type": "Hbt"}),
        element("HbtMsg", {"type": "ALIVE", "value": "NA"}),
    )


def pin_block(stage: Stage, deal: Deal, pin: str, *, number: str | None = None) -> str:
    """Encrypt a PIN as the switch does for the issuer, bound to a debit."""
    binding = credentials.IssuerBinding(
        "ReqPay", "DEBIT", deal.id, deal.amount, deal.payer.address, deal.payee.address
    )
    return credentials.make_issuer_block(
        pin,
        binding=binding,
        bank_code="EXB",
        account=deal.payer.number if number is None else number,
        issuer_key=stage.place.issuer_key(),
    )


def _pay(deal: Deal, kind: str, payer: list[Element], more: dict[str, str]) -> Element:
    meta = [
        element("Tag", {"name": name, "value": _now()}) for name in ("PAYREQSTART", "PAYREQEND")
    ]
    return codec.message(
        "ReqPay",
        _head(),
        element("Meta", None, *meta),
        _transaction(deal, kind, more),
        _party("Payer", deal.payer, payer, deal),
        element(
            "Payees",
            None,
            _party("Payee", deal.payee, [_info(deal.payee), _account(deal.payee)], deal),
        ),
    )


def _party(tag: str, side: Side, parts: list[Element], deal: Deal) -> Element:
    shown = {"addr": side.address, "name": side.name, "seqNum": "1"}
    amount = element("Amount", {"value": deal.amount, "curr": world.CURRENCY})
    return element(tag, shown | {"type": "PERSON", "code": "0000"}, *parts, amount)


def _transaction(deal: Deal, kind: str, more: dict[str, str]) -> Element:
    attributes = {
        "id": deal.id,
        "note": deal.note,
        "refId": deal.id,
        "ts": _now(),
        "type": kind,
        "custRef": deal.rrn,
        "initiationMode": "00",
        "purpose": "00",
        "refCategory": "00",
    }
    return element("Txn", attributes | more)


def _head() -> Element:
    return codec.head(world.SWITCH, ids.new_id(world.SWITCH_PREFIX))


def _info(side: Side) -> Element:
    identity = {"type": "ACCOUNT", "verifiedName": side.name, "id": side.number or "0"}
    rating = element("Rating", {"verifiedAddress": "TRUE"})
    return element("Info", None, element("Identity", identity), rating)


def _device(side: Side) -> Element:
    tags = {"MOBILE": side.mobile, "ID": side.device, "APP": side.app, **_TAGS}
    return element(
        "Device",
        None,
        *(element("Tag", {"name": name, "value": value}) for name, value in tags.items()),
    )


def _account(side: Side) -> Element:
    details = {"IFSC": side.ifsc, "ACTYPE": "SAVINGS", "ACNUM": side.number}
    return element(
        "Ac",
        {"addrType": "ACCOUNT"},
        *(element("Detail", {"name": name, "value": value}) for name, value in details.items()),
    )


def _now() -> str:
    return clock.iso(clock.now())
