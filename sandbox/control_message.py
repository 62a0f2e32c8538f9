"""The part of the control door that sends the bank one message of the caller's own making."""

import asyncio

from aiohttp import web
from lxml import etree

from sandbox import codec
from sandbox.codec import Envelope, MalformedError
from sandbox.control_body import Body, refuse
from sandbox.journal import NO_ACK
from sandbox.member import Answered
from sandbox.wire import RemoteMember, Sent

_WAIT_SECONDS_MAX = 60


class MessageDoor:
    """Lets a test speak for the switch: any document, signed or not, to any path of the bank."""

    def __init__(self, bank: RemoteMember) -> None:
        self._bank = bank

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of this part."""
        return [web.post("/messages", self.send)]

    async def send(self, request: web.Request) -> web.Response:
        """
        Post a document, and show its Ack and the answer that came within `wait` seconds.

        `is_unsigned` leaves the signature out, `path` replaces the one that the document names,
        `tampering` (`{from, to}`) changes the text after it was signed.
        """
        body = await Body.read(request)
        text = body.text("xml")
        path = body.text("path", default="")
        is_unsigned = body.boolean("is_unsigned")
        old, new = body.text("tamper_from", default=""), body.text("tamper_to", default="")
        wait_seconds = body.number("wait", most=_WAIT_SECONDS_MAX)
        body.end()
        envelope = _envelope(text)
        if envelope is None and not path:
            refuse("invalid", "a document that is no message needs a path")
        document = text.encode()
        if envelope is not None and not is_unsigned:
            document = self._bank.signed(envelope)
        document = document.replace(old.encode(), new.encode()) if old else document
        sent, answer = await self._exchange(envelope, document, path, wait_seconds)
        return web.json_response(
            {
                "status": sent.status,
                "ack": None if sent.ack == NO_ACK else sent.ack,
                "answer": None if answer is None else _shown(answer),
            }
        )

    async def _exchange(
        self, envelope: Envelope | None, document: bytes, path: str, wait_seconds: float
    ) -> tuple[Sent, Envelope | None]:
        if envelope is None or not wait_seconds:
            return await self._bank.post_given(envelope, document, path=path), None
        waiting = self._bank.exchanges.open(envelope)
        sent = await self._bank.post_given(envelope, document, path=path)
        if sent.ack:
            return sent, None
        try:
            return sent, await asyncio.wait_for(asyncio.shield(waiting), wait_seconds)
        except TimeoutError:
            return sent, None


def _envelope(text: str) -> Envelope | None:
    try:
        root = codec.parse(text.encode())
    except MalformedError:
        return None
    return codec.envelope(etree.fromstring(etree.tostring(root, method="c14n")))


def _shown(answer: Envelope) -> dict[str, str]:
    return {
        "api": answer.api,
        "result": answer.result,
        "code": Answered(answer).code,
        "message_id": answer.message_id,
        "xml": codec.to_bytes(answer.root).decode(),
    }
