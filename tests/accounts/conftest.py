"""A bank with accounts, a switch that asks it, and the customer's telephone."""

from collections.abc import Iterator

import pytest

from apps.messaging import channels
from tests.accounts.issuer import Issuer, SmsGateway
from tests.upi.switch import Switch


@pytest.fixture(scope="session")
def switch_server() -> Iterator[Switch]:
    with Switch() as server:
        yield server


@pytest.fixture
def switch(settings, switch_server) -> Switch:
    settings.UPI_SWITCH_URL = switch_server.url
    switch_server.posted.clear()
    return switch_server


@pytest.fixture(scope="session")
def gateway_server() -> Iterator[SmsGateway]:
    with SmsGateway() as server:
        yield server


@pytest.fixture
def gateway(settings, gateway_server) -> Iterator[SmsGateway]:
    settings.SMS_GATEWAY_URL = gateway_server.url
    channels.close()
    gateway_server.texts.clear()
    yield gateway_server
    gateway_server.is_down = False


@pytest.fixture
def issuer(committed, switch, gateway) -> Issuer:
    return Issuer(switch, gateway)
