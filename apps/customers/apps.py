"""Registers the app with Django."""

from django.apps import AppConfig


class CustomersConfig(AppConfig):
    """The PSP's app users: device binding, sessions, linked accounts."""

    name = "apps.customers"
    label = "customers"
    default_auto_field = "django.db.models.BigAutoField"
