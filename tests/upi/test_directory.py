"""The directory: whose keys count, from when until when, and how they get in."""

import datetime as dt

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.conf import settings as live
from django.core.management import CommandError, call_command
from django.db import IntegrityError

from apps.common import clock
from apps.upi import selectors
from apps.upi.errors import KeyRefusedError
from apps.upi.models import PeerKey
from apps.upi.services import directory
from hsm import signing
from tests.upi import wire


@pytest.fixture(autouse=True)
def _database(db):
    pass


def enter(key, **facts) -> PeerKey:
    facts = {"valid_from_at": clock.now(), **facts}
    return directory.register_key(
        "NPCI", PeerKey.Purpose.SIGNING, wire.public_pem(key.public_key()), **facts
    )


def numbers(at: dt.datetime) -> list[int]:
    return [key.public_numbers().n for key in selectors.signing_keys("NPCI", at=at)]


def test_a_key_counts_from_its_first_instant_to_its_last(switch_key):
    begins = clock.now()
    ends = begins + dt.timedelta(days=1)
    enter(switch_key, valid_from_at=begins, valid_until_at=ends)
    tick = dt.timedelta(microseconds=1)

    assert numbers(begins - tick) == []
    assert len(numbers(begins)) == 1
    assert len(numbers(ends - tick)) == 1
    assert numbers(ends) == []


def test_two_keys_may_overlap_while_one_replaces_the_other(switch_key):
    enter(switch_key)
    enter(wire.new_key())

    assert len(numbers(clock.now())) == 2


def test_a_revoked_key_does_not_count_and_entering_it_again_does_not_help(switch_key):
    key = enter(switch_key)

    directory.revoke_key(key, at=clock.now())
    enter(switch_key, valid_from_at=clock.now())

    assert numbers(clock.now()) == []


def test_entering_a_key_twice_changes_nothing(switch_key):
    first, second = enter(switch_key), enter(switch_key)

    assert first == second
    assert PeerKey.objects.count() == 1


def test_nobody_we_know_is_not_the_same_as_no_key(peer_key):
    directory.revoke_key(peer_key, at=clock.now())

    assert selectors.signing_keys("NPCI", at=clock.now()) == []
    assert selectors.signing_keys("666666", at=clock.now()) is None


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"not a key",
        wire.public_pem(rsa.generate_private_key(65537, 1024).public_key()),
        ec.generate_private_key(ec.SECP256R1())
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
    ],
    ids=["empty", "text", "short", "elliptic"],
)
def test_what_is_not_an_rsa_key_of_full_length_is_refused(pem):
    with pytest.raises(KeyRefusedError):
        directory.register_key("NPCI", PeerKey.Purpose.SIGNING, pem, valid_from_at=clock.now())

    assert PeerKey.objects.count() == 0


def test_a_key_cannot_end_before_it_begins(switch_key):
    with pytest.raises(IntegrityError, match="peer_key_ends_after_it_begins"):
        enter(switch_key, valid_until_at=clock.now() - dt.timedelta(days=1))


def test_keys_are_exchanged_through_a_folder(tmp_path, settings, switch_key, capsys):
    settings.KEYS_DIRECTORY = tmp_path / "keys"
    (tmp_path / "keys").mkdir()
    pem = wire.public_pem(switch_key.public_key())
    (tmp_path / "keys" / "NPCI.signing.pem").write_bytes(pem)

    call_command("exchange_keys")
    call_command("exchange_keys")

    assert numbers(clock.now()) == [switch_key.public_key().public_numbers().n]
    own = (tmp_path / "keys" / "900001.signing.pem").read_bytes()
    assert own == signing.public_pem(live.HSM_SIGNING_KEY)
    credential = (tmp_path / "keys" / "900001.credential.pem").read_bytes()
    assert credential == signing.public_pem(live.HSM_ISSUER_KEY)
    assert PeerKey.objects.filter(organisation="900001").count() == 2
    assert "NPCI.signing.pem is in the directory" in capsys.readouterr().out


def test_without_the_switch_s_key_the_command_says_which_file_is_missing(tmp_path, settings):
    settings.KEYS_DIRECTORY = tmp_path

    with pytest.raises(CommandError, match=r"NPCI\.signing\.pem"):
        call_command("exchange_keys", "--wait", "0.3")

    assert (tmp_path / "900001.signing.pem").exists()


def test_a_key_is_revoked_by_command(peer_key, capsys):
    call_command("revoke_key", "NPCI", peer_key.fingerprint[:8])

    assert numbers(clock.now()) == []
    assert "is revoked" in capsys.readouterr().out


@pytest.mark.parametrize(("organisation", "length"), [("NPCI", 7), ("NPCI", 0), ("900001", 64)])
def test_only_exactly_one_key_is_revoked(peer_key, organisation, length):
    with pytest.raises(CommandError):
        call_command("revoke_key", organisation, peer_key.fingerprint[:length])

    assert len(numbers(clock.now())) == 1
