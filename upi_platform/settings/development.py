"""The platform on one machine, against the sandbox."""

from upi_platform.settings.base import *

WEBHOOK_ALLOW_PRIVATE = True
MESSAGING_CHECK_EVENTS = True
# The first start makes its own keys; nobody is there to decide.
HSM_KEYS_BY_CEREMONY = False
# Static files are served from the packages that bring them; nothing is collected first.
WHITENOISE_AUTOREFRESH = True
STATIC_ROOT = None
# `manage.py certify`; it speaks to the platform from outside and shares nothing with it.
INSTALLED_APPS = [*INSTALLED_APPS, "conformance"]
