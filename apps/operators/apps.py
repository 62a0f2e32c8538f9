"""Registers the app with Django."""

from django.apps import AppConfig


class OperatorsConfig(AppConfig):
    """The bank's staff: who they are, what they may do, what they did."""

    name = "apps.operators"
    label = "operators"
    default_auto_field = "django.db.models.BigAutoField"
