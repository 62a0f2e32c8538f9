"""Tell listeners of PostgreSQL after a commit, all words of a transaction by one statement."""

from collections.abc import Sequence

import structlog
from django.db import DatabaseError, connection, transaction

log = structlog.get_logger(__name__)

_SEND = (
    "SELECT pg_notify(channel, word) FROM unnest(%s::text[], %s::text[]) AS said (channel, word)"
)


class _Notices:
    """What one transaction has to tell."""

    def __init__(self) -> None:
        # In the order in which they were said, each once.
        self.said: dict[tuple[str, str], None] = {}

    def send(self) -> None:
        # After the commit, by itself: a NOTIFY inside the transaction would make all commits of the
        # database queue for one lock while each waits for the disk.
        channels, words = zip(*self.said, strict=True)
        try:
            with connection.cursor() as cursor:
                cursor.execute(_SEND, [list(channels), list(words)])
        except DatabaseError as error:
            log.warning("notice_lost", channels=sorted({*channels}), error=type(error).__name__)


def notify_on_commit(channel: str, words: Sequence[str]) -> None:
    """
    Tell whoever listens to a channel, once the open transaction has committed.

    At once when none is open. A word may be lost, and never fails the caller: who listens looks for
    himself from time to time.
    """
    if not words:
        return
    said = dict.fromkeys((channel, word) for word in words)
    for hook in connection.run_on_commit:
        notices = getattr(hook[1], "__self__", None)
        if isinstance(notices, _Notices):
            notices.said.update(said)
            return
    notices = _Notices()
    notices.said = said
    transaction.on_commit(notices.send, robust=True)
