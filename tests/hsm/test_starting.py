"""What a process does about the token's keys before it serves anybody."""

import os
import subprocess
import sys
import time

import httpx
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from structlog.testing import capture_logs

from hsm import signing
from hsm.errors import HsmUnavailableError, TokenUnfitError
from hsm.starting import audit_keys
from tests.core_banking_host import free_port
from tests.hsm.conftest import start_anew
from tests.hsm.test_ceremony import plant_secret

SECONDS = 60
WEB = ("gunicorn", "upi_platform.wsgi", "--config", "python:upi_platform.web_server")
WORKER = ("celery", "-A", "upi_platform.celery", "worker", "--pool", "solo", "-Q", "nobody")


@pytest.fixture
def start():
    """Start a process of the bank on the token of this test; it ends with the test."""
    started = []

    def start(*command):
        names = ("PKCS11_TOKEN_LABEL", "PKCS11_USER_PIN", "PKCS11_SO_PIN")
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            env=os.environ | {name: getattr(settings, name) for name in names},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.terminate()
        process.communicate(timeout=SECONDS)


def answered(url):
    ends_at = time.monotonic() + SECONDS
    while True:
        try:
            return httpx.get(url)
        except httpx.TransportError:
            assert time.monotonic() < ends_at, "the process does not answer"
            time.sleep(0.1)


def refusals(*, until):
    """Sign again and again; return how it was refused up to such a refusal."""
    seen = []
    ends_at = time.monotonic() + SECONDS
    while until not in seen and time.monotonic() < ends_at:
        with pytest.raises(HsmUnavailableError) as refusal:
            signing.sign("xml-signing-1", b"x")
        seen.append(refusal.type)
        time.sleep(0.02)
    return seen


def test_a_process_that_starts_beside_a_wrong_key_ends_without_serving(token, start):
    plant_secret(EXTRACTABLE=True)

    processes = [
        start(*WEB, "--bind", "127.0.0.1:0", "--preload"),
        start(*WORKER),
    ]

    for process in processes:
        said, _ = process.communicate(timeout=SECONDS)
        assert process.returncode != 0, said
        assert "hsm_keys_unfit" in said
        assert "pin-verification-2: EXTRACTABLE is True" in said
        assert "ready." not in said


def test_a_process_starts_while_the_token_is_away(token, start):
    token.remove()
    port = free_port()

    start(*WEB, "--bind", f"127.0.0.1:{port}", "--preload")

    assert answered(f"http://127.0.0.1:{port}/livez").status_code == 200
    assert answered(f"http://127.0.0.1:{port}/readyz").json()["checks"]["hsm"] == "unavailable"


def test_a_token_that_is_away_at_the_start_is_audited_when_it_is_back(token):
    plant_secret(EXTRACTABLE=True)
    token.remove()
    start_anew()

    with capture_logs() as logs:
        audit_keys()
    token.bring_back()

    assert [one["event"] for one in logs][-1] == "hsm_audit_put_off"
    assert TokenUnfitError in refusals(until=TokenUnfitError)


def test_no_heartbeat_is_sent_beside_a_wrong_key(token):
    plant_secret(EXTRACTABLE=True)
    start_anew()

    with pytest.raises(CommandError, match="hsm_token_unfit"):
        call_command("heartbeat", "--once")


def test_where_every_key_fits_the_start_says_so(token):
    start_anew()

    with capture_logs() as logs:
        audit_keys()

    assert [one["event"] for one in logs][-1] == "hsm_keys_audited"
