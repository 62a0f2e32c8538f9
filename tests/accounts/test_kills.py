"""A worker of the issuer is killed at any point, and the request is answered by the next one."""

import datetime as dt
import signal

import pytest

from apps.accounts.models import CredentialRequest, PinState
from apps.accounts.states import HoldState
from apps.upi.models import Exchange, PinBlock
from tests.foundry import opened_foundry

# Sets Django up once; for each point it reads it forks a worker that dies there.
FOUNDRY = """
import os, sys
import django
django.setup()
from django.conf import settings
from apps.accounts.services import credentials
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        settings.FAULT_AT = line.strip()
        credentials.work_due()
        os._exit(0)
    print(os.WTERMSIG(os.waitpid(pid, 0)[1]), flush=True)
"""
LONG_AGO = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

EVERYWHERE = ["credentials.prepared", "credentials.called", "credentials.recorded"]
PIN_POINTS = [*EVERYWHERE, "pin.taken", "pin.verified", "credentials.sent"]
OTP_POINTS = [*EVERYWHERE, "otp.kept", "otp.sent"]


@pytest.fixture(scope="module")
def foundry(django_db_setup, switch_server, gateway_server):
    with opened_foundry(
        FOUNDRY, SWITCH_URL=switch_server.url, SMS_GATEWAY_URL=gateway_server.url
    ) as opened:
        yield opened


@pytest.fixture
def killed(issuer, foundry):
    """Run a worker that dies at a point, and let its claim end."""

    def killed(point):
        assert foundry.fork(point) == signal.SIGKILL
        for model in (CredentialRequest, Exchange):
            model.objects.filter(next_action_at__isnull=False).update(next_action_at=LONG_AGO)

    return killed


@pytest.mark.parametrize("point", PIN_POINTS)
@pytest.mark.parametrize(("digits", "code", "left"), [("123456", "00", 3), ("000000", "ZM", 2)])
def test_a_balance_enquiry_is_answered_and_costs_one_try_at_most(
    issuer, killed, point, digits, code, left
):
    account = issuer.open_with_pin("123456")
    enquiry = issuer.send_balance_enquiry(digits)
    killed(point)

    assert issuer.work(enquiry) == code

    row = issuer.pin_state(account)
    assert (row.tries_left, row.state) == (left, HoldState.FREE)
    assert not PinBlock.objects.filter(exchange_id=enquiry).exists()


@pytest.mark.parametrize("point", EVERYWHERE)
def test_a_registration_sets_the_pin_with_the_one_otp(issuer, killed, point):
    issuer.open()
    issuer.ask_otp()
    registration = issuer.send_registration(issuer.gateway.otp(), "123456")
    killed(point)

    assert issuer.work(registration) == "00"
    assert issuer.ask_balance("123456") == "00"


@pytest.mark.parametrize("point", OTP_POINTS)
def test_an_otp_arrives_and_its_request_is_counted_once(issuer, killed, point):
    issuer.open()
    request = issuer.send_otp_request()
    killed(point)

    assert issuer.work(request) == "00"

    assert PinState.objects.get().otps_asked == 1
    assert issuer.register(issuer.gateway.otp(), "123456") == "00"
