"""A bank with accounts, a switch whose hand we hold, and the customers' telephones."""

import contextlib
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.db import connections
from psycopg import sql

from apps.common import clock
from apps.upi.models import PeerKey
from apps.upi.services import directory
from tests import conftest as root
from tests.accounts.issuer import Issuer, SmsGateway
from tests.payments.hand import Hand
from tests.upi import wire
from tests.upi.conftest import Door
from tests.upi.switch import Switch


@pytest.fixture(scope="session")
def switch_key():
    return wire.new_key()


@pytest.fixture
def switch(settings) -> Iterator[Switch]:
    with Switch() as server:
        settings.UPI_SWITCH_URL = server.url
        yield server


@pytest.fixture
def gateway(settings) -> Iterator[SmsGateway]:
    with SmsGateway() as server:
        settings.SMS_GATEWAY_URL = server.url
        yield server


@pytest.fixture
def hand(committed, switch, gateway, switch_key) -> Hand:
    directory.register_key(
        "NPCI",
        PeerKey.Purpose.SIGNING,
        wire.public_pem(switch_key.public_key()),
        valid_from_at=clock.now(),
    )
    return Hand(Door(switch_key), switch, Issuer(switch, gateway))


def _leaves_with_rows(owner):
    leaves = [
        name
        for (name,) in owner.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relname <> 'django_migrations'"
        )
    ]
    probe = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(
            sql.Literal(name), sql.Identifier("public", name)
        )
        for name in leaves
    )
    found = {name for (name,) in owner.execute(probe)}
    links = owner.execute(
        "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint"
        " WHERE contype = 'f'"
    ).fetchall()
    grown = True
    while grown:
        grown = False
        for child, parent in links:
            if parent in found and child not in found:
                found.add(child)
                grown = True
    return sorted(found)


@pytest.fixture
def committed(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        with root._owner() as owner, owner.transaction():
            found = _leaves_with_rows(owner)
            if found:
                owner.execute(
                    sql.SQL("TRUNCATE {} RESTART IDENTITY").format(
                        sql.SQL(", ").join(map(sql.Identifier, found))
                    )
                )
            kept = [
                name
                for (name,) in owner.execute(
                    "SELECT tablename FROM pg_tables WHERE schemaname = 'kept'"
                )
                if name in found
            ]
            owner.execute("SET CONSTRAINTS ALL DEFERRED")
            for name in kept:
                owner.execute(
                    sql.SQL("INSERT INTO {} SELECT * FROM {}").format(
                        sql.Identifier("public", name), sql.Identifier("kept", name)
                    )
                )
            root._restore_sequences(owner, kept)
        with contextlib.suppress(Exception):
            cache.clear()
        yield
        for connection in connections.all():
            connection.close()
