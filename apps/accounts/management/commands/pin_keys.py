"""Say how many PINs each PIN verification key verifies: an old key's time ends with its last."""

from typing import Any

from django.core.management.base import BaseCommand

from apps.accounts.services import pin_keys
from hsm.configuration import configuration


class Command(BaseCommand):
    """Prints a line for each key; `manage.py key_ceremony` ends a key that verifies none."""

    help = __doc__

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Print."""
        today = configuration().pin_key
        for label, verifiers in ({today: 0} | dict(pin_keys.verifiers_by_key())).items():
            role = "today's" if label == today else "ends"
            self.stdout.write(f"{label}  {verifiers}  {role}")
