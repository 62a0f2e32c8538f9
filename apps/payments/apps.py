"""Registers the app with Django."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    """UPI transactions and their legs: the payment engine."""

    name = "apps.payments"
    label = "payments"
    default_auto_field = "django.db.models.BigAutoField"
