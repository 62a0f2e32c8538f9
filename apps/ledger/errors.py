"""What keeps a batch from being written; nothing of it stays."""

from django.db import OperationalError


class BooksTouchedError(OperationalError):
    """An account's row was changed by somebody who did not lock the books: try again."""
