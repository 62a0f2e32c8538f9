"""Who calls the app API: a bearer token, looked up; nothing is read out of it."""

import re
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.customers.contracts import CustomerPrincipal
from apps.customers.errors import UnauthenticatedError
from apps.customers.services import sessions

_BEARER = re.compile(r"Bearer ([A-Za-z0-9_-]{1,200})")


class CustomerAuthentication(BaseAuthentication):
    """Reads `Authorization: Bearer <session token>`."""

    def authenticate(self, request: Request) -> tuple[Any, None]:
        """Return the customer. Raises UnauthenticatedError, DeviceNotBoundError."""
        match = _BEARER.fullmatch(request.META.get("HTTP_AUTHORIZATION", ""))
        if match is None:
            raise UnauthenticatedError
        return sessions.authenticate(match[1]), None

    def authenticate_header(self, request: Request) -> str:
        """Say how to authenticate."""
        del request
        return "Bearer"


class IsCustomer(BasePermission):
    """Allows customers, and nobody who came in by another door."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return whether the caller is a customer."""
        del view
        return isinstance(request.user, CustomerPrincipal)


class CustomerAuthenticationScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes the session token in the OpenAPI document."""

    target_class = CustomerAuthentication
    name = "customerSession"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the scheme."""
        del auto_schema
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "The token of a session, from POST /app/v1/sessions.",
        }
