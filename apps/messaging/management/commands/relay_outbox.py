"""Carry the outbox to Kafka until told to stop."""

import time
from argparse import ArgumentParser
from typing import Any

import redis
import structlog
from confluent_kafka import KafkaException
from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections

from apps.messaging import event_types, kafka, outbox
from apps.messaging.errors import RelayStoppedError
from apps.messaging.listening import Listener
from apps.messaging.relay import Relay
from apps.messaging.stopping import stopped_by_signal

log = structlog.get_logger(__name__)

WAIT_SECONDS = 1.0
# Rounds begin at least so far apart, so that under load one takes what many commits have left. The
# first after a quiet while begins at once.
APART_SECONDS = 0.1


class Command(BaseCommand):
    """Publishes what is in the outbox; several relays may run side by side."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take --once, which ends when nothing is due."""
        parser.add_argument("--once", action="store_true", help="end when nothing is due")

    def handle(self, *args: Any, **options: Any) -> None:
        """Work while there is work, else wait for a word or a second."""
        del args
        stopped = stopped_by_signal()
        relay = Relay()
        has_topics = False
        log.info("relay_started")
        with Listener(outbox.CHANNEL) as listener:
            while not stopped.is_set():
                begun = time.monotonic()
                try:
                    close_old_connections()
                    if not has_topics:
                        kafka.ensure_topics(event_types.topics())
                        has_topics = True
                    # What was committed since has told us: the wait for its word ends at once.
                    if relay.work() and (relay.is_behind or options["once"]):
                        continue
                    if options["once"]:
                        break
                    stopped.wait(max(0.0, begun + APART_SECONDS - time.monotonic()))
                    _wait(listener)
                except (KafkaException, RelayStoppedError, DatabaseError) as error:
                    log.warning("relay_waits", error=type(error).__name__, reason=str(error))
                    stopped.wait(WAIT_SECONDS)
        relay.close()


def _wait(listener: Listener) -> None:
    """Wait until something was written, or for a second: without Redis nobody tells of it."""
    try:
        listener.hear(WAIT_SECONDS)
    except (redis.RedisError, OSError) as error:
        log.warning("relay_hears_nothing", error=type(error).__name__)
        time.sleep(WAIT_SECONDS)
