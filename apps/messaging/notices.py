"""Tell whoever listens to a channel of a change (`listening`), after the commit."""

from collections.abc import Sequence

from apps.messaging import hints


def notify_on_commit(channel: str, words: Sequence[str]) -> None:
    """
    Tell whoever listens to a channel, once the open transaction has committed.

    At once when none is open. The empty word says that anything may be new. A word may be lost, and
    never fails the caller: who listens looks for himself from time to time.
    """
    hints.send_on_commit(words=[(channel, word) for word in words])
