"""Orders: what a merchant expects to be paid."""

import datetime as dt
import re
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common import clock, ids, members
from apps.common.pages import asked_page, page
from apps.customers.api.base import body_of
from apps.merchants import selectors
from apps.merchants.api import render, schemas
from apps.merchants.api.authentication import MerchantView, principal_of
from apps.merchants.api.instants import instant
from apps.merchants.contracts import Scope
from apps.merchants.errors import InvalidMetadataError
from apps.merchants.services.create_order import OrderDraft, create_order
from apps.messaging import idempotency

ROUTE = "/v1/orders"
LIFE_DEFAULT = dt.timedelta(minutes=30)
METADATA_PAIRS_MAX = 20
METADATA_TEXT_MAX = 500
_MEMBERS = frozenset({"reference", "amount", "currency", "note", "metadata", "expires_at"})
# Txn/@refId as the wire takes it (upi-protocol 2.3): 1 to 35 signs.
_REFERENCE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9\-]{0,33}[A-Za-z0-9])?")
_METADATA_NAME = re.compile(r"[A-Za-z0-9_.\-]{1,40}")


class OrdersView(MerchantView):
    """GET and POST /v1/orders."""

    scopes: ClassVar = {"GET": Scope.ORDERS_READ, "POST": Scope.ORDERS_WRITE}

    @extend_schema(
        operation_id="create_order",
        tags=["Orders"],
        parameters=[schemas.IDEMPOTENCY_KEY],
        request=schemas.OrderDraftSchema,
        responses={
            201: schemas.OrderSchema,
            400: schemas.PROBLEM,
            401: schemas.PROBLEM,
            403: schemas.PROBLEM,
            409: schemas.PROBLEM,
            422: schemas.PROBLEM,
        },
        examples=[
            OpenApiExample(
                "A sale",
                value={
                    "reference": "INV-2291",
                    "amount": 49900,
                    "currency": "INR",
                    "note": "two books",
                    "metadata": {"cart": "7781"},
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Make an order. The same Idempotency-Key and body again is the same order."""
        principal = principal_of(request)
        key = idempotency.require_key(request.META.get("HTTP_IDEMPOTENCY_KEY"))
        body = body_of(request)
        now = clock.now()
        taken = create_order(
            _draft(body, at=now),
            principal=principal,
            key=key,
            fingerprint=idempotency.fingerprint(method="POST", route=ROUTE, body=body),
            at=now,
        )
        headers = {"Idempotent-Replayed": "true"} if taken.is_replay else {}
        return Response(render.order(taken.order, at=now), status=201, headers=headers)

    @extend_schema(
        operation_id="list_orders",
        tags=["Orders"],
        parameters=[OpenApiParameter("limit", int), OpenApiParameter("cursor", str)],
        responses={200: schemas.OrderListSchema, 400: schemas.PROBLEM, 401: schemas.PROBLEM},
    )
    def get(self, request: Request) -> Response:
        """List orders, the newest first."""
        asked = asked_page(request.query_params, "ord")
        rows, has_more = selectors.page_of_orders(
            principal_of(request), limit=asked.limit, cursor=asked.cursor
        )
        now = clock.now()
        following = ids.public_id("ord", rows[-1].pk) if has_more else None
        return Response(page([render.order(row, at=now) for row in rows], next_cursor=following))


class OrderView(MerchantView):
    """GET /v1/orders/{id}."""

    scopes: ClassVar = {"GET": Scope.ORDERS_READ}

    @extend_schema(
        operation_id="get_order",
        tags=["Orders"],
        responses={200: schemas.OrderSchema, 401: schemas.PROBLEM, 404: schemas.PROBLEM},
    )
    def get(self, request: Request, order_id: str) -> Response:
        """See an order, and whether it was paid."""
        members.check_parameters(request.query_params, ())
        row = selectors.order_of(principal_of(request), ids.parse_public_id("ord", order_id))
        return Response(render.order(row, at=clock.now()))


def _draft(body: dict[str, Any], *, at: dt.datetime) -> OrderDraft:
    members.check_known(body, _MEMBERS)
    reference = members.text(body, "reference", _REFERENCE)
    amount = members.amount(body)
    members.check_currency(body)
    return OrderDraft(
        reference=reference,
        amount=amount,
        note=members.note(body),
        metadata=_metadata(body.get("metadata")),
        expires_at=instant(body, "expires_at") or at + LIFE_DEFAULT,
    )


def _metadata(value: object) -> dict[str, str]:
    if value is None:
        return {}
    if type(value) is not dict or len(value) > METADATA_PAIRS_MAX:
        raise InvalidMetadataError(field="metadata")
    for name, text in value.items():
        if not _METADATA_NAME.fullmatch(name) or not _is_short_text(text):
            raise InvalidMetadataError(field="metadata")
    return value


def _is_short_text(value: object) -> bool:
    # isprintable() is false for control signs, lone surrogates and signs that turn the direction
    # of writing: nothing that breaks UTF-8, a terminal or a reader's eye.
    return type(value) is str and len(value) <= METADATA_TEXT_MAX and value.isprintable()
