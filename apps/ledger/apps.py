"""Registers the app with Django."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """Double-entry books: accounts and the transfers between them."""

    name = "apps.ledger"
    label = "ledger"
    default_auto_field = "django.db.models.BigAutoField"
