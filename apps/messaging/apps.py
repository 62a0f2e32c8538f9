"""Registers the app with Django."""

from django.apps import AppConfig


class MessagingConfig(AppConfig):
    """Outbox, inbox, claims and wake-ups: how work and facts move."""

    name = "apps.messaging"
    label = "messaging"
    default_auto_field = "django.db.models.BigAutoField"
