"""Plants the bugs when a process starts; a file says which of them is awake."""

import os
from pathlib import Path

from django.apps import AppConfig

FILE_VARIABLE = "PLANT_FILE"


class PlantsConfig(AppConfig):
    """Wraps functions of the engine; without a word in the file they do what they always do."""

    name = "tests.conformance.plants"
    label = "plants"

    def ready(self) -> None:
        # Models can be imported only from here on.
        from tests.conformance.plants import bugs  # noqa: PLC0415

        bugs.plant()


def awake() -> str:
    """Return the name of the bug that is to do its harm now; empty if none is."""
    file = Path(os.environ[FILE_VARIABLE])
    return file.read_text().strip() if file.exists() else ""
