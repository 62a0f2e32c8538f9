"""The platform's services and the paths of each; the ingress routes by the same prefixes."""

from collections.abc import Iterable

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

# Service name -> path prefix -> URL module of the app behind it.
SERVICES: dict[str, dict[str, str]] = {
    "receiver": {},
    "payments": {},
    "balance": {},
    "vpa": {},
    "merchants": {},
    "accounts": {},
    "backoffice": {},
    "live": {},
}


def urls_of(names: Iterable[str]) -> list[URLPattern | URLResolver]:
    """Return the URL patterns of the named services. Raises KeyError for an unknown service."""
    patterns: list[URLPattern | URLResolver] = []
    for name in names:
        patterns += [path(prefix, include(module)) for prefix, module in SERVICES[name].items()]
        if name == "backoffice":
            patterns.append(path("admin/", admin.site.urls))
    return patterns
