"""Which paths this process serves: those of the services it is told to be, and its health."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, path

from upi_platform import health, metrics_urls
from upi_platform.services import METRICS, SERVICES, urls_of

_told = [name for name in settings.UPI_SERVICES if name != METRICS]
_names = SERVICES if "all" in _told else _told
urlpatterns: list[URLPattern | URLResolver] = [
    path("livez", health.live),
    path("readyz", health.ready),
    *urls_of(_names),
    *(metrics_urls.urlpatterns if METRICS in settings.UPI_SERVICES else ()),
]

handler400 = "upi_platform.error_views.bad_request"
handler404 = "upi_platform.error_views.not_found"
handler500 = "upi_platform.error_views.failed"
