"""The switch's hand: sends us exactly the messages a test wants, in the order it wants them."""

import datetime as dt
import itertools
from dataclasses import dataclass, field, replace

from lxml import etree

from apps.accounts.contracts import DebitCard
from apps.common import clock, ids
from apps.common.money import Money
from apps.common.secret import Secret
from apps.payments.models import Leg, LegHistory
from apps.payments.services.advance import advance
from apps.payments.states import Role
from apps.upi import codec
from apps.upi.contracts import (
    AccountAddress,
    Credential,
    Device,
    Head,
    Info,
    MerchantBlock,
    Message,
    Party,
    Ref,
    ReqAuthDetails,
    ReqChkTxn,
    ReqPay,
    ReqTxnConfirmation,
    Resp,
    RespChkTxn,
    RespPay,
    Rule,
    Txn,
    TxnConfirmation,
)
from apps.upi.services.deliver import deliver_due
from hsm.pin import PinBinding
from tests.accounts.issuer import CARD, Issuer, credential
from tests.upi import wire
from tests.upi.conftest import Answered, Door
from tests.upi.switch import Switch

_rrns = itertools.count(1)
PIN = "123456"
ROUNDS_MAX = 200


@dataclass(frozen=True, slots=True)
class Side:
    """A payer or a payee: an address, a name, and the account behind them."""

    address: str
    number: str
    ifsc: str = "EXBK0000001"
    name: str = "ASHA RAO"
    mobile: str | None = "919800000001"
    merchant: MerchantBlock | None = None

    def party(self, amount: Money, *, has_account: bool = True, **more) -> Party:
        account = AccountAddress(ifsc=self.ifsc, account_type="SAVINGS", account_number=self.number)
        return Party(
            addr=self.address,
            name=self.name,
            type="ENTITY" if self.merchant else "PERSON",
            code=self.merchant.sub_code if self.merchant else "0000",
            info=Info(identity_type="ACCOUNT", verified_name=self.name),
            ac=account if has_account else None,
            amount=amount,
            merchant=self.merchant if has_account else None,
            **more,
        )


@dataclass(frozen=True, slots=True)
class Deal:
    """A payment as the switch knows it."""

    payer: Side
    payee: Side
    paise: int = 14950
    id: str = field(default_factory=lambda: ids.new_upi_id("SMP"))
    rrn: str = field(default_factory=lambda: f"6327{next(_rrns):08d}")
    note: str = "order 1"
    reference: str = "ORD1"
    at: dt.datetime = field(default_factory=clock.now)

    @property
    def amount(self) -> Money:
        return Money(self.paise)

    def txn(self, kind: str, **more) -> Txn:
        facts = {
            "id": self.id,
            "ts": self.at,
            "type": kind,
            "note": self.note,
            "ref_id": self.reference,
            "cust_ref": self.rrn,
            "initiation_mode": "00",
            "purpose": "00",
            "ref_category": "00",
        }
        return Txn(**{**facts, **more})

    def binding(self) -> PinBinding:
        return PinBinding(
            "ReqPay",
            "DEBIT",
            self.id,
            self.amount.as_rupees(),
            self.payer.address,
            self.payee.address,
        )


class Hand:
    """Speaks for the switch, and hears what we post to it."""

    def __init__(self, door: Door, switch: Switch, issuer: Issuer) -> None:
        self.door = door
        self.switch = switch
        self.issuer = issuer

    def account(
        self, number: str = "001234567890", *, paise: int = 100_000, mobile: str = "919800000001"
    ) -> Side:
        """Open an account of this bank with a PIN, and return its owner as a side."""
        self.issuer.open_with_pin(PIN, paise=paise, number=number, mobile=mobile, card=CARD)
        return Side(address=f"u{number}@exbank", number=number, mobile=mobile)

    def plain_account(self, number: str, *, paise: int = 0, mobile: str = "919800000002") -> Side:
        """Open an account without a PIN: it can only be credited."""
        card = DebitCard("654321", "1239")
        self.issuer.open(number=number, mobile=mobile, card=card, paise=paise)
        return Side(address=f"u{number}@exbank", number=number, mobile=mobile, name="RAVI IYER")

    def send(self, message: Message) -> Answered:
        return self.door.send(etree.fromstring(codec.encode(message)))

    def debit(
        self, deal: Deal, *, pin: str = PIN, creds=None, at=None, device_id=None, **txn
    ) -> "Sent":
        if creds is None:
            creds = (credential(pin, deal.binding(), number=deal.payer.number),)
        device = Device(mobile=deal.payer.mobile, type="MOB", id=device_id)
        return self._ask(
            ReqPay(
                head=head(at),
                txn=deal.txn("DEBIT", **{"sub_type": "PAY", **txn}),
                payer=deal.payer.party(deal.amount, device=device, creds=creds),
                payee=deal.payee.party(deal.amount),
            )
        )

    def credit(self, deal: Deal, *, at=None, **txn) -> "Sent":
        return self._ask(
            ReqPay(
                head=head(at),
                txn=deal.txn("CREDIT", **{"sub_type": "PAY", **txn}),
                payer=deal.payer.party(deal.amount),
                payee=deal.payee.party(deal.amount),
            )
        )

    def reversal(self, deal: Deal, kind: str, **txn) -> "Sent":
        facts = {
            "id": ids.new_upi_id("NPC"),
            "ts": clock.now(),
            "sub_type": kind,
            "org_txn_id": deal.id,
            "org_resp_code": "U68",
            "org_rrn": deal.rrn,
            "org_txn_date": deal.at,
        }
        return self._ask(
            ReqPay(
                head=head(),
                txn=deal.txn("REVERSAL", **{**facts, **txn}),
                payer=deal.payer.party(deal.amount),
                payee=deal.payee.party(deal.amount),
            )
        )

    def authorise(self, deal: Deal) -> "Sent":
        return self._ask(
            ReqAuthDetails(
                head=head(),
                txn=deal.txn("PAY", sub_type="PAY"),
                payer=deal.payer.party(deal.amount, has_account=False),
                payee=deal.payee.party(deal.amount, has_account=False),
            )
        )

    def collect(self, deal: Deal, *, minutes: int | None = 30, **txn) -> "Sent":
        """Ask a payer of ours for money, on behalf of the payee."""
        rules = () if minutes is None else (Rule(name="EXPIREAFTER", value=str(minutes)),)
        payee = deal.payee.party(deal.amount, has_account=False)
        return self._ask(
            ReqAuthDetails(
                head=head(),
                txn=deal.txn("COLLECT", **{"sub_type": "COLLECT", "rules": rules, **txn}),
                payer=replace(deal.payer.party(deal.amount, has_account=False), info=None),
                payee=replace(payee, merchant=deal.payee.merchant),
            )
        )

    def refund_debit(self, deal: Deal, **more) -> "Sent":
        """Take a refund's money from the merchant: nobody gives a PIN."""
        approval = Credential(
            type="PreApproved", sub_type="NA", code="NPCI", ki="20150822", data=Secret("QVBQ")
        )
        return self.debit(deal, creds=(approval,), sub_type="REFUND", **more)

    def confirm(
        self, deal: Deal, status: str = "SUCCESS", code: str = "", *, kind: str = "PAY"
    ) -> "Sent":
        confirmation = TxnConfirmation(
            org_status=status,
            org_err_code=code,
            type=kind,
            org_txn_id=deal.id,
            refs=_refs(deal, status, code, deal.paise),
        )
        return self._ask(
            ReqTxnConfirmation(
                head=head(),
                txn=deal.txn("TxnConfirmation", org_txn_id=deal.id),
                txn_confirmation=confirmation,
            )
        )

    def check(self, deal: Deal, sub_type: str = "DEBIT") -> "Sent":
        return self._ask(
            ReqChkTxn(
                head=head(),
                txn=deal.txn(
                    "ChkTxn",
                    id=ids.new_upi_id("NPC"),
                    sub_type=sub_type,
                    org_txn_id=deal.id,
                    org_rrn=deal.rrn,
                    org_txn_date=deal.at,
                ),
            )
        )

    def answer_payment(
        self,
        deal: Deal,
        result: str = "SUCCESS",
        code: str = "",
        *,
        paise: int | None = None,
        kind: str = "PAY",
        is_settled: bool = True,
    ) -> Answered:
        """Answer the ReqPay that we sent last for it; not settled, it says that nothing moved."""
        request = self.posted("ReqPay", deal.id)[-1]
        original = request.find("Txn").get("orgTxnId")
        resp = self._resp(request, deal, result, code, paise)
        if not is_settled:
            unmoved = tuple(replace(ref, sett_amount=Money(0)) for ref in resp.refs)
            resp = replace(resp, refs=unmoved)
        txn = deal.txn(kind, sub_type=kind, org_txn_id=original)
        return self.send(RespPay(head=head(), txn=txn, resp=resp))

    def answer_check(
        self,
        deal: Deal,
        result: str = "SUCCESS",
        code: str = "",
        *,
        paise: int | None = None,
        **told,
    ) -> Answered:
        """Answer the last ReqChkTxn that we sent about the payment."""
        request = [
            root for root in self.posted("ReqChkTxn") if root.find("Txn").get("orgTxnId") == deal.id
        ][-1]
        asked = request.find("Txn")
        facts = {"id": asked.get("id"), "sub_type": asked.get("subType"), "org_txn_id": deal.id}
        txn = deal.txn("ChkTxn", **{**facts, **told})
        return self.send(
            RespChkTxn(head=head(), txn=txn, resp=self._resp(request, deal, result, code, paise))
        )

    def posted(self, api: str, transaction_id: str | None = None) -> list[etree._Element]:
        """Return what we posted, in order."""
        return [
            root
            for root in [posted.root for posted in self.switch.posted]
            if etree.QName(root).localname == api
            and (transaction_id is None or root.find("Txn").get("id") == transaction_id)
        ]

    def answers(self, sent: "Sent") -> list[etree._Element]:
        """Return our answers to a message, each time that we posted one."""
        roots = [posted.root for posted in self.switch.posted]
        return [
            root
            for root in roots
            if (resp := root.find("Resp")) is not None and resp.get("reqMsgId") == sent.message_id
        ]

    def code(self, sent: "Sent") -> str:
        """Return the code that we answered a message with, "00" for success."""
        (answer,) = self.answers(sent)[-1:] or [None]
        assert answer is not None, "it was not answered"
        resp = answer.find("Resp")
        return resp.get("errCode") or ("00" if resp.get("result") == "SUCCESS" else "?")

    def _ask(self, message: Message) -> "Sent":
        root = etree.fromstring(codec.encode(message))
        return Sent(message, self.door.send(root), root, self)

    def _resp(self, request, deal: Deal, result: str, code: str, paise: int | None) -> Resp:
        return Resp(
            req_msg_id=request.find("Head").get("msgId"),
            result=result,
            err_code=code,
            refs=_refs(deal, result, code, deal.paise if paise is None else paise),
        )


def _refs(deal: Deal, result: str, code: str, paise: int) -> tuple[Ref, ...]:
    return tuple(
        Ref(
            type=kind,
            addr=side.address,
            sett_amount=Money(0 if result == "FAILURE" else paise),
            org_amount=Money(paise),
            approval_num="000123",
            resp_code=code or "00",
        )
        for kind, side in (("PAYER", deal.payer), ("PAYEE", deal.payee))
    )


@dataclass
class Sent:
    """A message that the switch sent us, and our Ack."""

    message: Message
    ack: Answered
    root: etree._Element
    hand: Hand

    @property
    def message_id(self) -> str:
        return self.message.head.msg_id

    @property
    def err(self) -> str:
        return self.ack.err

    @property
    def code(self) -> str:
        return self.hand.code(self)

    def again(self, **head_changes) -> "Sent":
        """Send the same content under a new msgId."""
        message = replace(self.message, head=replace(head(), **head_changes))
        return self.hand._ask(message)


def head(at: dt.datetime | None = None) -> Head:
    return Head(ts=at or clock.now(), org_id="NPCI", msg_id=wire.new_id())


def drain(*roles: Role) -> int:
    """Do all that is due for these roles (all, unless told), and deliver what is to be answered."""
    done = 0
    for _ in range(ROUNDS_MAX):
        taken = sum(advance(role) for role in roles or Role) + deliver_due()
        if not taken:
            return done
        done += taken
    raise AssertionError("the work does not end")


def leg(deal: Deal, role: Role, kind: str | None = None) -> Leg:
    legs = Leg.objects.filter(transaction_id=deal.id, role=role)
    return (legs.filter(kind=kind) if kind else legs).get()


def state(deal: Deal, role: Role, kind: str | None = None) -> str:
    return leg(deal, role, kind).state


def history(deal: Deal, role: Role, kind: str | None = None) -> list[str]:
    """Return every state that a leg was in, in order."""
    found = leg(deal, role, kind)
    moves = list(LegHistory.objects.filter(leg_id=found.pk).order_by("at", "id"))
    if not moves:
        return [found.state]
    return [moves[0].source, *[move.target for move in moves]]
