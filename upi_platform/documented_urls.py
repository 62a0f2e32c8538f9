"""The paths that the API documentation covers: every service's, whichever process shows it."""

from upi_platform.services import SERVICES, urls_of

urlpatterns = urls_of(name for name in SERVICES if name not in {"receiver", "backoffice"})
