"""What every request gets: an id, and a log context that ends with it."""

from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

from apps.common import ids


class RequestContextMiddleware:
    """Binds a request id to the log context and returns it in the header Request-Id."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Serve the request inside its own log context."""
        request_id = ids.public_id("req", ids.uuid7())
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        response = self.get_response(request)
        response["Request-Id"] = request_id
        return response
