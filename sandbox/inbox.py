"""What reaches people outside: text messages, and the webhooks of a merchant's server."""

import datetime as dt
from collections import defaultdict, deque
from dataclasses import dataclass, field

_KEPT_MAX = 1000
_OK = 204


@dataclass(frozen=True, slots=True)
class TextMessage:
    """A text message as the phone shows it."""

    to: str
    text: str = field(repr=False)
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """One call of a merchant's webhook, byte for byte, so that its signature can be checked."""

    headers: dict[str, str]
    body: str
    at: dt.datetime
    status: int


@dataclass(slots=True)
class Inbox:
    """Text messages and webhook deliveries, the latest ones of each. A restart forgets them."""

    texts: deque[TextMessage] = field(default_factory=lambda: deque(maxlen=_KEPT_MAX))
    deliveries: dict[str, deque[Delivery]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=_KEPT_MAX))
    )
    statuses: dict[str, int] = field(default_factory=dict)

    def texts_to(self, number: str) -> list[TextMessage]:
        """Return the messages to a number, the oldest first; all of them without a number."""
        return [text for text in self.texts if number in {"", text.to}]

    def deliver(self, name: str, *, headers: dict[str, str], body: str, at: dt.datetime) -> int:
        """Record a webhook call and return the status that this sink answers with."""
        status = self.statuses.get(name, _OK)
        self.deliveries[name].append(Delivery(headers, body, at, status))
        return status
