"""The bank's keys: `manage.py hsm init | create | list | check | export-host | import-host | …`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from hsm import ceremony, host_keys
from hsm.configuration import configuration
from hsm.errors import HsmError

_OF_TWO_PERSONS = ("create", "import-host")


class Command(BaseCommand):
    """The token and its keys; no command shows key material."""

    help = __doc__
    # The token can be made before there is a database.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what can be done."""
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("init", help="make the token and set its PINs, unless it is there")
        create = actions.add_parser("create", help="make keys, unless they are there")
        create.add_argument("labels", nargs="*", help="by default the keys the settings name")
        actions.add_parser("list", help="show every key: uses, check value, attributes")
        actions.add_parser("check", help="judge every key; the exit code is 1 if one does not fit")
        export = actions.add_parser("export-host", help="write the public key for core banking")
        export.add_argument("--label", help="by default the transport key the settings name")
        export.add_argument("--file", type=Path, help="by default in the folder of exchanged keys")
        taken = actions.add_parser("import-host", help="take in the MAC key core banking wrapped")
        taken.add_argument("--label", help="by default the MAC key the settings name")
        taken.add_argument("--file", type=Path, help="by default in the folder of exchanged keys")
        taken.add_argument("--transport-key", help="what it was wrapped for, if not the settings'")
        taken.add_argument("--wait", type=float, default=0, help="seconds to wait for the file")

    def handle(self, *_args: Any, action: str, **options: Any) -> None:
        """Do one of them. Raises CommandError."""
        if action in _OF_TWO_PERSONS and settings.HSM_KEYS_BY_CEREMONY:
            raise CommandError("nobody does this alone here: see manage.py key_ceremony")
        try:
            if action == "init":
                self._said(configuration().token_label, made=ceremony.init_token())
            elif action == "create":
                self._create(options["labels"])
            elif action == "list":
                self._list()
            elif action == "export-host":
                self._export_host(**options)
            elif action == "import-host":
                self._import_host(**options)
            else:
                self._check()
        except HsmError as error:
            raise CommandError(f"{error.code}: {error}") from error

    def _create(self, labels: list[str]) -> None:
        for label in labels or configuration().key_labels:
            self._said(label, made=ceremony.create_key(label))

    def _export_host(self, *, label: str | None, file: Path | None, **_options: Any) -> None:
        label = label or configuration().host_transport_key
        file = file or host_keys.transport_key_file()
        host_keys.show_transport_key(label, file)
        self.stdout.write(f"{label}: its public half is in {file}")

    def _import_host(
        self,
        *,
        label: str | None,
        file: Path | None,
        transport_key: str | None,
        wait: float,
        **_options: Any,
    ) -> None:
        label = label or configuration().host_mac_key
        file = file or host_keys.wrapped_mac_key_file()
        if not host_keys.appears(file, seconds=wait):
            raise CommandError(f"core banking has not put its key there: {file}")
        made = host_keys.import_mac_key(label, file.read_bytes(), transport_key=transport_key)
        state = "imported" if made else "there already"
        self.stdout.write(f"{label}: {state}, check value {host_keys.check_value(label)}")

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
