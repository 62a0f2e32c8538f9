"""An operator at a page that changes something: fills it in, looks, confirms."""

import re
from dataclasses import dataclass
from typing import Any

from django.test import Client

REASON = "Order 17 of the branch in Pune"


@dataclass(slots=True)
class Form:
    """One page that changes something, in one operator's browser."""

    browser: Client
    url: str

    def open(self) -> Any:
        return self.browser.get(self.url)

    def look(self, **fields: str) -> Any:
        """Fill it in, and see what would change."""
        return self.browser.post(self.url, {"reason": REASON, **fields})

    def confirm(self, shown: Any, **fields: str) -> Any:
        """Confirm what a page showed."""
        (seen,) = re.findall(r'name="seen" value="([0-9a-f]*)"', shown.content.decode())
        return self.browser.post(self.url, {"reason": REASON, **fields, "seen": seen})

    def change(self, **fields: str) -> Any:
        """Fill in and confirm."""
        return self.confirm(self.look(**fields), **fields)
