"""The pages about facts under way and about what is parked."""

from apps.messaging.admin.dead_letter import DeadLetterAdmin
from apps.messaging.admin.outbox_event import OutboxEventAdmin

__all__ = ["DeadLetterAdmin", "OutboxEventAdmin"]
