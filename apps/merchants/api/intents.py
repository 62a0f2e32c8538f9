"""Links that pay orders, and what a link says to whoever would pay it."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common import clock, ids, members
from apps.common.members import InvalidMemberError
from apps.customers.api.base import CustomerView, body_of
from apps.merchants import qr_image
from apps.merchants.api import link_render, link_schemas, schemas
from apps.merchants.api.authentication import MerchantView, principal_of
from apps.merchants.contracts import Scope
from apps.merchants.link_judgement import Source
from apps.merchants.services.order_link import SECURE_INTENT_MODE, order_link
from apps.merchants.services.resolve_link import resolve_link
from apps.upi.links import uri

_EXAMPLES = [
    OpenApiExample("A scan", value={"text": link_schemas.URI}, request_only=True),
    OpenApiExample("An order's link", value=link_schemas.RESOLVED, response_only=True),
]
_RESPONSES = {
    200: link_schemas.ResolvedIntentSchema,
    400: schemas.PROBLEM,
    401: schemas.PROBLEM,
    409: schemas.PROBLEM,
    410: schemas.PROBLEM,
}


class IntentsView(MerchantView):
    """POST /v1/intents."""

    scopes: ClassVar = {"POST": Scope.ORDERS_WRITE}

    @extend_schema(
        operation_id="create_intent",
        tags=["Links"],
        request=link_schemas.IntentDraftSchema,
        responses={
            200: link_schemas.IntentSchema,
            400: schemas.PROBLEM,
            401: schemas.PROBLEM,
            403: schemas.PROBLEM,
            404: schemas.PROBLEM,
            409: schemas.PROBLEM,
            410: schemas.PROBLEM,
        },
        examples=[
            OpenApiExample(
                "An order", value={"order": "ord_01kaq5k0q6e1p8v4c3x2z7w9yd"}, request_only=True
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Get a signed link that pays an order, and the same as a QR code. Nothing is stored."""
        body = body_of(request)
        members.check_known(body, {"order"})
        link = order_link(principal_of(request), order_id_of(body), at=clock.now())
        asked = uri.read(link).intent
        assert asked.expires_at is not None, "an order has an end"
        document = {
            "object": "order_link",
            "order": body["order"],
            "uri": link,
            "qr_svg": qr_image.svg(link),
            "initiation_mode": SECURE_INTENT_MODE,
            "expires_at": clock.iso(asked.expires_at),
        }
        return Response(document)


class ResolveView(MerchantView):
    """POST /v1/intents/resolve."""

    scopes: ClassVar = {"POST": Scope.ORDERS_READ}

    @extend_schema(
        operation_id="resolve_intent",
        tags=["Links"],
        request=link_schemas.LinkTextSchema,
        responses={**_RESPONSES, 403: schemas.PROBLEM},
        examples=_EXAMPLES,
    )
    def post(self, request: Request) -> Response:
        """See what a payer's app would show of a link or QR code, and whether it may be paid."""
        return Response(_resolved(request))


class AppResolveView(CustomerView):
    """POST /app/v1/intents/resolve."""

    @extend_schema(
        operation_id="resolve_scanned_intent",
        tags=["Links"],
        request=link_schemas.LinkTextSchema,
        responses=_RESPONSES,
        examples=_EXAMPLES,
    )
    def post(self, request: Request) -> Response:
        """See what a scanned code or an opened link asks for, and whether it may be paid."""
        return Response(_resolved(request))


def order_id_of(body: dict[str, Any]) -> Any:
    """Return the order that a body names, None if it can be none. Raises InvalidMemberError."""
    value = body.get("order")
    if type(value) is not str:
        raise InvalidMemberError(field="order")
    return ids.parse_public_id("ord", value)


def _resolved(request: Request) -> dict[str, Any]:
    body = body_of(request)
    members.check_known(body, {"text", "source"})
    text, source = body.get("text"), body.get("source", Source.CAMERA.value)
    if type(text) is not str:
        raise InvalidMemberError(field="text")
    if type(source) is not str or source not in set(Source):
        raise InvalidMemberError(field="source")
    return link_render.resolved(resolve_link(text, source=Source(source), at=clock.now()))
