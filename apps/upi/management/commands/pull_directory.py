"""Pull the switch's lists of PSPs, account providers, keys and verified merchants."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.common import clock
from apps.upi.directory_models import DirectoryPull, PullState
from apps.upi.services import pull

_POLL_SECONDS = 0.2


class Command(BaseCommand):
    """Ask for the lists that are due, and show how every list stands."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take whether to wait for the schedule, and for the answers."""
        parser.add_argument("--now", action="store_true", help="all lists, whatever the schedule")
        parser.add_argument("--wait", type=float, default=0, help="seconds to wait for the lists")

    def handle(self, **options: Any) -> None:
        """Ask, wait, show."""
        if options["now"]:
            pull.make_due()
        pull.pull_due()
        for _ in range(int(options["wait"] / _POLL_SECONDS)):
            if not DirectoryPull.objects.filter(state=PullState.ASKED).exists():
                break
            time.sleep(_POLL_SECONDS)
        for row in DirectoryPull.objects.order_by("pk"):
            self.stdout.write(_line(row))


def _line(row: DirectoryPull) -> str:
    pulled = clock.iso(row.pulled_at) if row.pulled_at else "never"
    due = clock.iso(row.next_action_at) if row.next_action_at else "when asked"
    return (
        f"{row.pk:<10} {row.state:<6} {row.rows:>6} rows, pulled {pulled}, due {due} "
        f"{row.result_code}"
    ).rstrip()
