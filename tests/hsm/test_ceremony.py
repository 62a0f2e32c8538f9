"""Making the token and its keys, and judging every key in it."""

import fcntl
import subprocess
import sys
import threading

import pytest
from django.conf import settings
from django.test import override_settings
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass
from pkcs11.exceptions import AttributeSensitive, KeyUnextractable, PKCS11Error

from hsm import ceremony, keys, signing
from hsm.configuration import configuration
from hsm.errors import HsmUnavailableError, KeyUnfitError, TokenUnfitError
from hsm.sessions import pool
from tests.hsm.conftest import start_anew

SEALED = {
    Attribute.PRIVATE: True,
    Attribute.SENSITIVE: True,
    Attribute.EXTRACTABLE: False,
    Attribute.COPYABLE: False,
    Attribute.MODIFIABLE: False,
}


def tokens():
    return pool.run_alone(
        lambda library: [
            slot.get_token().label for slot in library.get_slots() if slot.get_token().label
        ]
    )


def write(work):
    """Do what somebody with the token's login could do."""

    def writing(session):
        with session.raw.token.open(rw=True) as writable:
            return work(writable)

    return pool.run(writing, is_audited=False)


def plant_secret(label="pin-verification-2", *, flags=MechanismFlag.WRAP, bits=256, **changes):
    template = {**SEALED, **{Attribute[name]: value for name, value in changes.items()}}
    write(
        lambda session: session.generate_key(
            KeyType.AES, bits, label=label, store=True, capabilities=flags, template=template
        )
    )


def plant_pair(label="issuer-20271101", *, bits=2048, flags=MechanismFlag.UNWRAP, **changes):
    template = {Attribute.SIGN_RECOVER: False, **SEALED}
    template |= {Attribute[name]: value for name, value in changes.items()}
    write(
        lambda session: session.generate_keypair(
            KeyType.RSA,
            bits,
            label=label,
            store=True,
            capabilities=flags,
            public_template=keys.ISSUER.public_template(),
            private_template=template,
        )
    )


def test_a_token_is_made_once(empty_folder):
    assert ceremony.init_token() is True
    assert ceremony.init_token() is False

    assert tokens() == ["hsm-tests"]


def test_a_token_cut_short_between_its_two_pins_is_finished(empty_folder):
    def half(library):
        library.init_token(
            slot_id=library.get_slots()[0].slot_id, label="hsm-tests", so_pin="so-pin-of-tests"
        )

    pool.run_alone(half)

    assert ceremony.init_token() is True
    assert ceremony.create_key("mac-1") is True
    assert tokens() == ["hsm-tests"]


def test_four_processes_make_one_token_and_one_key_each_kind(empty_folder):
    script = (
        "import django; django.setup()\n"
        "from hsm import ceremony\n"
        "from hsm.configuration import configuration\n"
        "made = [ceremony.init_token()]\n"
        "made += [ceremony.create_key(label) for label in configuration().key_labels]\n"
        "print(sum(made))\n"
    )
    settings = (
        "import sys; from django.conf import settings\n"
        f"settings.configure(INSTALLED_APPS=['hsm'], {_as_arguments()})\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", settings + script], stdout=subprocess.PIPE)
        for _ in range(4)
    ]

    said = [process.communicate(timeout=60)[0].splitlines()[-1] for process in running]

    assert sum(int(number) for number in said) == 7
    assert ceremony.check_keys() == []
    assert tokens() == ["hsm-tests"]


def _as_arguments():
    names = ["PKCS11_MODULE", "PKCS11_TOKEN_LABEL", "PKCS11_USER_PIN", "PKCS11_SO_PIN"]
    names += ["HSM_SIGNING_KEY", "HSM_ISSUER_KEY", "HSM_PIN_KEY", "HSM_MAC_KEY", "HSM_URI_KEYS"]
    names += ["HSM_HOST_MAC_KEY", "HSM_HOST_TRANSPORT_KEY", "HSM_HOST_MAC_IS_NEEDED"]
    return ", ".join(f"{name}={getattr(settings, name)!r}" for name in names)


@pytest.mark.parametrize("label", ["", "x" * 33, "é" * 17])
def test_a_label_that_a_token_cannot_bear_is_refused(empty_folder, label):
    with override_settings(PKCS11_TOKEN_LABEL=label):
        configuration.cache_clear()
        with pytest.raises(HsmUnavailableError):
            ceremony.init_token()
    configuration.cache_clear()

    assert tokens() == []


def test_an_officer_pin_that_the_module_refuses_is_reported(empty_folder):
    with override_settings(PKCS11_SO_PIN="1"):
        configuration.cache_clear()
        with pytest.raises(HsmUnavailableError, match="C_InitToken"):
            ceremony.init_token()
    configuration.cache_clear()


def test_a_module_without_an_empty_slot_is_reported():
    with pytest.raises(HsmUnavailableError, match="no slot"):
        ceremony._empty_slot([])


def test_an_empty_slot_is_found_behind_a_token(token):
    slot = pool.run_alone(lambda library: ceremony._empty_slot(library.get_slots()))

    assert slot.get_token().label == ""


def test_a_module_that_does_not_exist_is_unavailable(empty_folder, tmp_path):
    for module in (tmp_path / "missing.so", tmp_path / "empty.so"):
        (tmp_path / "empty.so").touch()
        with override_settings(PKCS11_MODULE=str(module)):
            start_anew()
            with pytest.raises(HsmUnavailableError):
                ceremony.init_token()
            with pytest.raises(HsmUnavailableError):
                ceremony.list_keys()


def test_makers_wait_for_each_other_but_not_for_ever(token, monkeypatch):
    with configuration().module.open("rb") as module:
        fcntl.flock(module, fcntl.LOCK_EX)
        monkeypatch.setattr(ceremony, "LOCK_TRIES_MAX", 2)
        with pytest.raises(HsmUnavailableError):
            ceremony.create_key("mac-2")

        monkeypatch.setattr(ceremony, "LOCK_TRIES_MAX", 300)
        threading.Timer(0.3, lambda: fcntl.flock(module, fcntl.LOCK_UN)).start()
        assert ceremony.create_key("mac-2") is True


def test_a_token_is_not_remade_under_those_who_use_it(token):
    with pytest.raises(HsmUnavailableError):
        pool.run(lambda _session: ceremony.init_token())


def test_keys_made_by_us_fit(token):
    assert ceremony.check_keys() == []


def test_a_key_is_made_once(token):
    assert ceremony.create_key("xml-signing-2") is True
    assert ceremony.create_key("xml-signing-2") is False

    assert ceremony.check_keys() == []


@pytest.mark.parametrize(
    "label", ["", "signing", "issuer-1", "mac-1\n", "mac-١", "xml-signing-12345"]
)
def test_a_label_of_no_kind_makes_no_key(token, label):
    with pytest.raises(KeyUnfitError):
        ceremony.create_key(label)

    assert len(ceremony.list_keys()) == 10


def test_a_pair_cut_short_is_made_again(token):
    def cut(session):
        session.generate_keypair(
            KeyType.RSA,
            2048,
            label="issuer-20271101",
            store=True,
            capabilities=MechanismFlag.UNWRAP,
        )
        for key in list(session.get_objects({Attribute.LABEL: "issuer-20271101"})):
            if key.object_class is ObjectClass.PRIVATE_KEY:
                key.destroy()

    write(cut)
    assert ceremony.check_keys() != []

    assert ceremony.create_key("issuer-20271101") is True
    assert ceremony.check_keys() == []


def test_a_list_shows_what_may_be_seen(token):
    listed = {(key.label, key.object_class): key for key in ceremony.list_keys()}

    assert {label: key.uses for (label, _), key in listed.items() if key.uses} == {
        "issuer-20261101": ("UNWRAP",),
        "mac-1": ("SIGN", "VERIFY"),
        "pin-verification-1": ("WRAP",),
        "uri-ec-1": ("SIGN",),
        "uri-rsa-1": ("SIGN",),
        "xml-signing-1": ("SIGN",),
    }
    issuer = listed["issuer-20261101", "PRIVATE_KEY"]
    assert issuer.kind == "issuer"
    assert len(issuer.check_value) == 64
    assert issuer.check_value == listed["issuer-20261101", "PUBLIC_KEY"].check_value
    assert len(listed["pin-verification-1", "SECRET_KEY"].check_value) == 6
    assert len(listed["uri-ec-1", "PUBLIC_KEY"].check_value) == 64
    assert listed["uri-ec-1", "PRIVATE_KEY"].check_value == ""
    assert issuer.attributes == (
        "PRIVATE",
        "SENSITIVE",
        "not EXTRACTABLE",
        "not COPYABLE",
        "not MODIFIABLE",
        "LOCAL",
        "ALWAYS_SENSITIVE",
        "NEVER_EXTRACTABLE",
    )


@pytest.mark.parametrize(
    ("_case", "plant", "fault"),
    [
        ("extractable",     lambda: plant_secret(EXTRACTABLE=True), "EXTRACTABLE is True"),
        ("not sensitive",   lambda: plant_secret(SENSITIVE=False),  "SENSITIVE is False"),
        ("changeable",      lambda: plant_secret(MODIFIABLE=True),  "MODIFIABLE is True"),
        ("copyable",        lambda: plant_secret(COPYABLE=True),    "COPYABLE is True"),
        ("not private",     lambda: plant_secret(PRIVATE=False),    "PRIVATE is False"),
        ("also unwraps",    lambda: plant_secret(UNWRAP=True),      "UNWRAP is True"),
        ("does not wrap",   lambda: plant_secret(WRAP=False),       "WRAP is False"),
        ("short",           lambda: plant_secret(bits=128),         "VALUE_LEN is 16"),
        ("of another kind", lambda: plant_secret("mac-2"),          "KEY_TYPE is"),
        ("decrypts",        lambda: plant_pair(DECRYPT=True),       "DECRYPT is True"),
        ("signs too",       lambda: plant_pair(SIGN_RECOVER=True),  "SIGN_RECOVER is True"),
        ("small modulus",   lambda: plant_pair(bits=1024),          "does not have 2048 bits"),
        ("not of ours",     lambda: plant_secret("wrapper"),        "not a key of ours"),
        ("a twin",          lambda: plant_secret("mac-1"),          "there is more than one"),
        ("without a label", lambda: plant_secret(None),             "not a key of ours"),
    ],
)  # fmt: skip
def test_a_planted_key_is_found(token, _case, plant, fault):
    plant()

    assert any(fault in found for found in ceremony.check_keys())


def test_an_imported_key_is_found(token):
    write(
        lambda session: session.create_object(
            {
                Attribute.CLASS: ObjectClass.SECRET_KEY,
                Attribute.KEY_TYPE: KeyType.AES,
                Attribute.LABEL: "pin-verification-2",
                Attribute.TOKEN: True,
                Attribute.WRAP: True,
                Attribute.VALUE: bytes(32),
                **SEALED,
            }
        )
    )

    faults = ceremony.check_keys()

    assert "pin-verification-2: LOCAL is False" in faults
    assert "pin-verification-2: ALWAYS_SENSITIVE is False" in faults


def test_a_missing_key_is_found(token):
    with override_settings(HSM_PIN_KEY="pin-verification-2", HSM_MAC_KEY="other"):
        configuration.cache_clear()

        assert ceremony.check_keys() == ["other: missing", "pin-verification-2: missing"]
    configuration.cache_clear()


def test_objects_that_are_no_keys_are_passed_over(token):
    write(
        lambda session: session.create_object(
            {
                Attribute.CLASS: ObjectClass.DATA,
                Attribute.LABEL: "note",
                Attribute.TOKEN: True,
                Attribute.VALUE: b"x",
            }
        )
    )

    assert ceremony.check_keys() == []
    assert len(ceremony.list_keys()) == 10


def test_a_key_that_does_not_fit_is_not_used(token):
    # The audit at the login is past.
    signing.sign("xml-signing-1", b"x")
    write(
        lambda session: session.generate_keypair(
            KeyType.RSA, 2048, label="xml-signing-2", store=True, capabilities=MechanismFlag.SIGN
        )
    )

    with pytest.raises(KeyUnfitError, match="MODIFIABLE is True"):
        signing.sign("xml-signing-2", b"x")
    with pytest.raises(KeyUnfitError):
        ceremony.create_key("xml-signing-2")


def test_a_label_borne_by_two_keys_is_not_used(token):
    plant_pair("xml-signing-1", flags=MechanismFlag.SIGN)
    start_anew()

    with pytest.raises(TokenUnfitError, match="more than one"):
        signing.sign("xml-signing-1", b"x")


@pytest.mark.parametrize(
    "label",
    ["xml-signing-1", "issuer-20261101", "pin-verification-1", "mac-1", "uri-ec-1", "uri-rsa-1"],
)
def test_a_key_keeps_its_uses_and_stays_in_the_token(token, label):
    """Try, with the token's login, what an intruder would."""
    kind = keys.kind_of(label)

    def attempt(session):
        [key] = session.get_objects({Attribute.CLASS: kind.object_class, Attribute.LABEL: label})
        wrapper = session.generate_key(
            KeyType.AES, 256, capabilities=MechanismFlag.WRAP | MechanismFlag.UNWRAP
        )
        for use in keys.USES:
            with pytest.raises(PKCS11Error):
                key[use] = True
        for name, value in (("EXTRACTABLE", True), ("SENSITIVE", False), ("MODIFIABLE", True)):
            with pytest.raises(PKCS11Error):
                key[Attribute[name]] = value
        with pytest.raises(PKCS11Error):
            key.copy({Attribute.EXTRACTABLE: True})
        with pytest.raises(KeyUnextractable):
            wrapper.wrap_key(key, mechanism=Mechanism.AES_KEY_WRAP_PAD)
        for secret in (Attribute.VALUE, Attribute.PRIVATE_EXPONENT, Attribute.PRIME_1):
            if kind.key_type is KeyType.RSA or secret is Attribute.VALUE:
                with pytest.raises(PKCS11Error) as refused:
                    key[secret]
                assert refused.type is AttributeSensitive or kind.key_type is KeyType.RSA

    write(attempt)

    assert ceremony.check_keys() == []


def test_two_threads_make_one_key(token):
    made = []
    threads = [
        threading.Thread(target=lambda: made.append(ceremony.create_key("mac-2"))) for _ in range(2)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(made) == [False, True]
