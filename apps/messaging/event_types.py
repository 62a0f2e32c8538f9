"""The catalogue of public facts: each type has a schema and an example in docs/events/."""

from pathlib import Path

from django.conf import settings

from apps.messaging.contracts import topic_of


def directory() -> Path:
    """Return where the schemas are."""
    return Path(settings.BASE_DIR, "docs", "events")


def names() -> list[str]:
    """Return every event type that has a schema, in order."""
    return sorted(path.stem for path in directory().glob("*.json"))


def topics() -> list[str]:
    """Return the topics of all event types."""
    return sorted({topic_of(name) for name in names()})
