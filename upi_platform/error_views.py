"""What a path that is not ours, or a bug, looks like: a problem document to programs."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults

from apps.common.problem import MEDIA_TYPE, problem

# Pages for people; everything else is for programs.
_PAGES = ("/admin", "/docs")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404; an unknown path looks exactly like an unknown id."""
    if request.path.startswith(_PAGES):
        return defaults.page_not_found(request, exception)
    return _document(status=404, code="not_found", title="Not found")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400 to a request that no view could read."""
    if request.path.startswith(_PAGES):
        return defaults.bad_request(request, exception)
    return _document(status=400, code="invalid_parameter", title="A parameter is not valid")


def failed(request: HttpRequest) -> HttpResponse:
    """Answer 500; what went wrong is in the log under the request's id, and nowhere else."""
    if request.path.startswith(_PAGES):
        return defaults.server_error(request)
    return _document(status=500, code="internal_error", title="Something went wrong here")


def _document(**members: Any) -> JsonResponse:
    document = problem(**members)
    return JsonResponse(document, status=document["status"], content_type=MEDIA_TYPE)
