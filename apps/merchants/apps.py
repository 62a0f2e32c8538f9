"""Registers the app with Django."""

from django.apps import AppConfig


class MerchantsConfig(AppConfig):
    """Merchants: API keys, orders, webhooks."""

    name = "apps.merchants"
    label = "merchants"
    default_auto_field = "django.db.models.BigAutoField"
