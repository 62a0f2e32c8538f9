"""What the tests of the REST API share."""

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def empty_redis():
    """No session or counter of an earlier test is left."""
    cache.clear()
