"""Check that nobody changed, added, or removed an entry of the audit log."""

import re
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.operators.errors import AuditBrokenError
from apps.operators.services import audit

_KNOWN = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")


class Command(BaseCommand):
    """Walks the chain and prints its end, to be kept where the database's owner cannot write."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the end that an earlier walk printed."""
        parser.add_argument(
            "--known", metavar="SEQUENCE:DIGEST", help="what an earlier walk printed"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the end of the chain, or fail with the entry that does not hold."""
        del args
        sequence, digest = 0, ""
        if options["known"]:
            known = _KNOWN.fullmatch(options["known"])
            if known is None:
                raise CommandError("--known is SEQUENCE:DIGEST, as an earlier walk printed it")
            sequence, digest = int(known[1]), known[2]
        try:
            end = audit.verify(known_sequence=sequence, known_digest=digest)
        except AuditBrokenError as error:
            raise CommandError(f"the audit log is broken: {error}") from error
        self.stdout.write(f"{end[0]}:{end[1]}")
