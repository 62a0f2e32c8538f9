"""Which paths this process serves: those of the services that UPI_SERVICES names."""

from django.conf import settings
from django.urls import URLPattern, URLResolver

from upi_platform.services import SERVICES, urls_of

_names = SERVICES if "all" in settings.UPI_SERVICES else settings.UPI_SERVICES
urlpatterns: list[URLPattern | URLResolver] = urls_of(_names)
