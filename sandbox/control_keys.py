"""The part of the control door that gives the switch new keys."""

import datetime as dt

from aiohttp import web

from sandbox import clock
from sandbox.control_body import Body, refuse
from sandbox.keys import KeyFiles
from sandbox.own_keys import KeyIndexTakenError, OwnKey, OwnKeys

_AFTER_SECONDS_MAX = 366 * 86400


class KeyDoor:
    """Announces keys of the switch, and shows those that members may see."""

    def __init__(self, keys: KeyFiles) -> None:
        self._keys: dict[str, OwnKeys] = {"signing": keys.signing, "credential": keys.credential}

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of this part."""
        return [web.post("/keys", self.announce), web.get("/keys", self.listed)]

    async def announce(self, request: web.Request) -> web.Response:
        """Make a key that is listed from now on, and used when so many seconds have passed."""
        body = await Body.read(request)
        purpose = body.choice("purpose", sorted(self._keys))
        after = dt.timedelta(seconds=body.number("after_seconds", most=_AFTER_SECONDS_MAX))
        body.end()
        try:
            made = self._keys[purpose].announce(clock.now() + after)
        except KeyIndexTakenError:
            refuse("key_index_taken", "a key of this purpose begins on that day", status=409)
        return web.json_response(_shown(made), status=201)

    async def listed(self, _request: web.Request) -> web.Response:
        """Show the keys by their purpose: the one used first, then the old, then the announced."""
        shown = {
            purpose: [_shown(key) for key in keys.listed()] for purpose, keys in self._keys.items()
        }
        return web.json_response(shown)


def _shown(key: OwnKey) -> dict[str, str]:
    return {"key_index": key.key_index, "begins_at": clock.iso(key.begins_at)}
