"""What the sandbox can be ordered to do, by the control door or by a scenario."""

import asyncio
import dataclasses
import datetime as dt

from sandbox import clock, codec, magic, parties, timers, world
from sandbox.chance import Chance
from sandbox.composition import CLOCK_SETTING, Sandbox
from sandbox.control_body import Body, refuse
from sandbox.customers import CollectOrder, PaymentOrder, RefusedOrderError
from sandbox.faults import BY_CHANCE, NOT_INCOMING, NOT_OUTGOING, Action, Direction, Fault
from sandbox.member import Answered, NotAcked, Outcome
from sandbox.timers import Timers

_AMOUNT_PAISE_MAX = 10**12
_COUNT_MAX = 1_000_000
_SECONDS_MAX = 3600
_EXPIRE_MINUTES = 30
_EXPIRE_MINUTES_MAX = 64_800
_DECLINED = "ZA"
_DELAY_SECONDS = 20.0
_WAIT_SECONDS = 20.0
_ADVANCE_SECONDS_MAX = 10 * 366 * 86400

Done = dict[str, object]


class Orders:
    """Each order reads its body strictly, does what it says, and returns what became of it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def pay(self, body: Body) -> Done:
        """Let a customer of another bank pay someone."""
        payer, payee = body.text("payer", default="ravi@smplbank"), body.text("payee")
        amount_paise = body.integer("amount_paise", least=1, most=_AMOUNT_PAISE_MAX)
        behaviour = magic.payer_behaviour(payer, amount_paise)
        is_typed_wrong = body.boolean("wrong_pin")
        order = PaymentOrder(
            payer=payer,
            payee=payee,
            amount_paise=amount_paise,
            note=body.text("note", default="payment"),
            reference_id=body.text("ref_id", default=""),
            is_pin_wrong=is_typed_wrong or (behaviour is not None and behaviour.is_pin_wrong),
            transaction_id=body.text("txn_id", default=""),
        )
        body.end()
        person = parties.person_of(payer)
        is_magic = world.handle_of(payer) == world.MAGIC_HANDLE
        if person is None or (is_magic and behaviour is None):
            refuse("unknown_payer", "payer is no customer of another bank")
        try:
            transaction_id = await self._sandbox.customers.pay(person, order)
        except RefusedOrderError as refusal:
            refuse("refused_by_switch", refusal.code, status=422)
        return {"txn_id": transaction_id}

    async def collect(self, body: Body) -> Done:
        """Let a shop of another bank ask someone for money."""
        payee = body.text("payee", default="store1@smplbank")
        shop = parties.person_of(payee)
        order = CollectOrder(
            payee=payee,
            payer=body.text("payer"),
            note=body.text("note", default="order"),
            reference_id=body.text("ref_id", default=""),
            amount_paise=body.integer("amount_paise", least=1, most=_AMOUNT_PAISE_MAX),
            expire_minutes=body.integer(
                "expire_minutes", least=1, most=_EXPIRE_MINUTES_MAX, default=_EXPIRE_MINUTES
            ),
            transaction_id=body.text("txn_id", default=""),
        )
        body.end()
        is_magic = world.handle_of(payee) == world.MAGIC_HANDLE
        if shop is None or (is_magic and magic.behaviour(payee) is None):
            refuse("unknown_payee", "payee is no shop of another bank")
        if is_magic:
            shop = dataclasses.replace(shop, category_code=world.MAGIC_SHOP_CODE)
        try:
            transaction_id = await self._sandbox.customers.collect(shop, order)
        except RefusedOrderError as refusal:
            refuse("refused_by_switch", refusal.code, status=422)
        return {"txn_id": transaction_id}

    async def answer(self, body: Body) -> Done:
        """Let a payer of another bank answer a collect that waits for him."""
        transaction_id = body.text("txn_id")
        action = body.choice("action", ["approve", "decline"])
        code = body.text("code", default=_DECLINED)
        body.end()
        answer = "" if action == "approve" else code
        if not any(bank.decide(transaction_id, answer) for bank in self._sandbox.others.values()):
            refuse("not_waiting", "no payer of another bank is asked for this", status=409)
        return {"txn_id": transaction_id, "action": action}

    async def refund(self, body: Body) -> Done:
        """Let a shop of another bank give back a payment, or a part of it."""
        original = await self._sandbox.machine.payment(body.text("txn_id"))
        if original is None:
            refuse("not_found", "the switch never saw this payment", status=404)
        amount_paise = body.integer(
            "amount_paise", least=1, most=_AMOUNT_PAISE_MAX, default=original.amount_paise
        )
        refund_id = body.text("refund_txn_id", default="")
        body.end()
        shop = parties.person_of(original.payee_address)
        if shop is None:
            refuse("unknown_payee", "the payment went to no shop of another bank")
        try:
            transaction_id = await self._sandbox.customers.refund(
                shop, original=original, amount_paise=amount_paise, transaction_id=refund_id
            )
        except RefusedOrderError as refusal:
            refuse("refused_by_switch", refusal.code, status=422)
        return {"txn_id": transaction_id}

    async def validate(self, body: Body) -> Done:
        """Let another bank ask who is behind an address."""
        address = body.text("addr")
        asker = self._asker(body)
        body.end()
        if world.member_of_handle(world.handle_of(address)) is None:
            refuse("unknown_handle", "no bank answers for this handle")
        return _told(await self._sandbox.meta.validate(asker, address))

    async def list_accounts(self, body: Body) -> Done:
        """Let another bank ask an account provider for the accounts of a mobile number."""
        mobile, ifsc = body.text("mobile"), body.text("ifsc")
        asker = self._asker(body)
        body.end()
        if world.member_of_ifsc(ifsc) is None:
            refuse("unknown_ifsc", "no bank has this branch")
        return _told(await self._sandbox.meta.list_accounts(asker, mobile=mobile, ifsc=ifsc))

    def _asker(self, body: Body) -> world.Organisation:
        org_id = body.text("org_id", default=world.OTHER_BANK)
        if org_id not in self._sandbox.others:
            refuse("unknown_bank", "org_id is no other bank")
        return world.organisation(org_id)

    async def fault(self, body: Body) -> Done:
        """Order a fault for the next messages that match."""
        match = body.object("match")
        fault = Fault(
            direction=Direction(match.choice("direction", list(Direction))),
            action=Action(body.choice("action", list(Action))),
            api=match.text("api", default=""),
            type=match.text("type", default=""),
            sub_type=match.text("sub_type", default=""),
            transaction_id=match.text("txn_id", default=""),
            count=body.integer("count", least=1, most=_COUNT_MAX, default=1),
            seconds=body.number("seconds", most=_SECONDS_MAX),
            code=body.text("code", default="U08"),
        )
        match.end()
        body.end()
        wrong = NOT_INCOMING if fault.direction is Direction.IN else NOT_OUTGOING
        if fault.action in wrong:
            refuse("invalid", f"{fault.action} is not possible for direction {fault.direction}")
        self._sandbox.faults.orders.append(fault)
        return dataclasses.asdict(fault)

    async def end_faults(self, body: Body) -> Done:
        """Forget all orders and all faults by chance."""
        body.end()
        self._sandbox.faults.orders.clear()
        self._sandbox.faults.chance = None
        return {}

    async def random_faults(self, body: Body) -> Done:
        """Let a seed decide which messages meet a fault."""
        seed = body.integer("seed", least=0, most=2**63)
        rates = body.rates("rates", BY_CHANCE)
        delay_seconds = body.number("delay_seconds", most=_SECONDS_MAX) or _DELAY_SECONDS
        body.end()
        self._sandbox.faults.chance = Chance(seed, rates, delay_seconds)
        return self.chance_shown()

    def chance_shown(self) -> Done:
        """Show the faults by chance and how often each was met."""
        chance = self._sandbox.faults.chance
        if chance is None:
            return {"seed": None, "rates": {}, "met": {}}
        return {"seed": chance.seed, "rates": dict(chance.rates), "met": dict(chance.met)}

    async def wait(self, body: Body) -> Done:
        """Wait for the end of a payment, or only some seconds of the machine's time."""
        transaction_id = body.text("txn_id", default="")
        seconds = body.number("seconds", most=_SECONDS_MAX) or _WAIT_SECONDS
        body.end()
        if not transaction_id:
            await asyncio.sleep(seconds)
            return {}
        found = await self._sandbox.machine.payment(transaction_id, limit=asyncio.timeout(seconds))
        if found is None:
            refuse("not_found", "the switch never saw this payment", status=404)
        return {
            "txn_id": found.transaction_id,
            "status": str(found.verdict.status),
            "code": found.verdict.code if found.is_final else "",
        }

    async def move_clock(self, body: Body) -> Done:
        """Move the clock by which the switch dates its messages and ends its days."""
        seconds = body.number("advance_seconds", most=_ADVANCE_SECONDS_MAX)
        body.end()
        return await self.set_clock(clock.ahead() + dt.timedelta(seconds=seconds))

    async def set_clock(self, ahead: dt.timedelta) -> Done:
        """Set how far the clock is ahead of the machine's, now and after a restart."""
        if ahead > dt.timedelta(seconds=_ADVANCE_SECONDS_MAX):
            refuse("invalid", "the clock is not moved further than ten years")
        await self._sandbox.journal.set_setting(CLOCK_SETTING, str(ahead.total_seconds()))
        clock.set_ahead(ahead)
        return time_shown()

    async def heartbeats(self, body: Body) -> Done:
        """Ask the bank this often whether it is alive; zero seconds end it."""
        seconds = body.number("every_seconds", most=_SECONDS_MAX)
        body.end()
        await self._sandbox.heartbeats.set_interval(seconds)
        return self._sandbox.heartbeats.shown()

    async def timers(self, body: Body) -> Done:
        """Change the scale of every wait that begins from now on."""
        scale = body.number("scale", least=timers.SCALE_MIN, most=timers.SCALE_MAX)
        body.end()
        self._sandbox.timers.scale = scale
        return limits(self._sandbox.timers)


def _told(outcome: Outcome) -> Done:
    """Show what a bank said, as it is written in its answer."""
    if isinstance(outcome, NotAcked):
        return {"outcome": "NOT_ACKED", "code": outcome.code}
    if not isinstance(outcome, Answered):
        return {"outcome": "SILENT"}
    root = outcome.envelope.root
    response = root.find("Resp")
    return {
        "outcome": "ANSWERED",
        "txn_id": outcome.envelope.transaction_id,
        "result": outcome.envelope.result,
        "code": outcome.envelope.code,
        "response": {} if response is None else codec.attributes(response),
        "is_merchant": root.find("Resp/Merchant") is not None,
        "accounts": [codec.attributes(found) for found in root.iterfind("AccountList/Account")],
    }


def time_shown() -> Done:
    """Show the switch's time."""
    return {"now": clock.iso(clock.now()), "ahead_seconds": clock.ahead().total_seconds()}


def limits(switch: Timers) -> Done:
    """Show the scale and the limits that follow from it."""
    return {
        "scale": switch.scale,
        "leg_seconds": switch.leg_seconds,
        "reversal_seconds": switch.reversal_seconds,
        "check_seconds": switch.check_seconds,
    }
