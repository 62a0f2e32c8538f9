"""Registers the app with Django."""

from django.apps import AppConfig


class RiskConfig(AppConfig):
    """Dated limit rules and their usage."""

    name = "apps.risk"
    label = "risk"
    default_auto_field = "django.db.models.BigAutoField"
