"""The certificates of one machine: made once, used again while they last, and for whom."""

import datetime as dt
import stat

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from apps.common import clock
from deploy.local import certificates


@pytest.fixture
def folder(tmp_path):
    assert certificates.make(tmp_path)
    return tmp_path


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_each_end_has_a_certificate_of_its_organisation_by_one_authority(folder):
    authority = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())

    owners = {}
    for name in ("receiver", "switch", "host"):
        certificate = x509.load_pem_x509_certificate((folder / f"{name}.pem").read_bytes())
        certificate.verify_directly_issued_by(authority)
        [organisation] = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        owners[name] = organisation.value

    assert owners == {"receiver": "900001", "switch": "NPCI", "host": "EXBHOST"}


def test_keys_are_for_their_owner_only_and_the_authority_s_is_forgotten(folder):
    keys = sorted(folder.glob("*.key"))

    assert [key.name for key in keys] == ["host.key", "receiver.key", "switch.key"]
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}


def test_a_set_is_used_again_while_it_is_valid(folder):
    before = contents(folder)

    assert not certificates.make(folder)
    assert contents(folder) == before


def test_a_set_that_ends_soon_is_replaced_as_a_whole(folder, monkeypatch):
    before = contents(folder)
    later = clock.now() + certificates.LIFE - dt.timedelta(days=29)
    monkeypatch.setattr(clock, "now", lambda: later)

    assert certificates.make(folder)
    after = contents(folder)
    assert not {name for name in before if after[name] == before[name]}


def test_a_set_that_lacks_a_file_is_replaced(folder):
    (folder / "switch.key").unlink()

    assert certificates.make(folder)
    assert (folder / "switch.key").exists()
