"""Send a heartbeat to the switch again and again."""

from argparse import ArgumentParser
from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections

from apps.common import clock
from apps.messaging.stopping import stopped_by_signal
from apps.upi import timers
from apps.upi.services import heartbeat
from apps.upi.timer_models import Timer
from hsm.errors import TokenUnfitError
from hsm.starting import audit_keys

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    """Send ReqHbt at the interval of its timer, until told to stop."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take whether to stop after one."""
        parser.add_argument("--once", action="store_true", help="send one and stop")

    def handle(self, **options: Any) -> None:
        """Beat, then wait. Raises CommandError when the token holds a wrong key."""
        try:
            audit_keys()
        except TokenUnfitError as error:
            raise CommandError(f"{error.code}: {error}") from error
        stopped = stopped_by_signal()
        log.info("heartbeat_started", every_seconds=timers.seconds(Timer.HEARTBEAT))
        while True:
            outcome = heartbeat.beat(now=clock.now())
            self.stdout.write(f"heartbeat {outcome.result.value}")
            if options["once"] or stopped.wait(timers.seconds(Timer.HEARTBEAT)):
                return
            close_old_connections()
