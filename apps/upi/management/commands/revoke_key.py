"""End a participant's public key at once."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.common import clock
from apps.upi.models import PeerKey
from apps.upi.services import directory

FINGERPRINT_LENGTH_MIN = 8


class Command(BaseCommand):
    """Revoke a key of the directory: nothing that it signs is accepted from now on."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take whose key it is, and which."""
        parser.add_argument("organisation", help="orgId, such as NPCI")
        parser.add_argument("fingerprint", help="SHA-256 of the key, or how it begins (8 or more)")

    def handle(self, **options: Any) -> None:
        """Find exactly one key, and end it."""
        keys = PeerKey.objects.filter(
            organisation=options["organisation"], fingerprint__startswith=options["fingerprint"]
        )
        if len(options["fingerprint"]) < FINGERPRINT_LENGTH_MIN or keys.count() != 1:
            raise CommandError("The directory has not exactly one such key.")
        key = keys.get()
        directory.revoke_key(key, at=clock.now())
        self.stdout.write(f"{key} is revoked")
