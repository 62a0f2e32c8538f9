"""Which paths this process serves: those of the services it is told to be, and its health."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, path

from upi_platform import health
from upi_platform.services import SERVICES, urls_of

_names = SERVICES if "all" in settings.UPI_SERVICES else settings.UPI_SERVICES
urlpatterns: list[URLPattern | URLResolver] = [
    path("livez", health.live),
    path("readyz", health.ready),
    *urls_of(_names),
]

handler400 = "upi_platform.error_views.bad_request"
handler404 = "upi_platform.error_views.not_found"
handler500 = "upi_platform.error_views.failed"
