"""Apply parked events again, or publish again what a Kafka cluster has lost."""

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string

from apps.messaging import inbox, refill, selectors

HOURS_MAX = refill.CONSUMED_DAYS * 24 - 1


class Command(BaseCommand):
    """Replays dead letters of one consumer, or refills Kafka from the outbox."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what to replay."""
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--consumer", help="replay this consumer group's dead letters")
        what.add_argument(
            "--from-outbox", action="store_true", help="publish the outbox's last hours again"
        )
        parser.add_argument("--subject", help="only this subject (with --consumer)")
        parser.add_argument(
            "--hours", type=int, default=refill.REFILL_HOURS, help="(--from-outbox)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it and say how much; fail when something stays parked."""
        del args
        if options["from_outbox"]:
            if not 0 < options["hours"] <= HOURS_MAX:
                raise CommandError(f"--hours is 1 to {HOURS_MAX}")
            events = refill.unpublish(hours=options["hours"])
            self.stdout.write(f"{events} events will be published again")
            return
        self._replay(options["consumer"], options["subject"])

    def _replay(self, consumer: str, subject: str | None) -> None:
        consumers: Mapping[str, Mapping[str, str]] = import_string(settings.MESSAGING_CONSUMERS)
        if consumer not in consumers:
            raise CommandError(f"no such consumer group: {consumer}")
        subjects = [subject] if subject else selectors.parked_subjects(consumer)
        applied = sum(
            inbox.replay(consumer, consumers[consumer], subject=parked) for parked in subjects
        )
        left = selectors.parked_subjects(consumer)
        self.stdout.write(f"{applied} events applied, {len(left)} subjects still parked")
        if left:
            raise CommandError("something is still parked: see the dead letters' reasons")
