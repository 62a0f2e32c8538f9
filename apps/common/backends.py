"""Ports whose adapter is chosen by a setting, in the way Django chooses a cache."""

from collections.abc import Mapping
from typing import Any

from django.utils.module_loading import import_string


def build(entry: Mapping[str, Any]) -> Any:
    """Build the adapter that a setting `{"BACKEND": dotted name, "OPTIONS": {…}}` names."""
    return import_string(entry["BACKEND"])(**entry.get("OPTIONS", {}))
