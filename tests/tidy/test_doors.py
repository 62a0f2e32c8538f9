"""Every path asks who is there, or is listed here as open to strangers."""

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

# Open to strangers, and why.
PUBLIC = {
    "livez": "a load balancer asks before anybody is known",
    "readyz": "as above; it names dependencies, not addresses",
    "docs": "documentation",
    "docs/errors": "documentation",
    "docs/openapi": "documentation",
    "app/v1/sessions": "the door itself: the device's signature is the proof",
    "app/v1/sessions/challenges": "the first step of that door",
    "": "leads to the log-in page",
}
# Signed messages prove who sent them; there is nothing to log in with.
SIGNED = "upi/"
STRANGERS = {301, 302, 401, 403, 404, 405}


def _paths(patterns, prefix: str = "") -> list[str]:
    found = []
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found += _paths(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            found.append(route)
    return found


def _api_paths() -> list[str]:
    return sorted(
        {path for path in _paths(get_resolver().url_patterns) if not path.startswith("admin/")}
    )


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_is_turned_away_everywhere_else(method):
    let_in = {}
    for path in _api_paths():
        if path in PUBLIC or path.startswith(SIGNED):
            continue
        response = getattr(Client(), method)(_filled("/" + path), content_type="application/json")
        if response.status_code not in STRANGERS:
            let_in[path] = response.status_code

    assert let_in == {}


def _filled(route: str) -> str:
    while "<" in route:
        before, _, rest = route.partition("<")
        route = f"{before}x{rest.partition('>')[2]}"
    return route


def test_every_public_path_exists():
    assert set(PUBLIC) - set(_api_paths()) == set()
