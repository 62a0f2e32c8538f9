"""Settings of the test suite: the development platform, with what tests must see quickly."""

from upi_platform.settings.development import *

SECRET_KEY = SECRET_KEY or "a key that only signs test cookies"
# Hashing is not what these tests are about.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Tests make checks due by hand.
UPI_TIMERS_FIXED = {"CHECK_NOT_BEFORE": 0.0}
