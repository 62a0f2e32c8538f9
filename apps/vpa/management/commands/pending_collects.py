"""Ask the switch which collects wait for an address of ours."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.common import clock
from apps.common.errors import DomainError
from apps.vpa.services import pending

_POLL_SECONDS = 0.2
_WAIT_SECONDS = 15.0


class Command(BaseCommand):
    """Print the transactions that the switch holds for an address, and which never reached us."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the address, and how long to wait."""
        parser.add_argument("address", help="a customer's address, such as asha@exbank")
        parser.add_argument("--wait", type=float, default=_WAIT_SECONDS, help="seconds")

    def handle(self, **options: Any) -> None:
        """Ask, wait, print."""
        try:
            exchange_id = pending.ask(options["address"].lower(), at=clock.now())
        except DomainError as error:
            raise CommandError(error.detail) from error
        found = pending.answer(exchange_id)
        for _ in range(int(options["wait"] / _POLL_SECONDS)):
            if found is not None:
                break
            time.sleep(_POLL_SECONDS)
            found = pending.answer(exchange_id)
        if found is None:
            raise CommandError("The switch has not answered.")
        for each in found:
            reached = "reached us" if each.is_known else "NEVER REACHED US"
            self.stdout.write(f"{each.transaction_id} {each.kind:<8} {reached}")
        self.stdout.write(f"{len(found)} pending")
