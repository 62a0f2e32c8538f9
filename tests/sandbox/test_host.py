"""The core-banking host: money moves once, is asked about, and is undone."""

import itertools

import pytest

from tests.core_banking_host import HostProcess, running
from tests.sandbox.host_caller import CREDIT, RETURN, Caller

OPENING = 100_000
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    with running(tmp_path_factory.mktemp("host")) as host:
        yield host


@pytest.fixture
def host(started: HostProcess):
    """Return the host with its habits and no faults; every test has accounts of its own."""
    yield started
    started.control.delete("/faults").raise_for_status()
    started.order("/settings", refuses_after_reversal=True, recognises_repeats=True)


@pytest.fixture
def account(host):
    number = f"0011{next(_numbers):08}"
    host.open_account(number, OPENING)
    return number


@pytest.fixture
def caller(host, account):
    # A terminal of its own keeps its requests apart from those of other tests.
    made = Caller(host.port, host.tls, host.mac_key, terminal=account[-8:])
    made.sign_on()
    yield made
    made.close()


def test_a_debit_and_a_credit_move_money_and_say_the_balance(host, caller, account):
    debited = caller.debit(account, 2_500)
    credited = caller.ask("0200", caller.request(CREDIT, account, 1_000))
    returned = caller.ask("0200", caller.request(RETURN, account, 2_500))

    assert (debited[39], debited[54]) == ("00", "1002356C000000097500")
    assert (credited[39], credited[54]) == ("00", "1002356C000000098500")
    assert (returned[39], returned[4]) == ("00", "000000002500")
    assert host.balance(account) == OPENING + 1_000
