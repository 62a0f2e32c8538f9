"""What the other banks' customers begin: payments, collects and refunds of their shops."""

from collections.abc import Callable
from dataclasses import dataclass

from sandbox import clock, codec, gate, ids, intake, parties, pin_page, world
from sandbox.codec import element
from sandbox.journal import Journal
from sandbox.machine import Machine
from sandbox.own_keys import OwnKey
from sandbox.payment import Payment

# "00" and the bank's own reference, in base64: the shop's bank has approved the debit itself.
_PRE_APPROVED = "MDB8NjExNDI1"


class RefusedOrderError(Exception):
    """The switch would not take this payment; the code says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectOrder:
    """What a shop of another bank asks for. Without a Txn.id it gets a new one."""

    payer: str
    payee: str
    amount_paise: int
    note: str
    reference_id: str
    expire_minutes: int
    transaction_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentOrder:
    """What a customer of another bank enters. Without a Txn.id the payment gets a new one."""

    payer: str
    payee: str
    amount_paise: int
    note: str
    reference_id: str
    is_pin_wrong: bool
    transaction_id: str = ""


class Customers:
    """The other banks' apps: they make the same ReqPay that any PSP makes."""

    def __init__(
        self, *, machine: Machine, journal: Journal, switch_key: Callable[[], OwnKey]
    ) -> None:
        self._machine = machine
        self._journal = journal
        self._switch_key = switch_key

    async def pay(self, person: world.Person, order: PaymentOrder) -> str:
        """
        Start a payment and return its Txn.id.

        Raises RefusedOrderError.
        """
        amount = codec.rupees(order.amount_paise)
        transaction = _transaction(person, "PAY", order)
        payer = parties.payer_party(person, order.payer)
        payer.append(
            pin_page.pin_credentials(
                payer,
                transaction_id=transaction.get("id", ""),
                amount=amount,
                payee=order.payee,
                pin=pin_page.entered(person.pin, is_wrong=order.is_pin_wrong),
                switch_key=self._switch_key(),
            )
        )
        payer.append(element("Amount", {"value": amount, "curr": world.CURRENCY}))
        asked = parties.bare_party("Payee", order.payee, amount)
        return await self._begin(person, transaction, payer, asked)

    async def collect(self, shop: world.Person, order: CollectOrder) -> str:
        """
        Let a shop ask for money and return the Txn.id.

        Raises RefusedOrderError.
        """
        amount = codec.rupees(order.amount_paise)
        transaction = _transaction(shop, "COLLECT", order)
        rule = {"name": "EXPIREAFTER", "value": str(order.expire_minutes)}
        transaction.append(element("Rules", None, element("Rule", rule)))
        asked = parties.bare_party("Payer", order.payer, amount)
        return await self._begin(
            shop, transaction, asked, parties.payee_party(shop, amount, order.payee)
        )

    async def refund(
        self,
        shop: world.Person,
        *,
        original: Payment,
        amount_paise: int,
        transaction_id: str,
    ) -> str:
        """
        Let a shop give money back and return the refund's Txn.id.

        Raises RefusedOrderError.
        """
        amount = codec.rupees(amount_paise)
        order = PaymentOrder(
            payer=shop.address,
            payee=original.payer_address,
            amount_paise=amount_paise,
            note="refund",
            reference_id="",
            is_pin_wrong=False,
            transaction_id=transaction_id,
        )
        transaction = _transaction(shop, "REFUND", order, original_id=original.transaction_id)
        payer = parties.payer_party(shop)
        data = element("Data", {"code": world.SWITCH, "ki": world.SWITCH_KEY_INDEX})
        data.text = _PRE_APPROVED
        cred = element("Cred", {"type": "PreApproved", "subType": "NA"}, data)
        payer.append(element("Creds", None, cred))
        payer.append(element("Amount", {"value": amount, "curr": world.CURRENCY}))
        payee = parties.bare_party("Payee", original.payer_address, amount)
        return await self._begin(shop, transaction, payer, payee)

    async def _begin(
        self,
        person: world.Person,
        transaction: codec.Element,
        payer: codec.Element,
        payee: codec.Element,
    ) -> str:
        root = codec.message(
            "ReqPay",
            codec.head(person.org_id, ids.new_id(world.organisation(person.org_id).prefix)),
            transaction,
            payer,
            element("Payees", None, payee),
        )
        envelope = codec.envelope(root)
        if code := gate.refusal_of_payment(envelope):
            raise RefusedOrderError(code)
        payment = intake.payment_of(envelope)
        if not await self._journal.begin(payment):
            raise RefusedOrderError("U01")
        self._machine.start(payment)
        return payment.transaction_id


def _transaction(
    person: world.Person, kind: str, order: PaymentOrder | CollectOrder, *, original_id: str = ""
) -> codec.Element:
    bank = world.organisation(person.org_id)
    attributes = {
        "id": order.transaction_id or ids.new_id(bank.prefix),
        "note": order.note,
        "refId": order.reference_id or ids.new_id(bank.prefix),
        "refUrl": f"https://{bank.handles[0]}.example/pay",
        "ts": clock.iso(clock.now()),
        "type": kind,
        "custRef": ids.new_reference(),
        "orgTxnId": original_id,
        "initiationMode": "00",
        "purpose": "00",
        "refCategory": "00",
    }
    return element("Txn", {name: value for name, value in attributes.items() if value})
