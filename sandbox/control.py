"""The control door: start the other bank's payments, order faults, read the journal."""

import asyncio
import dataclasses
import datetime as dt
import re
from collections.abc import Awaitable, Callable

from aiohttp import web

from sandbox import control_body, dayfile, messages, orders, world
from sandbox.composition import Sandbox
from sandbox.control_body import Body, refuse
from sandbox.control_inbox import InboxDoor
from sandbox.control_keys import KeyDoor
from sandbox.control_links import LinkDoor
from sandbox.control_message import MessageDoor
from sandbox.control_page import PageDoor
from sandbox.member import Answered, NotAcked
from sandbox.orders import Orders
from sandbox.payment import Payment
from sandbox.scenario import Scenarios

_WAIT_SECONDS_MAX = 60
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_LEGS = {"DEBIT", "CREDIT"}


class ControlDoor:
    """JSON over HTTP for demonstrations and tests. It listens on this machine only."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._orders = Orders(sandbox)
        self._scenarios = Scenarios(self._orders)

    def application(self) -> web.Application:
        """Return the door's routes."""
        application = web.Application(middlewares=[control_body.problems])
        application.add_routes(
            [
                web.get("/healthz", self.healthz),
                web.post("/payments", self._obey(self._orders.pay, status=202)),
                web.post("/collects", self._obey(self._orders.collect, status=202)),
                web.post("/collects/{txn_id}/answer", self.answer_collect),
                web.post("/refunds", self._obey(self._orders.refund, status=202)),
                web.get("/payments/{txn_id}", self.payment),
                web.get("/journal", self.journal),
                web.get("/journal/positions", self.positions),
                web.get("/dayfile", self.dayfile),
                web.get("/book", self.book),
                web.post("/faults", self._obey(self._orders.fault, status=201)),
                web.get("/faults", self.faults),
                web.delete("/faults", self.end_faults),
                web.post("/clock", self._obey(self._orders.move_clock)),
                web.get("/clock", self.clock),
                web.delete("/clock", self.reset_clock),
                web.post("/timers", self._obey(self._orders.timers)),
                web.get("/timers", self.timers),
                web.post("/valadd", self._obey(self._orders.validate)),
                web.post("/listaccount", self._obey(self._orders.list_accounts)),
                web.post("/heartbeat", self.heartbeat),
                web.post("/heartbeats", self._obey(self._orders.heartbeats)),
                web.get("/heartbeats", self.heartbeats),
                web.post("/checks", self.check),
                web.post("/random_faults", self._obey(self._orders.random_faults, status=201)),
                web.get("/random_faults", self.random_faults),
                web.post("/scenario", self.start_scenario),
                web.get("/scenario", self.scenario),
                *PageDoor(self._sandbox, self._orders).routes(),
                *InboxDoor(self._sandbox.inbox).routes(),
                *MessageDoor(self._sandbox.bank).routes(),
                *KeyDoor(self._sandbox.keys).routes(),
                *LinkDoor(self._sandbox.keys).routes(),
            ]
        )
        application.on_cleanup.append(self.close)
        return application

    def run(self, steps: object) -> None:
        """Carry out a scenario that was given at the start. Raises ProblemError."""
        self._scenarios.start(steps)

    async def close(self, _application: web.Application) -> None:
        """Stop what still runs."""
        await self._scenarios.close()

    def _obey(
        self, order: Callable[[Body], Awaitable[dict[str, object]]], *, status: int = 200
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Return the handler that reads a body, carries the order out and shows what it did."""

        async def handle(request: web.Request) -> web.Response:
            body = await Body.read(request)
            return web.json_response(await order(body), status=status)

        return handle

    async def healthz(self, _request: web.Request) -> web.Response:
        """Say that the sandbox runs."""
        return web.json_response({"status": "ok"})

    async def payment(self, request: web.Request) -> web.Response:
        """Show a payment; `wait` holds the answer until it has ended, at most so many seconds."""
        wait_seconds = control_body.number(request.query.get("wait", "0"), most=_WAIT_SECONDS_MAX)
        found = await self._payment(request.match_info["txn_id"], wait_seconds=wait_seconds)
        return web.json_response(_shown(found))

    async def journal(self, request: web.Request) -> web.Response:
        """Show the messages and entries of one transaction, in order."""
        transaction_id = request.query.get("txn_id", "")
        journal = self._sandbox.journal
        found = await journal.payment(transaction_id)
        return web.json_response(
            {
                "payment": None if found is None else _shown(found),
                "messages": await journal.messages(transaction_id),
                "entries": await journal.entries(transaction_id),
            }
        )

    async def positions(self, request: web.Request) -> web.Response:
        """Show what a bank owes and is owed, by transaction and in sum, as the switch sees it."""
        org_id = request.query.get("org_id", world.BANK)
        if world.member(org_id) is None:
            refuse("unknown_bank", "org_id is no member")
        rows = await self._sandbox.journal.positions(org_id)
        payable = sum(_paise(row, "payable_paise") for row in rows)
        receivable = sum(_paise(row, "receivable_paise") for row in rows)
        return web.json_response(
            {
                "org_id": org_id,
                "payable_paise": payable,
                "receivable_paise": receivable,
                "net_paise": payable - receivable,
                "all_banks_paise": await self._sandbox.journal.sum_paise(),
                "transactions": rows,
            }
        )

    async def dayfile(self, request: web.Request) -> web.Response:
        """Write a bank's day file, as CSV with the raw v3 columns."""
        date, role = request.query.get("date", ""), request.query.get("role", "")
        org_id = request.query.get("org_id", world.BANK)
        if not _DATE.fullmatch(date):
            refuse("invalid", "date must be YYYY-MM-DD")
        if role and role not in dayfile.ROLES:
            refuse("invalid", f"role must be one of {', '.join(dayfile.ROLES)}")
        payments = await self._sandbox.journal.completed(date)
        text = dayfile.write(payments, org_id=org_id, role=role)
        return web.Response(text=text, content_type="text/csv")

    async def book(self, _request: web.Request) -> web.Response:
        """Show the other bank's balances; they sum to zero."""
        balances = await self._sandbox.book.balances()
        return web.json_response({"balances": balances, "sum_paise": sum(balances.values())})

    async def faults(self, _request: web.Request) -> web.Response:
        """Show all orders and how often each was met."""
        orders = [dataclasses.asdict(fault) for fault in self._sandbox.faults.orders]
        return web.json_response({"faults": orders})

    async def end_faults(self, _request: web.Request) -> web.Response:
        """Forget all orders, those by chance too."""
        await self._orders.end_faults(Body({}))
        return web.Response(status=204)

    async def random_faults(self, _request: web.Request) -> web.Response:
        """Show the faults by chance and how often each was met."""
        return web.json_response(self._orders.chance_shown())

    async def start_scenario(self, request: web.Request) -> web.Response:
        """Begin to carry out a list of steps."""
        started = self._scenarios.start(control_body.parse(await request.read()))
        return web.json_response(started.shown(), status=202)

    async def scenario(self, _request: web.Request) -> web.Response:
        """Show how far the latest scenario is."""
        if self._scenarios.latest is None:
            refuse("not_found", "no scenario was started", status=404)
        return web.json_response(self._scenarios.latest.shown())

    async def timers(self, _request: web.Request) -> web.Response:
        """Show the scale and the limits that follow from it."""
        return web.json_response(orders.limits(self._sandbox.timers))

    async def clock(self, _request: web.Request) -> web.Response:
        """Show the switch's time."""
        return web.json_response(orders.time_shown())

    async def reset_clock(self, _request: web.Request) -> web.Response:
        """Put the clock back to the machine's."""
        return web.json_response(await self._orders.set_clock(dt.timedelta(0)))

    async def answer_collect(self, request: web.Request) -> web.Response:
        """Let a payer of another bank answer a collect."""
        body = await Body.read(request)
        body.add("txn_id", request.match_info["txn_id"])
        return web.json_response(await self._orders.answer(body))

    async def heartbeat(self, _request: web.Request) -> web.Response:
        """Ask the bank whether it is alive, and say what it answered."""
        return web.json_response(_heard(await self._sandbox.heartbeats.beat()))

    async def heartbeats(self, _request: web.Request) -> web.Response:
        """Show how often the switch asks whether the bank is alive, and what it knows."""
        return web.json_response(self._sandbox.heartbeats.shown())

    async def check(self, request: web.Request) -> web.Response:
        """Ask a bank how its leg of a payment stands, and say what it answered."""
        body = await Body.read(request)
        transaction_id = body.text("txn_id")
        leg = body.choice("leg", sorted(_LEGS))
        body.end()
        payment = await self._payment(transaction_id)
        org_id = payment.remitter if leg == "DEBIT" else payment.beneficiary
        if org_id not in self._sandbox.members:
            refuse("no_leg", "the payment has no such leg", status=409)
        limit = self._sandbox.timers.check_seconds
        member = self._sandbox.members[org_id]
        outcome = await member.ask(messages.check_request(payment, leg), limit_seconds=limit)
        return web.json_response(_heard(outcome))

    async def _payment(self, transaction_id: str, *, wait_seconds: float = 0) -> Payment:
        limit = asyncio.timeout(wait_seconds)
        found = await self._sandbox.machine.payment(transaction_id, limit=limit)
        if found is None:
            refuse("not_found", "the switch never saw this payment", status=404)
        return found


def _shown(payment: Payment) -> dict[str, object]:
    return {
        "txn_id": payment.transaction_id,
        "kind": str(payment.kind),
        "original_id": payment.original_id,
        "rrn": payment.rrn,
        "status": str(payment.verdict.status),
        "code": payment.verdict.code if payment.is_final else "",
        "raw_code": payment.verdict.raw_code if payment.is_final else "",
        "stage": str(payment.stage),
        "amount_paise": payment.amount_paise,
        "payer": payment.payer_address,
        "payee": payment.payee_address,
        "payer_psp": payment.payer_psp,
        "payee_psp": payment.payee_psp,
        "remitter": payment.remitter,
        "beneficiary": payment.beneficiary,
        "created_at": payment.created_at,
        "completed_at": payment.completed_at,
        "expires_at": payment.expires_at,
        "refs": [payment.payer_reference, payment.payee_reference],
    }


def _heard(outcome: object) -> dict[str, str]:
    if isinstance(outcome, Answered):
        return {"outcome": "ANSWERED", "result": outcome.envelope.result, "code": outcome.code}
    if isinstance(outcome, NotAcked):
        return {"outcome": "NOT_ACKED", "code": outcome.code}
    return {"outcome": "SILENT"}


def _paise(row: dict[str, object], name: str) -> int:
    value = row[name]
    assert isinstance(value, int), f"{name} is an INTEGER column"
    return value
