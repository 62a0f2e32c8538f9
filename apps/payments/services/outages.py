"""Which errors say that someone we need is away."""

from django.db import InterfaceError, OperationalError
from redis.exceptions import RedisError

from hsm.errors import HsmUnavailableError

# To halve a batch would not help, so its legs wait.
OUTAGES = (OperationalError, InterfaceError, RedisError, HsmUnavailableError)
