"""Hear what `notices` tells."""

from types import TracebackType
from typing import Self

import redis
from django.conf import settings

CONNECT_SECONDS = 2.0
# A connection whose other end is gone without a word breaks by this at last; until then who listens
# has his own looks.
HEALTH_SECONDS = 15
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

        A connection that is new tells ANYTHING, for words may have been missed. Raises
        redis.RedisError or OSError when Redis does not answer; the next call connects again.
        """
        if not self._heard.subscribed:
            self._heard.subscribe(self._channel)
        words: list[str] = []
        while (message := self._heard.get_message(timeout=0.0 if words else seconds)) is not None:
            words.append(message["data"] if message["type"] == "message" else ANYTHING)
        return words

    def close(self) -> None:
        """Hear nothing more."""
        self._heard.close()
        self._client.close()
