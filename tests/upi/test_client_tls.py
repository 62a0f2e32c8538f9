"""Our client shows its certificate to the switch, and talks with no other."""

import ssl

import pytest
from lxml import etree

from apps.upi import client
from apps.upi.client import Parcel
from apps.upi.contracts import SendResult
from deploy.local import certificates
from tests.upi import wire
from tests.upi.switch import Switch

BEAT = wire.fresh("HEARTBEAT")
PARCEL = Parcel(
    api="ReqHbt",
    txn_id=BEAT.find("Txn").get("id"),
    msg_id=BEAT.find("Head").get("msgId"),
    body=etree.tostring(BEAT),
)


@pytest.fixture
def folder(db, tmp_path, settings):
    certificates.make(tmp_path)
    for name, value in certificates.environment_of(tmp_path).items():
        setattr(settings, name, value)
    client.close()
    yield tmp_path
    client.close()


def listening(folder):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=folder / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(folder / "switch.pem", folder / "switch.key")
    return context


def test_the_switch_sees_the_certificate_of_our_organisation(folder, settings):
    with Switch(tls=listening(folder)) as switch:
        settings.UPI_SWITCH_URL = switch.url
        [posted] = client.post_many([PARCEL])
        [received] = switch.posted

    assert posted.result is SendResult.ACKED
    assert ("organizationName", "900001") in [pair for (pair,) in received.certificate["subject"]]


def test_nothing_is_sent_to_a_switch_of_another_authority(folder, settings, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    certificates.make(other)

    with Switch(tls=listening(other)) as switch:
        settings.UPI_SWITCH_URL = switch.url
        [posted] = client.post_many([PARCEL])

    assert posted.result is SendResult.NOT_SENT
    assert switch.posted == []
