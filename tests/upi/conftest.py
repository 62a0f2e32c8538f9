"""A switch that we know by its key, and the door through which its messages come."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import connection
from django.test import Client
from lxml import etree

from apps.common import clock
from apps.upi import client
from apps.upi.models import PeerKey
from apps.upi.services import directory
from tests.upi import routes, wire
from tests.upi.switch import Switch


@pytest.fixture(scope="session")
def switch_key() -> rsa.RSAPrivateKey:
    return wire.new_key()


@dataclass
class Answered:
    """What came back for a message."""

    status: int
    content_type: str
    body: bytes

    @property
    def ack(self) -> etree._Element:
        return etree.fromstring(self.body)

    @property
    def err(self) -> str:
        return self.ack.get("err")


class Door:
    """POSTs what the switch would POST, signed by its key unless told otherwise."""

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        self.key = key
        self._client = Client()

    def send(self, root: etree._Element, *, key: rsa.RSAPrivateKey | None = None) -> Answered:
        return self.post(wire.sign(root, key or self.key))

    def post(self, body: bytes, *, path: str | None = None) -> Answered:
        response = self._client.post(
            path or wire.path_of(body), data=body, content_type="application/xml"
        )
        return Answered(response.status_code, response.headers["Content-Type"], response.content)


@pytest.fixture
def wired(settings) -> Iterator[None]:
    settings.UPI_ROUTES = "tests.upi.routes.ROUTES"
    settings.ROOT_URLCONF = "apps.upi.urls"
    routes.received.clear()
    routes.refusal.clear()
    yield
    routes.received.clear()
    routes.refusal.clear()


@pytest.fixture
def peer_key(switch_key) -> PeerKey:
    return directory.register_key(
        "NPCI",
        PeerKey.Purpose.SIGNING,
        wire.public_pem(switch_key.public_key()),
        valid_from_at=clock.now(),
    )


@pytest.fixture
def door(db, wired, peer_key, switch_key) -> Door:
    return Door(switch_key)


@pytest.fixture
def open_door(committed, wired, peer_key, switch_key) -> Door:
    """The same door, on a database in which commits are real."""
    return Door(switch_key)


@pytest.fixture
def switch(settings) -> Iterator[Switch]:
    with Switch() as server:
        settings.UPI_SWITCH_URL = server.url
        yield server
        client.close()


def row_counts() -> dict[str, int]:
    """How many rows each table has, partitions counted with their parent."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        )
        tables = [name for (name,) in cursor.fetchall()]
        cursor.execute(
            " UNION ALL ".join(f"SELECT '{table}', count(*) FROM \"{table}\"" for table in tables)
        )
        return dict(cursor.fetchall())


@pytest.fixture
def changes(db):
    """Say by how many rows the tables have grown since the last time it was asked."""
    before = row_counts()

    def ask() -> dict[str, int]:
        nonlocal before
        after = row_counts()
        grown = {name: after[name] - before[name] for name in after if after[name] != before[name]}
        before = after
        return grown

    return ask
