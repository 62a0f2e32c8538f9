"""Make and check the bank's keys: `manage.py hsm init | create | list | check`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hsm import ceremony
from hsm.configuration import configuration
from hsm.errors import HsmError


class Command(BaseCommand):
    """The token and its keys; no command shows key material."""

    help = __doc__
    # The token can be made before there is a database.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the four things that can be done."""
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("init", help="make the token and set its PINs, unless it is there")
        create = actions.add_parser("create", help="make keys, unless they are there")
        create.add_argument("labels", nargs="*", help="by default the keys the settings name")
        actions.add_parser("list", help="show every key: uses, check value, attributes")
        actions.add_parser("check", help="judge every key; the exit code is 1 if one does not fit")

    def handle(self, *_args: Any, action: str, **options: Any) -> None:
        """Do one of them. Raises CommandError."""
        try:
            if action == "init":
                self._said(configuration().token_label, made=ceremony.init_token())
            elif action == "create":
                self._create(options["labels"])
            elif action == "list":
                self._list()
            else:
                self._check()
        except HsmError as error:
            raise CommandError(f"{error.code}: {error}") from error

    def _create(self, labels: list[str]) -> None:
        for label in labels or configuration().key_labels:
            self._said(label, made=ceremony.create_key(label))

    def _said(self, label: str, *, made: bool) -> None:
        self.stdout.write(f"{label}: {'made' if made else 'there already'}")

    def _list(self) -> None:
        for key in ceremony.list_keys():
            self.stdout.write(
                f"{key.label}  {key.kind}  {key.object_class}\n"
                f"    uses         {', '.join(key.uses) or 'none'}\n"
                f"    check value  {key.check_value}\n"
                f"    attributes   {', '.join(key.attributes)}"
            )

    def _check(self) -> None:
        faults = ceremony.check_keys()
        for fault in faults:
            self.stderr.write(fault)
        if faults:
            raise CommandError(f"{len(faults)} faults: a key that does not fit must not be used")
        self.stdout.write("every key fits")
