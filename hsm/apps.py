"""Make `hsm` an installed app, so that `manage.py hsm` exists; it has no models."""

from django.apps import AppConfig


class HsmConfig(AppConfig):
    """The hardware security module."""

    name = "hsm"
    verbose_name = "Hardware security module"
