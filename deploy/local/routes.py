"""The table of path prefixes: what the ingress of the cloud routes by, and our router too."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

DEFAULT = Path(__file__).with_name("routes.toml")


def load(path: Path = DEFAULT) -> dict[str, str]:
    """Return prefix to service, the longest prefix first."""
    table: dict[str, str] = tomllib.loads(path.read_text())
    return dict(sorted(table.items(), key=lambda entry: len(entry[0]), reverse=True))


def service_of(target: str, routes: Mapping[str, str]) -> str:
    """Return the service for a request target, by whole segments of its path."""
    path = target.partition("?")[0]
    for prefix, service in routes.items():
        if path == prefix or path.startswith(prefix.rstrip("/") + "/"):
            return service
    return routes["/"]
