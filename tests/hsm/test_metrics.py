"""Latency of the token by operation and outcome, over all processes of a machine."""

import os
import subprocess
import sys

import pytest
from django.test import Client
from prometheus_client import REGISTRY

from hsm import mac, pin, signing
from hsm.errors import HsmUnavailableError, KeyMissingError, PinBlockRefusedError
from tests.hsm.test_pin import HERE, block_for

NAME = "hsm_operation_seconds"


def count(operation, outcome):
    labels = {"operation": operation, "outcome": outcome}
    return REGISTRY.get_sample_value(f"{NAME}_count", labels) or 0


@pytest.mark.parametrize(
    ("operation", "outcome", "call", "error"),
    [
        ("sign", "done", lambda: signing.sign("xml-signing-1", b"x"), None),
        ("mac", "done", lambda: mac.mac("mac-1", b"x"), None),
        ("pin", "done", lambda: pin.make_verifier(block_for(), **HERE), None),
        ("mac", "hsm_key_missing", lambda: mac.mac("mac-9", b"x"), KeyMissingError),
        (
            "pin",
            "pin_block_refused",
            lambda: pin.make_verifier(block_for(content="other"), **HERE),
            PinBlockRefusedError,
        ),
    ],
)
def test_an_operation_is_counted_with_its_outcome(token, operation, outcome, call, error):
    before = count(operation, outcome)

    if error is None:
        call()
    else:
        with pytest.raises(error):
            call()

    assert count(operation, outcome) == before + 1


def test_a_token_that_is_away_is_counted_as_such(token):
    signing.sign("xml-signing-1", b"x")
    before = count("sign", "hsm_unavailable")
    token.remove()

    with pytest.raises(HsmUnavailableError):
        signing.sign("xml-signing-1", b"x")

    assert count("sign", "hsm_unavailable") == before + 1


@pytest.mark.urls("upi_platform.metrics_urls")
def test_a_scrape_reads_what_every_process_measured(tmp_path, monkeypatch, settings):
    script = "from hsm.metrics import measured\nwith measured('sign'):\n    pass\n"
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    for _ in range(2):
        subprocess.run([sys.executable, "-c", script], env=environment, check=True, timeout=60)
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    settings.METRICS_ARE_SHARED = True

    answer = Client().get("/metrics")

    assert answer.status_code == 200
    assert f'{NAME}_count{{operation="sign",outcome="done"}} 2.0' in answer.content.decode()


@pytest.mark.urls("upi_platform.metrics_urls")
def test_a_scrape_only_reads():
    assert Client().post("/metrics").status_code == 405


def test_no_process_shows_them_that_was_not_told_to():
    assert Client().get("/metrics").status_code == 404
