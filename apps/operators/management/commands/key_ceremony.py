"""Do at the token what two officers decided: `manage.py key_ceremony list | carry-out`."""

import getpass
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.common.errors import DomainError
from apps.operators.models import Proposal
from apps.operators.services import key_ceremony
from hsm.errors import HsmError

_LISTED_MAX = 50


class Command(BaseCommand):
    """Proposals are made and decided in the back office, by people who logged in there."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what can be done."""
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="the newest proposals about keys, and who decided")
        done = actions.add_parser("carry-out", help="do what was approved; safe to repeat")
        done.add_argument("proposal", type=int)
        done.add_argument("--file", type=Path, help="the wrapped key that is to be taken in")
        done.add_argument("--transport-key", help="what it was wrapped for, if not the settings'")

    def handle(self, *_args: Any, action: str, **options: Any) -> None:
        """Do it. Raises CommandError."""
        if action == "list":
            self._list()
            return
        file: Path | None = options["file"]
        try:
            done = key_ceremony.carry_out(
                options["proposal"],
                actor=f"console:{getpass.getuser()}",
                wrapped=file.read_bytes() if file else b"",
                transport_key=options["transport_key"],
            )
        except (DomainError, HsmError, OSError) as error:
            raise CommandError(f"{getattr(error, 'code', 'file')}: {error}") from error
        self.stdout.write(done)

    def _list(self) -> None:
        found = Proposal.objects.filter(action__in=key_ceremony.KEY_ACTIONS)
        people = found.select_related("proposed_by", "decided_by").order_by("-pk")
        for one in people[:_LISTED_MAX]:
            decided = one.decided_by.staff_number if one.decided_by else "nobody"
            self.stdout.write(
                f"{one.pk}  {one.action}  {one.subject}  {one.state}  "
                f"by {one.proposed_by.staff_number}, decided by {decided}"
            )
