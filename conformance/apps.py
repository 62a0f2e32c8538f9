"""The Django entry: it is there so that `manage.py certify` is."""

from django.apps import AppConfig


class ConformanceConfig(AppConfig):
    """No models, no URLs: one command."""

    name = "conformance"
    verbose_name = "Conformance"
