"""Apply the events of every consumer group until told to stop."""

import threading
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string

from apps.messaging import consuming
from apps.messaging.stopping import stopped_by_signal

log = structlog.get_logger(__name__)

WATCH_SECONDS = 0.2
END_SECONDS = 10.0


class Command(BaseCommand):
    """Runs one thread per consumer group; when one of them fails the command fails."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the names of groups; none means all."""
        parser.add_argument("groups", nargs="*", help="consumer groups (default: all)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Start the groups and wait for the end."""
        del args
        consumers: Mapping[str, Mapping[str, str]] = import_string(settings.MESSAGING_CONSUMERS)
        unknown = set(options["groups"]) - set(consumers)
        if unknown:
            raise CommandError(f"no such consumer group: {', '.join(sorted(unknown))}")
        stopped = stopped_by_signal()
        threads = [
            threading.Thread(
                target=consuming.run,
                args=(group, consumers[group]),
                kwargs={"stopped": stopped},
                name=group,
                daemon=True,
            )
            for group in options["groups"] or consumers
        ]
        for thread in threads:
            thread.start()
        while not stopped.wait(WATCH_SECONDS):
            dead = [thread.name for thread in threads if not thread.is_alive()]
            if dead:
                raise CommandError(f"consumer group ended: {', '.join(dead)}")
        for thread in threads:
            thread.join(END_SECONDS)
