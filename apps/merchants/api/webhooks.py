"""Webhook endpoints: where a merchant wants to be told, and what came of telling it."""

import re
from typing import ClassVar

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common import clock, ids, members
from apps.common.pages import asked_page, page
from apps.customers.api.base import body_of
from apps.merchants import selectors, webhook_signature
from apps.merchants.api import render, schemas
from apps.merchants.api.authentication import MerchantView, principal_of
from apps.merchants.contracts import Scope
from apps.merchants.errors import InvalidUrlError
from apps.merchants.models import WebhookEndpoint
from apps.merchants.services import endpoints

_URL = re.compile(r"[!-~]{1,4096}")


class EndpointsView(MerchantView):
    """GET and POST /v1/webhook_endpoints."""

    scopes: ClassVar = {"GET": Scope.WEBHOOKS_WRITE, "POST": Scope.WEBHOOKS_WRITE}

    @extend_schema(
        operation_id="create_webhook_endpoint",
        tags=["Webhooks"],
        request=schemas.EndpointDraftSchema,
        responses={
            201: schemas.NewEndpointSchema,
            400: schemas.PROBLEM,
            401: schemas.PROBLEM,
            403: schemas.PROBLEM,
        },
        examples=[
            OpenApiExample(
                "A shop", value={"url": "https://shop.example/upi/events"}, request_only=True
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Register a URL. The signing secret in the answer is shown this once."""
        body = body_of(request)
        members.check_known(body, {"url"})
        url = body.get("url")
        if type(url) is not str or not _URL.fullmatch(url):
            raise InvalidUrlError(field="url")
        principal = principal_of(request)
        endpoint, secret = endpoints.register_endpoint(
            url, merchant_id=principal.merchant_id, is_live=principal.is_live, at=clock.now()
        )
        document = {**render.endpoint(endpoint), "secret": webhook_signature.shown(secret)}
        return Response(document, status=201, headers={"Cache-Control": "no-store"})

    @extend_schema(
        operation_id="list_webhook_endpoints",
        tags=["Webhooks"],
        responses={200: schemas.EndpointListSchema, 401: schemas.PROBLEM},
    )
    def get(self, request: Request) -> Response:
        """List the webhook endpoints."""
        members.check_parameters(request.query_params, ())
        rows = selectors.endpoints_of(principal_of(request))
        return Response(page([render.endpoint(row) for row in rows]))


class EndpointView(MerchantView):
    """DELETE /v1/webhook_endpoints/{id}."""

    scopes: ClassVar = {"DELETE": Scope.WEBHOOKS_WRITE}

    @extend_schema(
        operation_id="delete_webhook_endpoint",
        tags=["Webhooks"],
        responses={204: None, 401: schemas.PROBLEM, 404: schemas.PROBLEM},
    )
    def delete(self, request: Request, endpoint_id: str) -> Response:
        """Be told no more at this URL."""
        endpoints.delete_endpoint(_endpoint(request, endpoint_id), at=clock.now())
        return Response(status=204)


class SecretRotationsView(MerchantView):
    """POST /v1/webhook_endpoints/{id}/secret-rotations."""

    scopes: ClassVar = {"POST": Scope.WEBHOOKS_WRITE}

    @extend_schema(
        operation_id="rotate_webhook_secret",
        tags=["Webhooks"],
        request=None,
        responses={201: schemas.NewEndpointSchema, 401: schemas.PROBLEM, 404: schemas.PROBLEM},
    )
    def post(self, request: Request, endpoint_id: str) -> Response:
        """Get a new signing secret; for 24 hours deliveries carry both signatures."""
        members.check_known(body_of(request), ())
        row = _endpoint(request, endpoint_id)
        secret = endpoints.rotate_secret(row, at=clock.now())
        document = {**render.endpoint(row), "secret": webhook_signature.shown(secret)}
        return Response(document, status=201, headers={"Cache-Control": "no-store"})


class DeliveriesView(MerchantView):
    """GET /v1/webhook_endpoints/{id}/deliveries."""

    scopes: ClassVar = {"GET": Scope.WEBHOOKS_WRITE}

    @extend_schema(
        operation_id="list_webhook_deliveries",
        tags=["Webhooks"],
        parameters=[OpenApiParameter("limit", int), OpenApiParameter("cursor", str)],
        responses={200: schemas.DeliveryListSchema, 400: schemas.PROBLEM, 404: schemas.PROBLEM},
    )
    def get(self, request: Request, endpoint_id: str) -> Response:
        """List the deliveries of an endpoint, the newest first."""
        asked = asked_page(request.query_params, "whd")
        rows = selectors.deliveries_of(_endpoint(request, endpoint_id))
        if asked.cursor is not None:
            rows = rows.filter(pk__lt=asked.cursor)
        found = list(rows[: asked.limit + 1])
        shown = found[: asked.limit]
        following = ids.public_id("whd", shown[-1].pk) if len(found) > asked.limit else None
        return Response(page([render.delivery(row) for row in shown], next_cursor=following))


def _endpoint(request: Request, endpoint_id: str) -> WebhookEndpoint:
    return selectors.endpoint_of(principal_of(request), ids.parse_public_id("whk", endpoint_id))
