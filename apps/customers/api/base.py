"""What the views of the app API share."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.views import APIView

from apps.customers.api.authentication import CustomerAuthentication, IsCustomer
from apps.customers.contracts import CustomerPrincipal


class CustomerView(APIView):
    """A view that only a customer on a bound device reaches."""

    authentication_classes: ClassVar = [CustomerAuthentication]
    permission_classes: ClassVar = [IsCustomer]


def principal_of(request: Request) -> CustomerPrincipal:
    """Return the customer whom the view's authentication found."""
    principal = request.user
    assert isinstance(principal, CustomerPrincipal), "IsCustomer lets nobody else in"
    return principal
