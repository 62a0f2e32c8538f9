"""Registers the app with Django."""

from django.apps import AppConfig


class SettlementConfig(AppConfig):
    """Reconciliation of our books with the switch's files."""

    name = "apps.settlement"
    label = "settlement"
    default_auto_field = "django.db.models.BigAutoField"
