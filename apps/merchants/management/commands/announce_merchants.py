"""Announce our merchants to the network's list of verified merchants."""

from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.common import clock
from apps.merchants.models import Announcement
from apps.merchants.services import announce
from apps.upi.errors import UpiError


class Command(BaseCommand):
    """Send what changed of our merchants, and show how the announcements stand."""

    help = __doc__

    def handle(self, **options: Any) -> None:
        """Send, then count."""
        del options
        try:
            outcome = announce.announce(at=clock.now())
        except UpiError as error:
            raise CommandError(error.detail) from error
        sent = f"sent: {outcome.result.value} {outcome.code}" if outcome else "nothing to announce"
        self.stdout.write(sent.rstrip())
        states = Counter(Announcement.objects.values_list("state", flat=True))
        for state, merchants in sorted(states.items()):
            self.stdout.write(f"{state:<8} {merchants}")
