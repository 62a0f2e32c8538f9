"""What the views of the app API share."""

from typing import Any

from rest_framework.request import Request
from rest_framework.views import APIView

from apps.common.strict_json import LengthRequiredError, MalformedJsonError
from apps.customers.api.authentication import CustomerAuthentication, IsCustomer
from apps.customers.contracts import CustomerPrincipal
from apps.upi.response_codes import Language, language_of


class CustomerView(APIView):
    """A view that only a customer on a bound device reaches."""

    authentication_classes = [CustomerAuthentication]
    permission_classes = [IsCustomer]


def principal_of(request: Request) -> CustomerPrincipal:
    """Return the customer whom the view's authentication found."""
    principal = request.user
    assert isinstance(principal, CustomerPrincipal), "IsCustomer lets nobody else in"
    return principal


def asked_language(request: Request) -> Language:
    """Return in which language the client wants failures explained."""
    return language_of(request.META.get("HTTP_ACCEPT_LANGUAGE", ""))


def body_of(request: Request) -> dict[str, Any]:
    """
    Return the members of the request's body, none if there is no body.

    Raises LengthRequiredError for a body that is there and would not be read.
    """
    if "HTTP_TRANSFER_ENCODING" in request.META:
        raise LengthRequiredError
    body = request.data
    assert isinstance(body, dict), "the strict parser reads objects only"
    return body


def stated_body_of(request: Request) -> dict[str, Any]:
    """
    Return the members of a body that must be there, be it empty: nobody moves money by silence.

    Raises LengthRequiredError, MalformedJsonError.
    """
    body = body_of(request)
    if (request.META.get("CONTENT_LENGTH") or "0") == "0":
        raise MalformedJsonError
    return body
