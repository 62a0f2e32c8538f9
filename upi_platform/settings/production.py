"""The platform at a bank. It refuses to start when a secret or an address is missing."""

from django.core.exceptions import ImproperlyConfigured

from upi_platform.settings.base import *

if not SECRET_KEY:
    raise ImproperlyConfigured("DJANGO_SECRET_KEY is not set")
if not PKCS11_USER_PIN:
    raise ImproperlyConfigured("PKCS11_USER_PIN is not set")
if FAULT_AT or FAULT_TRACE:
    raise ImproperlyConfigured("fault injection is not for production")
if UPI_TIMER_SCALE != 1 or UPI_TIMERS_FIXED:
    raise ImproperlyConfigured("UPI_TIMER_SCALE and UPI_TIMERS_FIXED are not for production")
if CORE_BANKING["OPTIONS"] and CORE_BANKING_FILES_URL.startswith("http:"):
    raise ImproperlyConfigured("CORE_BANKING_FILES_URL is proof, and travels by https only")

SECURE_SSL_REDIRECT = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
# A browser sends these only over TLS and only to this very host.
SESSION_COOKIE_NAME = "__Host-session"
CSRF_COOKIE_NAME = "__Host-csrf"
