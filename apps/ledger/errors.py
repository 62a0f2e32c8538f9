"""What keeps a batch from being written."""

from django.db import OperationalError


class BooksTouchedError(OperationalError):
    """
    An account's row was changed by somebody who did not lock the books: try again.

    Some of the batch is written already, so the caller's transaction must not commit.
    """
