"""The part of the control door that people look at: a page with the traffic, and its data."""

from pathlib import Path

from aiohttp import web

from sandbox import control_body, orders, traffic
from sandbox.composition import Sandbox
from sandbox.control_body import refuse
from sandbox.orders import Orders
from sandbox.payment import Payment

_PAGE = Path(__file__).with_name("page.html")
_PAYMENTS_SHOWN = 40
_NUMBER_MAX = 2**53
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
}


class PageDoor:
    """A window on the switch. It shows no credential and no whole account number."""

    def __init__(self, sandbox: Sandbox, orders: Orders) -> None:
        self._sandbox = sandbox
        self._orders = orders

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of this part."""
        return [
            web.get("/", self.page),
            web.get("/traffic", self.passed),
            web.get("/traffic/messages", self.messages),
            web.get("/traffic/{number}", self.message),
        ]

    async def page(self, _request: web.Request) -> web.FileResponse:
        """Show the page."""
        return web.FileResponse(_PAGE, headers=HEADERS)

    async def passed(self, request: web.Request) -> web.Response:
        """Show what passed after a number, the payments that began last, and what is ordered."""
        after = int(control_body.number(request.query.get("after", "0"), most=_NUMBER_MAX))
        payments = await self._sandbox.journal.latest_payments(_PAYMENTS_SHOWN)
        faults = self._sandbox.faults
        return web.json_response(
            {
                "clock": orders.time_shown(),
                "scale": self._sandbox.timers.scale,
                "messages": self._sandbox.journal.traffic.after(after),
                "payments": [_line(payment) for payment in payments],
                "faults": [
                    {
                        "action": str(fault.action),
                        "direction": str(fault.direction),
                        "about": " ".join(filter(None, (fault.api, fault.type, fault.sub_type))),
                        "count": fault.count,
                        "hits": fault.hits,
                    }
                    for fault in faults.orders
                ],
                "chance": self._orders.chance_shown(),
                "heartbeats": self._sandbox.heartbeats.shown(),
            }
        )

    async def messages(self, request: web.Request) -> web.Response:
        """Show the messages that passed after a number, some at a time, their secrets hidden."""
        after = int(control_body.number(request.query.get("after", "0"), most=_NUMBER_MAX))
        return web.json_response({"messages": self._sandbox.journal.traffic.documents(after)})

    async def message(self, request: web.Request) -> web.Response:
        """Show one message with its secrets hidden."""
        number = int(control_body.number(request.match_info["number"], most=_NUMBER_MAX))
        found = self._sandbox.journal.traffic.xml(number)
        if found is None:
            refuse("not_found", "the page remembers the last messages only", status=404)
        return web.Response(text=found, content_type="text/plain")


def _line(payment: Payment) -> dict[str, object]:
    return {
        "txn_id": payment.transaction_id,
        "kind": str(payment.kind),
        "created_at": payment.created_at,
        "amount": payment.amount,
        "payer": traffic.hidden(payment.payer_address),
        "payee": traffic.hidden(payment.payee_address),
        "status": str(payment.verdict.status),
        "code": payment.verdict.code if payment.is_final else "",
        "stage": str(payment.stage),
    }
