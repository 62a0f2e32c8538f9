"""Exchange public keys with the switch through a folder of PEM files."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.common import clock
from apps.upi.models import PeerKey
from apps.upi.services import directory
from hsm import signing

_POLL_SECONDS = 0.2
_SIGNING = "signing"
_CREDENTIAL = "credential"


class Command(BaseCommand):
    """Write our public keys for the switch, and enter the switch's into the directory."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take how long to wait for the switch's file."""
        parser.add_argument("--wait", type=float, default=0, help="seconds to wait for its key")

    def handle(self, **options: Any) -> None:
        """Write, then read."""
        folder = Path(settings.KEYS_DIRECTORY)
        folder.mkdir(parents=True, exist_ok=True)
        own = {_SIGNING: settings.HSM_SIGNING_KEY, _CREDENTIAL: settings.HSM_ISSUER_KEY}
        purposes = {
            _SIGNING: PeerKey.Purpose.SIGNING,
            _CREDENTIAL: PeerKey.Purpose.CREDENTIAL,
        }
        now = clock.now()
        for use, label in own.items():
            pem = signing.public_pem(label)
            _write(folder / f"{settings.UPI_ORG_ID}.{use}.pem", pem)
            directory.register_key(settings.UPI_ORG_ID, purposes[use], pem, valid_from_at=now)
        for use, is_required in ((_SIGNING, True), (_CREDENTIAL, False)):
            file = folder / f"{settings.UPI_SWITCH_ORG_ID}.{use}.pem"
            if not _appears(file, seconds=options["wait"] if is_required else 0):
                if is_required:
                    raise CommandError(f"The switch's key is missing: {file}")
                continue
            directory.register_key(
                settings.UPI_SWITCH_ORG_ID, purposes[use], file.read_bytes(), valid_from_at=now
            )
            self.stdout.write(f"{file.name} is in the directory")


def _write(file: Path, pem: bytes) -> None:
    # In one step, so that a reader never sees half a key.
    half = file.with_suffix(".part")
    half.write_bytes(pem)
    half.replace(file)


def _appears(file: Path, *, seconds: float) -> bool:
    for _ in range(int(seconds / _POLL_SECONDS)):
        if file.exists():
            return True
        time.sleep(_POLL_SECONDS)
    return file.exists()
