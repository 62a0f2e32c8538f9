"""The platform's services and the paths of each; the ingress routes by the same prefixes."""

from collections.abc import Iterable

from django.urls import URLPattern, URLResolver, include, path

# Not one of the services: only a process told so by name shows them, behind no public router.
METRICS = "metrics"

# Service name -> the path prefixes that it serves -> the app's URL modules behind each.
SERVICES: dict[str, dict[str, tuple[str, ...]]] = {
    "receiver": {"": ("apps.upi.urls",)},
    "payments": {"app/v1/": ("apps.payments.urls_app",), "v1/": ("apps.payments.urls_merchant",)},
    "balance": {"app/v1/": ("apps.customers.urls_balance",)},
    "vpa": {"app/v1/": ("apps.vpa.urls",), "v1/": ("apps.merchants.urls_vpas",)},
    "merchants": {"app/v1/": ("apps.merchants.urls_app",), "v1/": ("apps.merchants.urls",)},
    "accounts": {"app/v1/": ("apps.customers.urls_accounts",)},
    "backoffice": {"": ("upi_platform.backoffice_urls",)},
    "live": {"live/v1/": ("apps.payments.urls_live",)},
}


def urls_of(names: Iterable[str]) -> list[URLPattern | URLResolver]:
    """Return the URL patterns of the named services. Raises KeyError for an unknown service."""
    return [
        path(prefix, include(module))
        for name in names
        for prefix, modules in SERVICES[name].items()
        for module in modules
    ]
