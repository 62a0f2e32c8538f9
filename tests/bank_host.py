"""
Customers whose money is at a bank's host: `at_host` for one test, CORE_BANKING=iso8583 for all.

The host is one real process for the whole run, and so are the platform's links to it. For each test
its book is empty and its faults are over; whoever opens an account at the bank by `Issuer.open` has
it there too. `python -m pytest` with CORE_BANKING=iso8583 in its environment puts every test that
works on committed rows before the host: `make host` runs the suites that move money so.
"""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings as django_settings

from apps.accounts.core_banking.base import core_banking
from apps.accounts.core_banking.iso8583 import Iso8583CoreBanking
from apps.accounts.core_banking.iso8583_calls import MOVEMENTS
from apps.accounts.core_banking.iso8583_link import Timing
from apps.accounts.models import CoreBankingCall
from apps.accounts.states import CallState
from apps.common.money import Money
from apps.ledger.contracts import Chart
from apps.ledger.selectors import account_by_code
from hsm import ceremony, host_keys
from hsm.configuration import configuration
from tests import core_banking_host
from tests.core_banking_host import HostProcess

TERMINALS = ("EXBUPI01", "EXBUPI02")
# Waits that a test can afford; what is answered at all is answered in milliseconds.
FAST = Timing(
    connect_seconds=10,
    echo_seconds=60,
    echo_answer_seconds=0.3,
    reconnect_seconds_min=0.05,
    reconnect_seconds_max=0.2,
)
BACKEND = "apps.accounts.core_banking.iso8583.Iso8583CoreBanking"
KEY_SECONDS = 30


# The environment puts every test before the host.
EVERYWHERE = bool(django_settings.CORE_BANKING["BACKEND"] == BACKEND)
_SERVING: list[HostProcess] = []
_OPENED: dict[str, int] = {}


def open_account(number: str, paise: int) -> None:
    """Open an account with all its money at the host that the present test has, if any."""
    for host in _SERVING:
        host.open_account(number, paise)
        _OPENED[number] = paise


def moved() -> Money:
    """Return how much more the accounts at the host have than when they were opened."""
    return Money(sum(host.balance(n) - was for host in _SERVING for n, was in _OPENED.items()))


def mirrored() -> Money:
    """Return what our books say of the same."""
    return account_by_code(Chart.CORE_BANKING).balance


def settings_of_others(**changes: Any) -> dict[str, Any]:
    """Return what other processes of the bank are told of the host, if there is one, for JSON."""
    if not _SERVING:
        return {}
    options = django_settings.CORE_BANKING["OPTIONS"] | changes
    return {
        "HSM_HOST_MAC_KEY": django_settings.HSM_HOST_MAC_KEY,
        "CORE_BANKING": {
            "BACKEND": BACKEND,
            "OPTIONS": {name: each for name, each in options.items() if name != "timing"},
        },
    }


@contextmanager
def silent_debits(*, applied: bool) -> Iterator[None]:
    """Let the host answer no debit, whether it is done or not."""
    (host,) = _SERVING
    kind = "timeout_applied" if applied else "timeout_not_applied"
    host.fault(kind, count=10_000, match={"mti": "0200", "processing_code": "000000"})
    try:
        yield
    finally:
        host.control.delete("/faults").raise_for_status()


def held(number: str) -> Money:
    """Return what is in a customer's account, wherever it is kept."""
    return core_banking().balance(number)


def posted() -> list[str]:
    """Return the states by which a leg is posted: with a host, what is asked is seen."""
    return ["POSTED"] if core_banking().posts_at_once else ["POSTING", "POSTED"]


@pytest.fixture(scope="session")
def host_server(tmp_path_factory, django_db_setup) -> Iterator[HostProcess]:
    with core_banking_host.running(tmp_path_factory.mktemp("host")) as host:
        yield host


@pytest.fixture(scope="session")
def host_mac_key(host_server) -> str:
    """The label of the host's key in the tests' token, where earlier runs have left theirs."""
    transport = configuration().host_transport_key
    ceremony.create_key(transport)
    host_keys.show_transport_key(transport, host_server.keys / "900001.host-transport.pem")
    wrapped = host_server.keys / "900001.host-mac.wrapped"
    deadline = time.monotonic() + KEY_SECONDS
    while not (wrapped.exists() and wrapped.stat().st_size):
        assert time.monotonic() < deadline, "the host wrapped no key"
        time.sleep(0.01)
    return next(
        label
        for label in (f"host-mac-{secrets.randbelow(10_000)}" for _ in range(100))
        if host_keys.import_mac_key(label, wrapped.read_bytes())
    )


@pytest.fixture(scope="session")
def host_options(host_server) -> dict[str, Any]:
    """What the adapter is told of the host, as JSON could say it."""
    return {
        "address": host_server.address,
        "organisation": "EXBHOST",
        "tls_ca": str(host_server.tls / "ca.pem"),
        "tls_certificate": str(host_server.tls / "receiver.pem"),
        "tls_key": str(host_server.tls / "receiver.key"),
        "acquirer": "900001",
        "terminals": TERMINALS,
        "answer_seconds": 10.0,
    }


@pytest.fixture
def options(settings, host_options, host_mac_key) -> dict[str, Any]:
    settings.HSM_HOST_MAC_KEY = host_mac_key
    return host_options | {"timing": FAST}


@pytest.fixture
def at_host(committed, settings, options, host_server) -> Iterator[HostProcess]:
    """Let core banking be the host, with an empty book and no faults."""
    host_server.control.delete("/faults").raise_for_status()
    host_server.control.delete("/accounts").raise_for_status()
    host_server.order("/settings", refuses_after_reversal=True, recognises_repeats=True)
    settings.CORE_BANKING = {"BACKEND": BACKEND, "OPTIONS": options}
    if not EVERYWHERE:
        core_banking.cache_clear()
    _SERVING.append(host_server)
    yield host_server
    silent = CoreBankingCall.objects.filter(kind__in=MOVEMENTS, response_code="")
    has_open_calls = silent.exclude(state=CallState.NOT_SENT).exists()
    books = mirrored(), moved()
    _SERVING.remove(host_server)
    _OPENED.clear()
    if not EVERYWHERE:
        _end_links()
    # What a test left open is its own affair.
    assert has_open_calls or books[0] == books[1], "our books and the host's differ"


@pytest.fixture(scope="session")
def _kept_links() -> Iterator[None]:
    """Keep links from test to test: to sign on takes longer than most of them."""
    yield
    _end_links()


@pytest.fixture(autouse=True)
def _before_the_host(request: pytest.FixtureRequest) -> None:
    if not EVERYWHERE:
        return
    if "committed" not in request.fixturenames:
        # Whoever first asks for core banking makes the adapter of the whole run.
        settings = request.getfixturevalue("settings")
        options = request.getfixturevalue("options")
        settings.CORE_BANKING = {"BACKEND": BACKEND, "OPTIONS": options}
        request.getfixturevalue("_kept_links")
        return
    if request.node.get_closest_marker("own_books"):
        pytest.skip("the money is at a host")
    request.getfixturevalue("_kept_links")
    request.getfixturevalue("at_host")


def _end_links() -> None:
    adapter = core_banking()
    core_banking.cache_clear()
    assert isinstance(adapter, Iso8583CoreBanking)
    adapter.close()
