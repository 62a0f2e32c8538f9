"""The part of the control door that people outside would use: text messages and webhooks."""

from aiohttp import web

from sandbox import clock
from sandbox.control_body import Body, refuse
from sandbox.inbox import Inbox, TextMessage

_STATUS_MIN, _STATUS_MAX = 200, 599
_BODY_BYTES_MAX = 1024 * 1024


class InboxDoor:
    """The SMS gateway and the merchants' webhook sinks."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of this part."""
        return [
            web.post("/sms", self.send_text),
            web.get("/sms", self.texts),
            web.post("/webhooks/{name}", self.deliver),
            web.put("/webhooks/{name}", self.set_status),
            web.get("/webhooks/{name}", self.deliveries),
        ]

    async def send_text(self, request: web.Request) -> web.Response:
        """Take a text message from a bank's gateway client."""
        body = await Body.read(request)
        message = TextMessage(to=body.text("to"), text=body.text("text"), at=clock.now())
        body.end()
        if not message.to:
            refuse("invalid", "to must not be empty")
        self._inbox.texts.append(message)
        return web.json_response({"status": "accepted"}, status=202)

    async def texts(self, request: web.Request) -> web.Response:
        """Show the text messages to a number, the oldest first."""
        found = self._inbox.texts_to(request.query.get("to", ""))
        shown = [{"to": m.to, "text": m.text, "at": clock.iso(m.at)} for m in found]
        return web.json_response({"messages": shown})

    async def deliver(self, request: web.Request) -> web.Response:
        """Take a webhook call as a merchant's server would, with the status that was set."""
        raw = await request.content.read(_BODY_BYTES_MAX)
        status = self._inbox.deliver(
            request.match_info["name"],
            headers={name.lower(): value for name, value in request.headers.items()},
            body=raw.decode("utf-8", "replace"),
            at=clock.now(),
        )
        return web.Response(status=status)

    async def set_status(self, request: web.Request) -> web.Response:
        """Set the status that a sink answers with from now on."""
        body = await Body.read(request)
        status = body.integer("status", least=_STATUS_MIN, most=_STATUS_MAX)
        body.end()
        self._inbox.statuses[request.match_info["name"]] = status
        return web.json_response({"status": status})

    async def deliveries(self, request: web.Request) -> web.Response:
        """Show the calls that a sink received, the oldest first, byte for byte."""
        found = self._inbox.deliveries.get(request.match_info["name"], ())
        shown = [
            {"headers": d.headers, "body": d.body, "at": clock.iso(d.at), "status": d.status}
            for d in found
        ]
        return web.json_response({"deliveries": shown})
