"""Which service receives which UPI message: (message, Txn type) to an app's endpoint."""

from collections.abc import Mapping

ROUTES: Mapping[tuple[str, str], str] = {}
