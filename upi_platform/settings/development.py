"""The platform on one machine, against the sandbox."""

from upi_platform.settings.base import *

WEBHOOK_ALLOW_PRIVATE = True
MESSAGING_CHECK_EVENTS = True
