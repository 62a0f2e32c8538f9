"""The page behind a problem document's `type`: every code and what it means."""

import re

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

# One row of the table in docs/ERRORS.md; that file is the one source.
_ROW = re.compile(
    r"^\| `(?P<code>\w+)` \| (?P<status>\S+) \| \w+ \| (?P<meaning>.+) \|$", re.MULTILINE
)


def errors(request: HttpRequest) -> HttpResponse:
    """Show the table; a link to `#code` leads to its row."""
    text = (settings.BASE_DIR / "docs" / "ERRORS.md").read_text(encoding="utf-8")
    rows = [match.groupdict() for match in _ROW.finditer(text)]
    return render(request, "errors_page.html", {"rows": rows})
