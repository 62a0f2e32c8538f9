"""A bank with accounts, a switch whose hand we hold, and the customers' telephones."""

from collections.abc import Iterator

import pytest

from apps.common import clock
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
