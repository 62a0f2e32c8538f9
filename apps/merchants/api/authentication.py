"""Who calls the merchant API: an API key, as bearer token or by HTTP Basic."""

import base64
import binascii
import re
from typing import Any, ClassVar

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.common import clock
from apps.merchants.contracts import MerchantPrincipal, Scope
from apps.merchants.errors import (
    KeyInQueryError,
    MerchantUnauthenticatedError,
    ScopeMissingError,
)
from apps.merchants.services import keys

_AUTHORIZATION = re.compile(r"(Bearer|Basic) ([A-Za-z0-9_\-+/=]{1,400})")
_KEY_PREFIX = "sk_"


class ApiKeyAuthentication(BaseAuthentication):
    """Reads `Authorization: Bearer sk_…`, or Basic with the key as user or as password."""

    def authenticate(self, request: Request) -> tuple[Any, None]:
        """Return the merchant. Raises MerchantUnauthenticatedError, KeyInQueryError."""
        _refuse_keys_in_query(request)
        match = _AUTHORIZATION.fullmatch(request.META.get("HTTP_AUTHORIZATION", ""))
        if match is None:
            raise MerchantUnauthenticatedError
        text = match[2] if match[1] == "Bearer" else _basic(match[2])
        return keys.authenticate(text), None

    def authenticate_header(self, request: Request) -> str:
        """Say how to authenticate."""
        del request
        return 'Bearer, Basic realm="api"'


class HasScope(BasePermission):
    """Allows merchants whose key has the scope that the view names for the method."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return whether the caller is a merchant; raise ScopeMissingError if the key may not."""
        if not isinstance(request.user, MerchantPrincipal):
            return False
        scopes: dict[str, Scope] = getattr(view, "scopes", {})
        scope = scopes.get(request.method or "")
        if scope is not None and scope not in request.user.scopes:
            raise ScopeMissingError
        return True


class MerchantView(APIView):
    """A view that only a merchant's key reaches; `scopes` names what each method needs."""

    authentication_classes = [ApiKeyAuthentication]
    permission_classes = [HasScope]
    scopes: ClassVar[dict[str, Scope]] = {}


def principal_of(request: Request) -> MerchantPrincipal:
    """Return the merchant whom the view's authentication found."""
    principal = request.user
    assert isinstance(principal, MerchantPrincipal), "HasScope lets nobody else in"
    return principal


def _basic(encoded: str) -> str:
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode("ascii").partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise MerchantUnauthenticatedError from error
    return password or user


def _refuse_keys_in_query(request: Request) -> None:
    for _, values in request.query_params.lists():
        for value in values:
            if value.startswith(_KEY_PREFIX) and keys.revoke_exposed(value, at=clock.now()):
                raise KeyInQueryError


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes the API key in the OpenAPI document."""

    target_class = ApiKeyAuthentication
    name = ["apiKeyBearer", "apiKeyBasic"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        """Return both ways of sending the key."""
        del auto_schema
        return [
            {
                "type": "http",
                "scheme": "bearer",
                "description": "An API key, sk_live_… or sk_test_…",
            },
            {"type": "http", "scheme": "basic", "description": "The key id and the API key"},
        ]
