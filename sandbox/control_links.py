"""The part of the control door that signs payment links as another bank, or as a shop of one."""

from aiohttp import web

from sandbox import world
from sandbox.control_body import Body, refuse
from sandbox.keys import KeyFiles
from sandbox.link_keys import LINK_KEYS, with_signature

_MERCHANT = "merchant"
_NAMES = {_MERCHANT, *(key.name for key in LINK_KEYS)}


class LinkDoor:
    """Signs whatever text it is given: a test decides what the link says."""

    def __init__(self, keys: KeyFiles) -> None:
        self._keys = keys

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of this part."""
        return [web.post("/links", self.sign)]

    async def sign(self, request: web.Request) -> web.Response:
        """
        Sign `text` with a key of the bank `org_id`.

        `key` is one of its link keys, or `merchant`: the key that the list of verified merchants
        gives for its shops.
        """
        body = await Body.read(request)
        text = body.text("text")
        org_id = body.text("org_id", default=world.OTHER_BANK)
        name = body.text("key", default="ec")
        body.end()
        if org_id not in self._keys.issuers:
            refuse("unknown_bank", "org_id is no other bank")
        if name not in _NAMES:
            refuse("invalid", f"key must be one of {', '.join(sorted(_NAMES))}")
        if name == _MERCHANT:
            link = with_signature(text, self._keys.issuers[org_id])
        else:
            link = self._keys.links.sign(text, org_id=org_id, name=name)
        return web.json_response({"link": link})
