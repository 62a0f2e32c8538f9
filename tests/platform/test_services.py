"""Each service is a process that answers only its own paths, and payments work all the same."""

import json
import ssl

import httpx
import pytest

from deploy.local import routes
from deploy.local.demo import acts, proof
from tests.platform.conftest import ROUTED
from upi_platform.services import SERVICES

pytestmark = [pytest.mark.platform, pytest.mark.timeout(600)]

# One path of each service that exists whoever asks, and the status a stranger gets there.
PATHS = {
    "receiver": ("POST", "/upi/ReqHbt/1.0/urn:txnid:EXB0", 200),
    "payments": ("GET", "/app/v1/payments", 401),
    "balance": ("POST", "/app/v1/balance-enquiries", 401),
    "vpa": ("GET", "/app/v1/vpas", 401),
    "merchants": ("GET", "/v1/orders", 401),
    "accounts": ("GET", "/app/v1/accounts", 401),
    "backoffice": ("GET", "/admin/login/", 200),
    "live": ("GET", "/live/v1/payments/EXB0?wait=1", 401),
}


def as_switch(platform) -> ssl.SSLContext:
    """The switch's certificate in hand."""
    folder = platform.directory.root / "tls"
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    context.load_cert_chain(folder / "switch.pem", folder / "switch.key")
    return context


def test_every_service_is_named_and_routed():
    assert set(PATHS) == set(SERVICES) == {*ROUTED, "receiver"}
    assert (
        {
            name: routes.service_of(path, routes.load())
            for name, (_, path, _) in PATHS.items()
            if name in ROUTED
        }
        == {name: name for name in ROUTED}
        == {name: name for name in routes.load().values()}
    )


@pytest.mark.parametrize("name", PATHS)
def test_a_service_answers_its_own_paths_and_no_other(platform, name):
    port = json.loads((platform.directory.root / "ports.json").read_text())[name]
    scheme = "http" if name in ROUTED else "https"
    proof = as_switch(platform)

    statuses = {
        other: httpx.request(method, f"{scheme}://127.0.0.1:{port}{path}", verify=proof).status_code
        for other, (method, path, _) in PATHS.items()
    }

    assert statuses == {other: PATHS[name][2] if other == name else 404 for other in PATHS}


@pytest.mark.parametrize("name", ROUTED)
def test_one_url_leads_to_every_service(platform, name):
    method, path, status = PATHS[name]

    assert httpx.request(method, platform.urls["public"] + path).status_code == status


@pytest.mark.parametrize("path", ["/app/v1/sessions/challenges", "/app/v1/sessions"])
def test_a_body_in_pieces_is_refused_rather_than_taken_for_none(platform, path):
    port = json.loads((platform.directory.root / "ports.json").read_text())["accounts"]
    pieces = iter([b'{"device_id":', b'"dev_1"}'])

    answer = httpx.post(
        f"http://127.0.0.1:{port}{path}",
        content=pieces,
        headers={"Content-Type": "application/json"},
    )

    assert (answer.status_code, answer.json()["code"]) == (411, "length_required")


def test_the_one_url_leads_nobody_to_the_receiver(platform):
    method, path, _ = PATHS["receiver"]

    assert httpx.request(method, platform.urls["public"] + path).status_code == 404


@pytest.mark.parametrize("act", acts.ACTS, ids=lambda act: act.play.__name__)
def test_every_kind_of_payment_ends_as_it_should(stage, page, act):
    act.play(stage, page)

    assert page.broken == []


def test_the_books_are_the_switchs_journal(stage, page):
    acts.on_us(stage, page)

    proof.prove(stage, page)

    assert page.broken == []
