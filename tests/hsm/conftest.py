"""A real SoftHSM token, made once and copied for every test, in a folder of its own."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from hsm import ceremony
from hsm.configuration import configuration
from hsm.sessions import pool

TOKEN = {
    "PKCS11_TOKEN_LABEL": "hsm-tests",
    "PKCS11_USER_PIN": "user-pin-of-tests",
    "PKCS11_SO_PIN": "so-pin-of-tests",
    "HSM_SIGNING_KEY": "xml-signing-1",
    "HSM_ISSUER_KEY": "issuer-20261101",
    "HSM_PIN_KEY": "pin-verification-1",
    "HSM_MAC_KEY": "mac-1",
    "HSM_URI_KEYS": ("uri-ec-1", "uri-rsa-1"),
    "HSM_HOST_MAC_KEY": "host-mac-1",
    "HSM_HOST_TRANSPORT_KEY": "host-transport-1",
    "HSM_HOST_MAC_IS_NEEDED": False,
}


class TokenFolder:
    """Where SoftHSM keeps its tokens: to lose it is to pull the HSM's cable."""

    def __init__(self, folder: Path) -> None:
        self.tokens = folder / "tokens"
        self.tokens.mkdir(parents=True, exist_ok=True)
        self.configuration = folder / "softhsm2.conf"
        self.configuration.write_text(
            f"directories.tokendir = {self.tokens}\n"
            "objectstore.backend = file\n"
            "log.level = ERROR\n"
            # Without it a child can go on with its parent's sessions, and the bug cannot be seen.
            "library.reset_on_fork = true\n"
        )

    def remove(self) -> None:
        self.tokens.rename(self.tokens.with_name("away"))

    def bring_back(self) -> None:
        self.tokens.with_name("away").rename(self.tokens)


def start_anew() -> None:
    configuration.cache_clear()
    pool.start_anew()


def use(folder: TokenFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTHSM2_CONF", str(folder.configuration))
    start_anew()


@pytest.fixture(scope="session")
def prepared_token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = TokenFolder(tmp_path_factory.mktemp("prepared"))
    with pytest.MonkeyPatch.context() as monkeypatch, override_settings(**TOKEN):
        use(folder, monkeypatch)
        ceremony.init_token()
        for label in configuration().key_labels:
            ceremony.create_key(label)
    start_anew()
    return folder.tokens


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TokenFolder]:
    """SoftHSM without any token."""
    folder = TokenFolder(tmp_path)
    with override_settings(**TOKEN):
        use(folder, monkeypatch)
        yield folder
    monkeypatch.undo()
    start_anew()


@pytest.fixture
def token(prepared_token: Path, empty_folder: TokenFolder) -> TokenFolder:
    """SoftHSM with the bank's token and its keys."""
    shutil.copytree(prepared_token, empty_folder.tokens, dirs_exist_ok=True)
    return empty_folder


@pytest.fixture
def in_child():
    """Run a function in a forked child; return what it wrote, or how it died."""

    def run(function) -> str:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.write(writing, repr(function()).encode())
            except BaseException as error:  # noqa: BLE001 - the child ends here, whatever it was
                os.write(writing, repr(error).encode())
            finally:
                os._exit(0)
        os.close(writing)
        _, status = os.waitpid(pid, 0)
        with os.fdopen(reading, "rb") as pipe:
            said = pipe.read().decode()
        return said if status == 0 else f"died: {status}"

    return run
