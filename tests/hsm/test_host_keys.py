"""Core banking's MAC key: made by the host, wrapped for us, and never outside the token here."""

import os
from io import StringIO

import pytest
from cryptography.hazmat.primitives import cmac, serialization
from cryptography.hazmat.primitives.ciphers import algorithms
from django.core.management import CommandError, call_command
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass
from pkcs11.exceptions import AttributeSensitive

from hsm import ceremony, host_keys, keys, mac, signing
from hsm.configuration import configuration
from hsm.errors import HsmUnavailableError, KeyMissingError, KeyUnfitError, WrappedKeyRefusedError
from hsm.sessions import pool
from tests.hsm.credentials import OAEP
from tests.hsm.test_ceremony import write
from tests.hsm.test_pin import session_objects

HOST_KEY = bytes(range(32))
TRANSPORT, MAC = "host-transport-1", "host-mac-1"


@pytest.fixture
def folder(token, settings, tmp_path):
    """Where keys are exchanged; our public key is there, the host's file is not."""
    settings.KEYS_DIRECTORY = tmp_path / "keys"
    assert host_keys.exchange() is False
    return settings.KEYS_DIRECTORY


def wrap(key=HOST_KEY, *, public=None):
    public = public or serialization.load_pem_public_key(
        host_keys.transport_key_file().read_bytes()
    )
    return public.encrypt(key, OAEP)


def by_host(message, key=HOST_KEY):
    code = cmac.CMAC(algorithms.AES(key))
    code.update(message)
    return code.finalize()


def labels():
    return {(one.label, one.object_class) for one in ceremony.list_keys()}


def test_the_key_that_the_host_wrapped_gives_the_hosts_codes(folder):
    host_keys.wrapped_mac_key_file().write_bytes(wrap())
    messages = [b"", b"0200", bytes(1000)]

    assert host_keys.exchange() is True

    assert mac.cmacs(MAC, messages) == [by_host(message) for message in messages]
    assert mac.cmacs(MAC, []) == []
    assert ceremony.check_keys() == []
    assert session_objects() == 0


def test_an_exchange_that_is_repeated_changes_nothing(folder):
    pem = host_keys.transport_key_file().read_bytes()
    host_keys.wrapped_mac_key_file().write_bytes(wrap())
    host_keys.exchange()
    host_keys.wrapped_mac_key_file().write_bytes(wrap(bytes(32)))

    assert host_keys.exchange() is True

    assert host_keys.transport_key_file().read_bytes() == pem
    assert mac.cmacs(MAC, [b"x"]) == [by_host(b"x")]


def test_an_imported_key_only_makes_codes_and_cannot_be_read(folder):
    host_keys.import_mac_key(MAC, wrap())

    def work(session):
        key = session.key(MAC, keys.HOST_MAC)
        with pytest.raises(AttributeSensitive):
            key[Attribute.VALUE]
        return hasattr(key, "encrypt"), hasattr(key, "wrap_key")

    assert pool.run(work) == (False, False)
    (listed,) = [one for one in ceremony.list_keys() if one.label == MAC]
    assert listed.uses == ("SIGN", "VERIFY")


def test_a_transport_key_unwraps_and_does_nothing_else(folder):
    (listed,) = [
        one
        for one in ceremony.list_keys()
        if (one.label, one.object_class) == (TRANSPORT, "PRIVATE_KEY")
    ]

    assert listed.uses == ("UNWRAP",)
    with pytest.raises(KeyUnfitError):
        signing.sign(TRANSPORT, b"x")


@pytest.mark.parametrize(
    ("_case", "wrapped"),
    [
        ("empty", lambda: b""),
        ("a byte short", lambda: wrap()[:-1]),
        ("noise", lambda: bytes(256)),
        ("damaged", lambda: wrap()[:-1] + bytes([wrap()[-1] ^ 1])),
        ("a key of 128 bits", lambda: wrap(bytes(16))),
        ("a key of 320 bits", lambda: wrap(bytes(40))),
        ("a key of odd bytes", lambda: wrap(bytes(31))),
        ("no key", lambda: wrap(b"")),
        ("for another key", lambda: wrap(public=signing.public_key("issuer-20261101"))),
    ],
)
def test_what_is_no_key_for_us_is_refused_and_leaves_nothing(folder, _case, wrapped):
    before = labels()

    with pytest.raises(WrappedKeyRefusedError):
        host_keys.import_mac_key(MAC, wrapped())

    assert labels() == before
    assert session_objects() == 0


def test_a_key_can_come_only_under_a_label_of_its_kind(folder):
    with pytest.raises(KeyUnfitError):
        host_keys.import_mac_key("mac-2", wrap())
    with pytest.raises(KeyMissingError):
        host_keys.import_mac_key(MAC, wrap(), transport_key="host-transport-2")
    with pytest.raises(KeyUnfitError):
        host_keys.import_mac_key(MAC, wrap(), transport_key="issuer-20261101")


def test_an_import_while_the_token_is_away_is_no_refusal(folder, token):
    wrapped = wrap()
    token.remove()

    with pytest.raises(HsmUnavailableError):
        host_keys.import_mac_key(MAC, wrapped)


def test_a_key_of_the_host_is_not_made_here(token):
    with pytest.raises(KeyUnfitError, match="imported"):
        ceremony.create_key(MAC)


def test_a_mac_key_that_was_made_here_is_found_unfit(folder):
    write(
        lambda session: session.generate_key(
            KeyType.AES,
            256,
            label=MAC,
            store=True,
            capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY,
            template=keys.HOST_MAC.template(),
        )
    )

    with pytest.raises(KeyUnfitError, match="LOCAL is True"):
        mac.cmacs(MAC, [b"x"])


@pytest.mark.parametrize(
    "change", [{"EXTRACTABLE": True}, {"SENSITIVE": False}, {"MODIFIABLE": True}, {"WRAP": True}]
)
def test_a_mac_key_that_could_leave_or_do_more_is_found_unfit(folder, change):
    template = keys.HOST_MAC.template() | {Attribute[name]: value for name, value in change.items()}

    def plant(session):
        wanted = {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.LABEL: TRANSPORT}
        (own,) = list(session.get_objects(wanted))
        own.unwrap_key(
            ObjectClass.SECRET_KEY,
            KeyType.AES,
            wrap(),
            label=MAC,
            store=True,
            mechanism=Mechanism.RSA_PKCS_OAEP,
            mechanism_param=configuration().profile.oaep_parameters(),
            capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY,
            template=template,
        )

    write(plant)

    with pytest.raises(KeyUnfitError, match=next(iter(change))):
        mac.cmacs(MAC, [b"x"])


def hsm(*arguments):
    said = StringIO()
    call_command("hsm", *arguments, stdout=said)
    return said.getvalue().splitlines()


def test_a_second_pair_of_keys_is_exchanged_beside_the_first(folder, tmp_path):
    public, wrapped = tmp_path / "second.pem", tmp_path / "second.wrapped"
    other = os.urandom(32)
    hsm("create", "host-transport-2")
    hsm("export-host", "--label", "host-transport-2", "--file", str(public))
    wrapped.write_bytes(wrap(other, public=serialization.load_pem_public_key(public.read_bytes())))
    host_keys.import_mac_key(MAC, wrap())

    said = hsm(
        *("import-host", "--label", "host-mac-2", "--file", str(wrapped)),
        *("--transport-key", "host-transport-2"),
    )

    assert said == [f"host-mac-2: imported, check value {by_host(bytes(16), other)[:5].hex()}"]
    assert mac.cmacs("host-mac-2", [b"x"]) == [by_host(b"x", other)]
    assert mac.cmacs(MAC, [b"x"]) == [by_host(b"x")]


def test_an_import_before_the_host_has_answered_says_what_is_missing(folder):
    with pytest.raises(CommandError, match=r"host-mac\.wrapped"):
        hsm("import-host", "--wait", "0.3")
