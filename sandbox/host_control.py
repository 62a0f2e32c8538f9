"""The control door of the core-banking host: accounts, faults, cut-over, journal, day files."""

import csv
import dataclasses
import datetime as dt
import io
import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from aiohttp import web

from sandbox import clock, control_body, control_page
from sandbox.chance import Chance
from sandbox.control_body import Body, refuse
from sandbox.host_book import SETTINGS, Account, HostBook, Status
from sandbox.host_faults import BY_CHANCE, Fault, HostFaults, Kind
from sandbox.host_journal import HostJournal
from sandbox.host_links import HostDoor

_PAGE = Path(__file__).with_name("host_page.html")
_COUNT_MAX = 1_000_000
_SECONDS_MAX = 86_400
_PAISE_MAX = 10**15
_SEED_MAX = 2**63
_ACCOUNTS_MAX = 10_000
_NUMBER_MAX = 2**53
_NUMBER = re.compile(r"[A-Za-z0-9]{1,28}", re.ASCII)
_CODE = re.compile(r"[A-Za-z0-9]{2}", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_COLUMNS = (
    "kind", "business_date", "terminal", "stan", "sent_at", "rrn", "processing_code", "upi_id",
    "account", "amount_paise", "sign", "response", "at", "rows",
)  # fmt: skip
# What the host may say unasked: an echo, or what it must not.
_UNASKED = {
    "0800": {"70": "301"},
    "0810": {"39": "00", "70": "001"},
    "0200": {"3": "000000", "4": "000000000100", "37": "000000000001", "49": "356"},
    "0210": {"3": "000000", "4": "000000000100", "37": "000000000001", "39": "00", "49": "356"},
}


class HostControl:
    """JSON over HTTP for demonstrations and tests. It listens on this machine only."""

    def __init__(
        self, *, book: HostBook, door: HostDoor, faults: HostFaults, journal: HostJournal
    ) -> None:
        self._book, self._door, self._faults, self._journal = book, door, faults, journal

    def application(self) -> web.Application:
        """Return the door's routes."""
        application = web.Application(middlewares=[control_body.problems], client_max_size=2**23)
        application.add_routes(
            [
                web.get("/", self.page),
                web.get("/healthz", self.healthz),
                web.post("/accounts", self.open_accounts),
                web.delete("/accounts", self.forget),
                web.get("/accounts/{number}", self.account),
                web.post("/faults", self.fault),
                web.get("/faults", self.faults),
                web.delete("/faults", self.end_faults),
                web.post("/random_faults", self.random_faults),
                web.post("/cutover", self.cut_over),
                web.get("/settings", self.settings),
                web.post("/settings", self.set_settings),
                web.get("/links", self.links),
                web.delete("/links", self.break_links),
                web.post("/unasked", self.say_unasked),
                web.get("/journal", self.journal),
                web.get("/dayfile/{date}", self.dayfile),
            ]
        )
        return application

    async def healthz(self, _request: web.Request) -> web.Response:
        """Say that the host runs, and its business day."""
        return web.json_response({"status": "ok", "business_date": await self._book.today()})

    async def page(self, _request: web.Request) -> web.FileResponse:
        """Show a page with the last messages."""
        return web.FileResponse(_PAGE, headers=control_page.HEADERS)

    async def open_accounts(self, request: web.Request) -> web.Response:
        """Open one account, or all of a list; those that are there keep their balance."""
        given = control_body.parse(await request.read())
        listed: list[object] = given if isinstance(given, list) else [given]
        wanted = [_account(Body(each)) for each in listed if isinstance(each, dict)]
        if len(wanted) != len(listed) or len(wanted) > _ACCOUNTS_MAX:
            refuse("invalid", f"an account, or a list of at most {_ACCOUNTS_MAX}")
        opened = await self._book.open_accounts(wanted)
        return web.json_response({"opened": opened}, status=201 if opened else 200)

    async def forget(self, _request: web.Request) -> web.Response:
        """Empty the book, as if no bank had ever called; links, keys and habits stay."""
        await self._book.forget()
        return web.json_response({})

    async def account(self, request: web.Request) -> web.Response:
        """Show an account."""
        found = await self._book.account(request.match_info["number"])
        if found is None:
            refuse("not_found", "the host has no such account", status=404)
        return web.json_response(dataclasses.asdict(found))

    async def fault(self, request: web.Request) -> web.Response:
        """Order a fault."""
        body = await Body.read(request)
        kind = Kind(body.choice("kind", [str(kind) for kind in Kind]))
        match = body.object("match") if body.has("match") else Body({})
        code = body.text("code", default="ZZ")
        if not _CODE.fullmatch(code):
            refuse("invalid", "code must be two letters or digits")
        order = Fault(
            kind,
            mti=match.text("mti", default=""),
            processing_code=match.text("processing_code", default=""),
            terminal=match.text("terminal", default=""),
            account=match.text("account", default=""),
            count=body.integer("count", least=1, most=_COUNT_MAX, default=1),
            seconds=body.number("seconds", most=_SECONDS_MAX),
            code=code,
            is_done=body.boolean("applied"),
        )
        match.boolean("any")
        match.end()
        body.end()
        self._faults.orders.append(order)
        return web.json_response(self._faults.shown()[-1], status=201)

    async def faults(self, _request: web.Request) -> web.Response:
        """Show the orders and what chance has done."""
        chance = self._faults.chance
        met = dict(chance.met) if chance else {}
        return web.json_response({"faults": self._faults.shown(), "by_chance": met})

    async def end_faults(self, _request: web.Request) -> web.Response:
        """End all faults, ordered and by chance."""
        self._faults.orders.clear()
        self._faults.chance = None
        return web.json_response({})

    async def random_faults(self, request: web.Request) -> web.Response:
        """Let a seed decide the fate of every message: {seed, rates, seconds}."""
        body = await Body.read(request)
        seed = body.integer("seed", least=0, most=_SEED_MAX)
        rates = body.rates("rates", [str(kind) for kind in BY_CHANCE])
        seconds = body.number("seconds", most=_SECONDS_MAX)
        body.end()
        self._faults.chance = Chance(seed, rates, seconds)
        return web.json_response({"seed": seed, "rates": rates}, status=201)

    async def cut_over(self, _request: web.Request) -> web.Response:
        """Begin the next business day."""
        return web.json_response({"business_date": await self._book.cut_over()})

    async def settings(self, _request: web.Request) -> web.Response:
        """Show the host's habits."""
        return web.json_response(await self._book.settings())

    async def set_settings(self, request: web.Request) -> web.Response:
        """Change some habits."""
        body = await Body.read(request)
        wanted = {name: body.boolean(name) for name in SETTINGS if body.has(name)}
        body.end()
        for name, is_on in wanted.items():
            await self._book.set_habit(name, is_on=is_on)
        return web.json_response(await self._book.settings())

    async def links(self, _request: web.Request) -> web.Response:
        """Show the connections, and how many unknown peers were refused."""
        names = (
            "number", "peer", "since", "is_signed_on", "received", "sent", "bad_macs", "malformed",
            "refused",
        )  # fmt: skip
        links = sorted(self._door.links, key=lambda link: link.number)
        shown = [{name: getattr(link, name) for name in names} for link in links]
        return web.json_response({"links": shown, "unknown_peers": self._door.unknown_peers})

    async def break_links(self, _request: web.Request) -> web.Response:
        """Break every connection."""
        return web.json_response({"broken": self._door.reset()})

    async def say_unasked(self, request: web.Request) -> web.Response:
        """Send a message of the host's own over every link."""
        body = await Body.read(request)
        mti = body.choice("mti", list(_UNASKED))
        terminal, stan = body.text("terminal", default="EXBHOST1"), body.text("stan", default="")
        body.end()
        fields = _UNASKED[mti] | {
            "7": f"{clock.now().astimezone(dt.UTC):%m%d%H%M%S}",
            "11": stan or "000001",
            "41": terminal[:8].ljust(8),
        }
        return web.json_response({"links": await self._door.ask(mti, fields)}, status=201)

    async def journal(self, request: web.Request) -> web.Response:
        """Show the messages after a number."""
        after = int(control_body.number(request.query.get("after", "0"), most=_NUMBER_MAX))
        return web.json_response({"messages": await self._journal.after(after)})

    async def dayfile(self, request: web.Request) -> web.Response:
        """Write what was posted and undone on a business day that is over."""
        date = request.match_info["date"]
        if not _DATE.fullmatch(date):
            refuse("invalid", "a date is YYYY-MM-DD")
        if date >= await self._book.today() and not request.query.get("open"):
            refuse("day_open", "this business day is not over", status=409)
        return web.Response(text=_csv(date, await self._book.day(date)), content_type="text/csv")


def _account(body: Body) -> Account:
    account = Account(
        number=body.text("number"),
        name=body.text("name", default=""),
        status=Status(body.choice("status", [str(each) for each in Status]))
        if body.has("status")
        else Status.ACTIVE,
        balance_paise=body.integer("balance_paise", least=0, most=_PAISE_MAX, default=0),
    )
    body.end()
    if not _NUMBER.fullmatch(account.number):
        refuse("invalid", "number must be 1 to 28 letters or digits")
    return account


def _csv(date: str, rows: Sequence[sqlite3.Row]) -> str:
    """Write the rows; the last line says of which day and how many, so that a part is no file."""
    out = io.StringIO()
    writer = csv.DictWriter(out, _COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(dict(row))
    writer.writerow({"kind": "END", "business_date": date, "rows": len(rows)})
    return out.getvalue()
