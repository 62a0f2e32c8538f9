"""Hear what `notices` tells."""

import socket
from types import TracebackType
from typing import Self

import redis
from django.conf import settings

CONNECT_SECONDS = 2.0
# A connection whose other end is gone without a word is asked after so long, and breaks when that
# is not taken for as long again; until then who listens has his own looks.
HEALTH_SECONDS = 15
# So that who is told faster than he hears comes to act on it too.
WORDS_MAX = 1000
# The word that says: look at everything.
ANYTHING = ""


class Listener:
    """A connection of its own that listens to one channel; `close` gives it back."""

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self._client = redis.Redis.from_url(
            settings.CELERY_BROKER_URL,
            decode_responses=True,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_keepalive=True,
            # It counts for what we have sent and nobody has taken; keep-alive alone is then silent.
            socket_keepalive_options={socket.TCP_USER_TIMEOUT: HEALTH_SECONDS * 1000},
            health_check_interval=HEALTH_SECONDS,
        )
        self._heard = self._client.pubsub()  # type: ignore[no-untyped-call]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def hear(self, seconds: float) -> list[str]:
        """
        Return the words said since the last call; if none was, wait so long for one.

        Of more than WORDS_MAX the next call returns the rest. A connection that is new tells
        ANYTHING, for words may have been missed. Raises redis.RedisError or OSError when Redis does
        not answer; the next call connects again.
        """
        if not self._heard.subscribed:
            self._heard.subscribe(self._channel)
        words: list[str] = []
        while len(words) < WORDS_MAX:
            message = self._heard.get_message(timeout=0.0 if words else seconds)
            if message is None:
                break
            words.append(message["data"] if message["type"] == "message" else ANYTHING)
        return words

    def close(self) -> None:
        """Hear nothing more."""
        self._heard.close()
        self._client.close()
