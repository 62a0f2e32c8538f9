"""Who takes a host's day file is killed after any statement: the same file again ends the same."""

import base64
import json
import signal

import pytest
from django.conf import settings

from apps.common.money import Money
from apps.ledger import selectors as ledger
from apps.ledger.contracts import Chart
from apps.payments.states import Role
from apps.settlement.models import HostFile, HostFileLine
from apps.settlement.services.host_days import fetch_host_file
from tests.foundry import opened_foundry
from tests.payments.hand import history, state
from tests.settlement.host_days import OPENING, after, call_of, take

# Sets Django up once; for each line it forks a process that takes the file and dies after as many
# statements, unless it comes to its end before.
FOUNDRY = """
import base64, datetime as dt, json, os, sys
import django
django.setup()
from django.conf import settings
from django.db import connection
from apps.accounts.core_banking.base import core_banking
from apps.settlement import host_selectors
from apps.settlement.services.take_host_file import take_host_file
from tests.foundry import die_after

options, settings.UPI_SWITCH_URL, content, date, now = json.loads(sys.stdin.readline())
settings.CORE_BANKING = options
content, date = base64.b64decode(content), dt.date.fromisoformat(date)
# Once for all who are forked; neither opens a connection.
core_banking()
host_selectors.profile()
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            with connection.execute_wrapper(die_after(int(line))):
                take_host_file(content, date=date, now=dt.datetime.fromisoformat(now))
            code = 0
        finally:
            os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""
DEATHS_MAX = 200


@pytest.fixture
def dying_taker(host, host_options):
    """Return who takes a file and dies after so many statements, and says how it ended."""
    with opened_foundry(FOUNDRY) as foundry:

        def take_after(content, date):
            core_banking = {**settings.CORE_BANKING, "OPTIONS": host_options}
            encoded = base64.b64encode(content).decode()
            order = [core_banking, settings.UPI_SWITCH_URL, encoded, str(date), str(after(date))]
            foundry.tell(json.dumps(order))
            return lambda statements: foundry.fork(str(statements))

        yield take_after


def committed(deal):
    """Return how far the taking of the file has come."""
    return HostFile.objects.count(), HostFileLine.objects.count(), state(deal, Role.DEBIT)


def test_a_file_whose_taker_is_killed_after_any_statement_is_taken_once(
    host, payer, unknown, dying_taker
):
    deal = unknown(is_applied=True)
    date = call_of(deal).business_date
    host.order("/cutover")
    content = fetch_host_file(date)
    die_after = dying_taker(content, date)

    ways, statements, code = [committed(deal)], 1, None
    for _ in range(DEATHS_MAX):
        code = die_after(statements)
        statements += 1
        if committed(deal) != ways[-1]:
            ways.append(committed(deal))
            statements = 1
        if code == 0:
            break
        assert code == -signal.SIGKILL

    assert code == 0
    assert ways == [(0, 0, "UNKNOWN"), (1, 1, "UNKNOWN"), (1, 1, "POSTED")]
    assert take(date, content) == 0
    assert history(deal, Role.DEBIT)[-2:] == ["UNKNOWN", "POSTED"]
    assert ledger.account_by_code(Chart.CORE_BANKING).balance == Money(-14950)
    assert host.balance(payer.number) == OPENING - 14950
