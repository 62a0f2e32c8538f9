"""A PKCS#11 module: the environment's, else SoftHSM v2 of the machine or from its package."""

import ctypes
import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from deploy.local import environment
from deploy.local.directory import REPOSITORY, LocalDirectory
from deploy.local.errors import NotAvailableError, NotReadyError
from deploy.local.server import External, Server

TOKEN_LABEL = "upi-local"  # noqa: S105 - a name, not a secret
PACKAGES = ("libsofthsm2", "softhsm2-common")
LIBRARY_NAME = "libsofthsm2.so"
INSTALLED = (
    Path("/usr/lib/softhsm"),
    Path("/usr/lib/x86_64-linux-gnu/softhsm"),
    Path("/usr/lib/aarch64-linux-gnu/softhsm"),
    Path("/usr/local/lib/softhsm"),
    Path("/usr/lib64/softhsm"),
    Path("/usr/lib64/pkcs11"),
)
DOWNLOAD_SECONDS = 180.0
KEYS_SECONDS = 60.0
SETTINGS = {"DJANGO_SETTINGS_MODULE": "upi_platform.settings.development"}
KEY_SETTINGS = REPOSITORY / "upi_platform" / "settings" / "upi.py"
HOW_TO_GET = "SoftHSM v2 is missing and could not be downloaded: apt-get install libsofthsm2"


def find(directory: LocalDirectory) -> Server:
    """Return the module the environment names, else SoftHSM with its tokens in the directory."""
    given = environment.inherited()
    names = ("PKCS11_MODULE", "PKCS11_TOKEN_LABEL", "PKCS11_USER_PIN")
    if all(given.get(name) for name in names):
        more = {"SOFTHSM2_CONF", "PKCS11_SO_PIN"} & given.keys()
        return External("hsm", {name: given[name] for name in (*names, *more)})
    return SoftHsm(directory)


class SoftHsm:
    """SoftHSM v2: a library, so there is no process, only a configuration and a token folder."""

    name = "hsm"
    origin = "SoftHSM v2"

    def __init__(self, directory: LocalDirectory) -> None:
        self._directory = directory
        self._library = Path()
        self._log = directory.logs / "hsm.log"

    def launch(self) -> None:
        """Find or fetch the library and write its configuration."""
        self._library, self.origin = find_library(self._directory)
        tokens = self._directory.data("softhsm") / "tokens"
        tokens.mkdir(mode=0o700, exist_ok=True)
        self._configuration.write_text(
            f"directories.tokendir = {tokens}\n"
            "objectstore.backend = file\n"
            "log.level = ERROR\n"
            "slots.removable = false\n"
            # A forked child must not go on with its parent's sessions.
            "library.reset_on_fork = true\n"
        )

    def wait_until_ready(self) -> None:
        """Make the token and the bank's keys that are not there yet. Raises NotReadyError."""
        made = self._configuration.with_name("keys-made")
        wanted = _named_keys() + self._host_keys()
        if made.exists() and made.read_text() == wanted:
            return
        keys = {"KEYS_DIRECTORY": str(self._directory.keys)}
        with self._log.open("ab") as output:
            finished = subprocess.run(
                [sys.executable, "-m", "deploy.local.token_keys"],
                cwd=REPOSITORY,
                env=environment.inherited() | SETTINGS | keys | self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
                timeout=KEYS_SECONDS,
            )
        if finished.returncode != 0:
            message = f"the token's keys could not be made: see {self._log}"
            raise NotReadyError(message)
        made.write_text(wanted)

    def environment(self) -> dict[str, str]:
        """Return the library, its configuration and the token's name and PINs."""
        return {
            "PKCS11_MODULE": str(self._library),
            "PKCS11_TOKEN_LABEL": TOKEN_LABEL,
            "PKCS11_USER_PIN": self._directory.secret("hsm.user_pin", characters=16),
            "PKCS11_SO_PIN": self._directory.secret("hsm.so_pin", characters=16),
            "SOFTHSM2_CONF": str(self._configuration),
        }

    def is_running(self) -> bool:
        """Say yes: a library does not die by itself."""
        return True

    def pid(self) -> int | None:
        """Return None: a library works in the processes that loaded it."""
        return None

    def stop(self) -> None:
        """Do nothing: it ends with the processes that loaded it."""

    def _host_keys(self) -> str:
        """Return what the host wrapped for the token: when that changes, it is taken in."""
        files = sorted(self._directory.keys.glob("*.host-mac.wrapped"))
        return "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}\n" for file in files)

    @property
    def _configuration(self) -> Path:
        return self._directory.data("softhsm") / "softhsm2.conf"


def _named_keys() -> str:
    """Return what the settings say of keys: when that changes, there are keys to make."""
    lines = KEY_SETTINGS.read_text().splitlines()
    return "".join(f"{line}\n" for line in lines if line.startswith("HSM_"))


def find_library(directory: LocalDirectory) -> tuple[Path, str]:
    """Return the library and a word on where it is from. Raises NotAvailableError."""
    for folder in INSTALLED:
        if (folder / LIBRARY_NAME).exists():
            return folder / LIBRARY_NAME, "SoftHSM v2 of this machine"
    unpacked = directory.cache / "softhsm"
    with (directory.cache / "softhsm.lock").open("w") as lock:
        # Two data directories that start at once share the download.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not unpacked.exists():
            _download(unpacked)
    library = next(unpacked.rglob(LIBRARY_NAME))
    try:
        ctypes.CDLL(str(library))
    except OSError as error:
        message = f"SoftHSM v2 cannot be loaded ({error}): apt-get install libsofthsm2"
        raise NotAvailableError(message) from error
    return library, "Debian package libsofthsm2, unpacked"


def _download(target: Path) -> None:
    """Fetch and unpack the packages with apt's own client, which needs no root for that."""
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise NotAvailableError(HOW_TO_GET)
    draft = target.with_name("softhsm.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    private = _private_lists(draft)
    fetched = _succeeds(["apt-get", "-q", "download", *PACKAGES], cwd=draft)
    if not fetched and _succeeds(["apt-get", "-q", *private, "update"], cwd=draft):
        # A fresh machine has no package lists yet; ours are kept apart, since root owns the others.
        fetched = _succeeds(["apt-get", "-q", *private, "download", *PACKAGES], cwd=draft)
    unpacked = fetched and all(
        _succeeds(["dpkg", "-x", str(package), str(draft / "root")], cwd=draft)
        for package in draft.glob("*.deb")
    )
    if not unpacked or next(draft.rglob(LIBRARY_NAME), None) is None:
        raise NotAvailableError(HOW_TO_GET)
    (draft / "root").rename(target)
    shutil.rmtree(draft)


def _private_lists(folder: Path) -> list[str]:
    state, cache = folder / "state", folder / "archives"
    (state / "lists" / "partial").mkdir(parents=True)
    (cache / "archives" / "partial").mkdir(parents=True)
    return ["-o", f"Dir::State={state}", "-o", f"Dir::Cache={cache}", "-o", "APT::Sandbox::User="]


def _succeeds(command: list[str], *, cwd: Path) -> bool:
    try:
        finished = subprocess.run(
            command, cwd=cwd, capture_output=True, check=False, timeout=DOWNLOAD_SECONDS
        )
    except subprocess.TimeoutExpired:
        return False
    return finished.returncode == 0
