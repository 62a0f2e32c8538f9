"""The switch's list of verified merchants: the other banks' shops, and what its members add."""

import sqlite3

from lxml import etree

from sandbox import codec, listings, world
from sandbox.codec import element
from sandbox.keys import KeyFiles
from sandbox.store import Store

_UNKNOWN, _NOT_YOURS = "VN", "U55"
_DONE = "00"
_STATEMENTS = {
    "ADD": "INSERT OR REPLACE INTO merchants (entry, address) VALUES (?, ?)",
    "UPDATE": "UPDATE merchants SET entry = ? WHERE address = ?",
    "REMOVE": "DELETE FROM merchants WHERE ? <> '' AND address = ?",
}
OPERATIONS = frozenset(_STATEMENTS)


class Merchants:
    """Verified merchants by address. Every call is one committed piece of work."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def open(self, keys: KeyFiles) -> None:
        """Enter the shops that the sandbox is born with."""
        shops = [(person, _entry(person, keys)) for person in world.PEOPLE if person.is_merchant]

        def work(connection: sqlite3.Connection) -> None:
            for shop, entry in shops:
                connection.execute(
                    "INSERT OR IGNORE INTO merchants (address, entry) VALUES (?, ?)",
                    (shop.address, codec.to_bytes(entry).decode()),
                )

        await self._store.run(work)

    async def all(self) -> list[codec.Element]:
        """Return every entry, by address."""
        rows = await self._store.run(
            lambda connection: connection.execute(
                "SELECT entry FROM merchants ORDER BY address"
            ).fetchall()
        )
        return [etree.fromstring(row["entry"]) for row in rows]

    async def change(self, wanted: codec.Element, *, org_id: str) -> codec.Element:
        """Add, update or remove one merchant of this member, and return the Ref that says so."""
        address, operation = wanted.get("addr", "").lower(), wanted.get("op", "")
        owner = world.member_of_handle(world.handle_of(address))
        if owner is None or owner.org_id != org_id:
            return _ref(wanted, _NOT_YOURS)
        kept = {name: wanted.get(name, "") for name in ("name", "addr", "logo", "url")}
        entry = element("Vae", kept, *wanted.findall("key"))
        text = codec.to_bytes(entry).decode()

        def work(connection: sqlite3.Connection) -> int:
            return connection.execute(_STATEMENTS[operation], (text, address)).rowcount

        changed = await self._store.run(work)
        return _ref(wanted, _DONE if changed else _UNKNOWN)


def _entry(person: world.Person, keys: KeyFiles) -> codec.Element:
    bank = world.organisation(person.org_id)
    names = {
        "name": person.name,
        "addr": person.address,
        "logo": "",
        "url": f"https://{person.user}.{bank.handles[0]}.example",
    }
    public = keys.issuers[person.org_id].public_key()
    return element("Vae", names, listings.key(person.org_id, "PKI", public))


def _ref(wanted: codec.Element, code: str) -> codec.Element:
    names = {name: wanted.get(name, "") for name in ("op", "seqNum", "addr")}
    result = "SUCCESS" if code == _DONE else "FAILURE"
    return element("Ref", names | {"respCode": code, "result": result})
