"""Send a heartbeat to the switch again and again."""

from argparse import ArgumentParser
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import close_old_connections

from apps.common import clock
from apps.messaging.stopping import stopped_by_signal
from apps.upi.services import heartbeat

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    """Send ReqHbt each UPI_HEARTBEAT_SECONDS, until told to stop."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take whether to stop after one."""
        parser.add_argument("--once", action="store_true", help="send one and stop")

    def handle(self, **options: Any) -> None:
        """Beat, then wait."""
        stopped = stopped_by_signal()
        log.info("heartbeat_started", every_seconds=settings.UPI_HEARTBEAT_SECONDS)
        while True:
            outcome = heartbeat.beat(now=clock.now())
            self.stdout.write(f"heartbeat {outcome.result.value}")
            if options["once"] or stopped.wait(settings.UPI_HEARTBEAT_SECONDS):
                return
            close_old_connections()
