"""A bank with accounts, a switch whose hand we hold, and the customers' telephones."""

from collections.abc import Iterator

import pytest

from apps.common import clock
from apps.messaging import channels
from apps.upi.models import PeerKey
from apps.upi.services import directory
from tests.accounts.issuer import Issuer, SmsGateway
from tests.payments.hand import Hand
from tests.upi import wire
from tests.upi.conftest import Door
from tests.upi.switch import Switch


@pytest.fixture(scope="session")
def switch_key():
    return wire.new_key()


@pytest.fixture(scope="session")
def switch_server() -> Iterator[Switch]:
    with Switch() as server:
        yield server


@pytest.fixture(scope="session")
def gateway_server() -> Iterator[SmsGateway]:
    with SmsGateway() as server:
        yield server


@pytest.fixture
def switch(settings, switch_server) -> Switch:
    """One server for all tests: to stop it takes longer than most of them."""
    switch_server.posted.clear()
    switch_server.plan.clear()
    settings.UPI_SWITCH_URL = switch_server.url
    return switch_server


@pytest.fixture
def gateway(settings, gateway_server) -> SmsGateway:
    channels.close()
    gateway_server.texts.clear()
    gateway_server.is_down = False
    settings.SMS_GATEWAY_URL = gateway_server.url
    return gateway_server


@pytest.fixture
def hand(committed, switch, gateway, switch_key) -> Hand:
    directory.register_key(
        "NPCI",
        PeerKey.Purpose.SIGNING,
        wire.public_pem(switch_key.public_key()),
        valid_from_at=clock.now(),
    )
    return Hand(Door(switch_key), switch, Issuer(switch, gateway))
