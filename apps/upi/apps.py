"""Registers the app with Django."""

from django.apps import AppConfig


class UpiConfig(AppConfig):
    """The UPI wire: messages, signatures, exchanges, directory."""

    name = "apps.upi"
    label = "upi"
    verbose_name = "UPI network"
    default_auto_field = "django.db.models.BigAutoField"
