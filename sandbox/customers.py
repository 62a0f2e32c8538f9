"""Payments that the other bank's customers start, from their own phones."""

from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox import clock, codec, credentials, gate, ids, parties, world
from sandbox.codec import element
from sandbox.journal import Journal
from sandbox.machine import Machine
from sandbox.receiver import payment_of

_BANK = next(each for each in world.MEMBERS if each.org_id == world.OTHER_BANK)


class RefusedOrderError(Exception):
    """The switch would not take this payment; the code says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Customers:
    """The other bank's app: it makes the same ReqPay(PAY) that any PSP makes."""

    def __init__(self, *, machine: Machine, journal: Journal, switch_key: rsa.RSAPublicKey) -> None:
        self._machine = machine
        self._journal = journal
        self._switch_key = switch_key

    async def pay(  # noqa: PLR0913 - what a person sees and chooses
        self,
        person: world.Person,
        *,
        payee: str,
        amount_paise: int,
        note: str,
        reference_id: str,
        is_pin_wrong: bool,
        transaction_id: str = "",
    ) -> str:
        """
        Start a payment and return its Txn.id.

        Raises RefusedOrderError.
        """
        root = self._request(
            person,
            payee=payee,
            amount=codec.rupees(amount_paise),
            note=note,
            reference_id=reference_id,
            transaction_id=transaction_id or ids.new_id(_BANK.prefix),
            pin=_other_pin(person.pin) if is_pin_wrong else person.pin,
        )
        envelope = codec.envelope(root)
        if code := gate.refusal_of_payment(envelope):
            raise RefusedOrderError(code)
        payment = payment_of(envelope)
        if not await self._journal.begin(payment):
            raise RefusedOrderError("U01")
        self._machine.start(payment)
        return payment.transaction_id

    def _request(  # noqa: PLR0913 - as above
        self,
        person: world.Person,
        *,
        payee: str,
        amount: str,
        note: str,
        reference_id: str,
        transaction_id: str,
        pin: str,
    ) -> codec.Element:
        transaction = {
            "id": transaction_id,
            "note": note,
            "refId": reference_id or ids.new_id(_BANK.prefix),
            "refUrl": "https://smplbank.example/pay",
            "ts": clock.iso(clock.now()),
            "type": "PAY",
            "custRef": ids.new_reference(),
            "initiationMode": "00",
            "purpose": "00",
            "refCategory": "00",
        }
        payer = parties.payer_party(person)
        payer.append(self._credentials(payer, transaction["id"], amount, payee, pin))
        payer.append(element("Amount", {"value": amount, "curr": world.CURRENCY}))
        shown = {"addr": payee, "name": payee, "seqNum": "1", "type": "PERSON", "code": "0000"}
        asked = element(
            "Payee", shown, element("Amount", {"value": amount, "curr": world.CURRENCY})
        )
        return codec.message(
            "ReqPay",
            codec.head(_BANK.org_id, ids.new_id(_BANK.prefix)),
            element("Txn", transaction),
            payer,
            element("Payees", None, asked),
        )

    def _credentials(
        self, payer: codec.Element, transaction_id: str, amount: str, payee: str, pin: str
    ) -> codec.Element:
        binding = credentials.DeviceBinding(
            transaction_id=transaction_id,
            amount=amount,
            payer=payer.get("addr", ""),
            payee=payee,
            mobile=codec.device_tag(payer, "MOBILE"),
            device_id=codec.device_tag(payer, "ID"),
            app_id=codec.device_tag(payer, "APP"),
        )
        data = element("Data", {"code": world.SWITCH, "ki": world.SWITCH_KEY_INDEX})
        data.text = credentials.make_device_block(
            pin, sub_type="MPIN", binding=binding, switch_key=self._switch_key
        )
        return element("Creds", None, element("Cred", {"type": "PIN", "subType": "MPIN"}, data))


def _other_pin(pin: str) -> str:
    return "0" * len(pin) if pin != "0" * len(pin) else "1" * len(pin)
