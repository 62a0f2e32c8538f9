"""Once a second, wake every step that has due work; remove what is past its time."""

import time
from argparse import ArgumentParser
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import close_old_connections
from django.utils.module_loading import import_string

from apps.messaging import sweeping
from apps.messaging.stopping import stopped_by_signal

log = structlog.get_logger(__name__)

PERIOD_SECONDS = 1.0
PURGE_EVERY_PASSES = 5


class Command(BaseCommand):
    """Finds lost work; two of these run side by side."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take --once, for one pass and one purge."""
        parser.add_argument("--once", action="store_true", help="one pass and one purge")

    def handle(self, *args: Any, **options: Any) -> None:
        """Sweep, at most once a second."""
        del args
        probes = import_string(settings.MESSAGING_SWEEPS)
        purges = import_string(settings.MESSAGING_PURGES)
        stopped = stopped_by_signal()
        passes = 0
        log.info("sweep_started", steps=len(probes))
        while not stopped.is_set():
            begun = time.monotonic()
            close_old_connections()
            sweeping.sweep(probes)
            if passes % PURGE_EVERY_PASSES == 0:
                sweeping.purge(purges)
            passes += 1
            if options["once"]:
                return
            stopped.wait(max(0.0, PERIOD_SECONDS - (time.monotonic() - begun)))
