"""Registers the app with Django."""

from django.apps import AppConfig


class VpaConfig(AppConfig):
    """Virtual payment addresses: registration and resolution."""

    name = "apps.vpa"
    label = "vpa"
    default_auto_field = "django.db.models.BigAutoField"
