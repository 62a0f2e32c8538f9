"""Collects: merchants ask for what an order costs, customers say yes or no."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common import clock, ids, members
from apps.common.errors import NotFoundError
from apps.common.pages import asked_page, page
from apps.customers.api.base import CustomerView, asked_language, body_of
from apps.customers.api.base import principal_of as customer_of
from apps.customers.contracts import CredentialBlock
from apps.merchants.api.authentication import MerchantView, principal_of
from apps.merchants.contracts import Scope
from apps.messaging import idempotency
from apps.payments import selectors
from apps.payments.api import collect_documents, collect_schemas, render, schemas
from apps.payments.api.app import TRANSACTION_ID, account_id_of
from apps.payments.services import collects
from apps.payments.services.accept import RequestKey
from apps.payments.services.ask import CollectRequest, collect_of, request_collect
from apps.payments.services.collects import Approval

ROUTE = "/v1/collects"
APPROVAL_ROUTE = "/app/v1/collects/approvals"
_ASKED = frozenset({"order", "payer_vpa", "expires_in_minutes"})
_APPROVAL = frozenset({"account", "pin_block"})
_DECLINE = frozenset({"block_requester", "report_spam"})


class MerchantCollectsView(MerchantView):
    """POST /v1/collects."""

    scopes: ClassVar = {"POST": Scope.COLLECTS_WRITE}

    @extend_schema(
        operation_id="create_collect",
        tags=["Collects"],
        parameters=[schemas.IDEMPOTENCY_KEY, schemas.LANGUAGE],
        request=collect_schemas.CollectRequestSchema,
        responses={
            200: collect_schemas.MerchantCollectSchema,
            202: collect_schemas.MerchantCollectSchema,
            400: schemas.PROBLEM,
            401: schemas.PROBLEM,
            403: schemas.PROBLEM,
            404: schemas.PROBLEM,
            409: schemas.PROBLEM,
            422: schemas.PROBLEM,
        },
    )
    def post(self, request: Request) -> Response:
        """Ask a payer for an order. The same key and body again is the same collect."""
        principal = principal_of(request)
        key = idempotency.require_key(request.META.get("HTTP_IDEMPOTENCY_KEY"))
        body = body_of(request)
        members.check_known(body, _ASKED)
        taken = request_collect(
            CollectRequest(
                order_id=_order_id(body),
                payer=members.address(body, "payer_vpa"),
                minutes=_minutes(body),
            ),
            principal=principal,
            key=RequestKey(
                client=principal.client,
                key=key,
                fingerprint=idempotency.fingerprint(method="POST", route=ROUTE, body=body),
            ),
            at=clock.now(),
        )
        document = collect_documents.merchants(taken.payment, asked_language(request))
        return render.taken(document, is_replay=taken.is_replay)


class MerchantCollectView(MerchantView):
    """GET /v1/collects/{id}."""

    scopes: ClassVar = {"GET": Scope.PAYMENTS_READ}

    @extend_schema(
        operation_id="get_collect",
        tags=["Collects"],
        parameters=[schemas.LANGUAGE],
        responses={
            200: collect_schemas.MerchantCollectSchema,
            401: schemas.PROBLEM,
            404: schemas.PROBLEM,
        },
    )
    def get(self, request: Request, collect_id: str) -> Response:
        """See how a collect stands."""
        members.check_parameters(request.query_params, ())
        found = collect_of(principal_of(request), ids.parse_public_id("col", collect_id))
        return Response(collect_documents.merchants(found, asked_language(request)))


class CollectsView(CustomerView):
    """GET /app/v1/collects."""

    @extend_schema(
        operation_id="list_collects",
        tags=["Collects"],
        parameters=[
            OpenApiParameter("limit", int),
            OpenApiParameter("cursor", str),
            schemas.LANGUAGE,
        ],
        responses={
            200: collect_schemas.CollectListSchema,
            400: schemas.PROBLEM,
            401: schemas.PROBLEM,
        },
    )
    def get(self, request: Request) -> Response:
        """List what the customer is, or was, asked for; the newest first."""
        asked = asked_page(request.query_params, "pay")
        rows, has_more = selectors.page_of_collects(
            customer_id=customer_of(request).customer_id,
            limit=asked.limit,
            before=asked.cursor,
        )
        now, language = clock.now(), asked_language(request)
        shown = [collect_documents.customers(row, language, at=now) for row in rows]
        return Response(page(shown, next_cursor=render.following(rows, has_more=has_more)))


class CollectView(CustomerView):
    """GET /app/v1/collects/{txn_id}."""

    @extend_schema(
        operation_id="get_asked_collect",
        tags=["Collects"],
        parameters=[schemas.LANGUAGE],
        responses={200: collect_schemas.CollectSchema, 401: schemas.PROBLEM, 404: schemas.PROBLEM},
    )
    def get(self, request: Request, transaction_id: str) -> Response:
        """See what the customer is asked for."""
        members.check_parameters(request.query_params, ())
        found = collects.collect_of(customer_of(request).customer_id, _id(transaction_id))
        return Response(collect_documents.customers(found, asked_language(request), at=clock.now()))


class CollectApprovalsView(CustomerView):
    """POST /app/v1/collects/{txn_id}/approvals."""

    @extend_schema(
        operation_id="approve_collect",
        tags=["Collects"],
        parameters=[schemas.IDEMPOTENCY_KEY, schemas.LANGUAGE],
        request=collect_schemas.ApprovalSchema,
        responses={
            202: collect_schemas.CollectSchema,
            400: schemas.PROBLEM,
            401: schemas.PROBLEM,
            403: schemas.PROBLEM,
            404: schemas.PROBLEM,
            409: schemas.PROBLEM,
            422: schemas.PROBLEM,
        },
    )
    def post(self, request: Request, transaction_id: str) -> Response:
        """Pay what is asked. The PIN block is bound to what the collect shows."""
        principal = customer_of(request)
        key = idempotency.require_key(request.META.get("HTTP_IDEMPOTENCY_KEY"))
        body = body_of(request)
        members.check_known(body, _APPROVAL)
        wanted = _id(transaction_id)
        approval = Approval(
            transaction_id=wanted,
            customer_id=principal.customer_id,
            device_id=principal.device_id,
            account_id=account_id_of(body),
        )
        block = CredentialBlock.parse(body.get("pin_block"))
        found = collects.approve(
            approval,
            block.as_pin(),
            key=RequestKey(
                client=principal.client,
                key=key,
                fingerprint=idempotency.fingerprint(
                    method="POST", route=APPROVAL_ROUTE, body=body | {"txn_id": wanted}
                ),
            ),
            at=clock.now(),
        )
        shown = collect_documents.customers(found, asked_language(request), at=clock.now())
        return Response(shown, status=202)


class CollectDeclinesView(CustomerView):
    """POST /app/v1/collects/{txn_id}/declines."""

    @extend_schema(
        operation_id="decline_collect",
        tags=["Collects"],
        parameters=[schemas.LANGUAGE],
        request=collect_schemas.DeclineSchema,
        responses={
            200: collect_schemas.CollectSchema,
            400: schemas.PROBLEM,
            401: schemas.PROBLEM,
            404: schemas.PROBLEM,
            409: schemas.PROBLEM,
        },
    )
    def post(self, request: Request, transaction_id: str) -> Response:
        """Do not pay; be asked no more by who asked; call it spam."""
        body = body_of(request)
        members.check_known(body, _DECLINE)
        found = collects.decline(
            _id(transaction_id),
            customer_id=customer_of(request).customer_id,
            is_blocking=_flag(body, "block_requester"),
            is_spam=_flag(body, "report_spam"),
            at=clock.now(),
        )
        return Response(collect_documents.customers(found, asked_language(request), at=clock.now()))


class BlockedRequesterView(CustomerView):
    """DELETE /app/v1/collects/blocked/{address}."""

    @extend_schema(
        operation_id="unblock_requester",
        tags=["Collects"],
        responses={204: None, 401: schemas.PROBLEM, 404: schemas.PROBLEM},
    )
    def delete(self, request: Request, address: str) -> Response:
        """Let somebody ask the customer again."""
        members.check_parameters(request.query_params, ())
        wanted = members.address({"address": address}, "address")
        collects.unblock(customer_id=customer_of(request).customer_id, address=str(wanted))
        return Response(status=204)


def _id(transaction_id: str) -> str:
    # What cannot be an id is not asked for: PostgreSQL takes no NUL even in a comparison.
    if not TRANSACTION_ID.fullmatch(transaction_id):
        raise NotFoundError
    return transaction_id


def _order_id(body: dict[str, Any]) -> Any:
    value = body.get("order")
    if type(value) is not str:
        raise members.InvalidMemberError(field="order")
    return ids.parse_public_id("ord", value)


def _flag(body: dict[str, Any], name: str) -> bool:
    value = body.get(name, False)
    if type(value) is not bool:
        raise members.InvalidMemberError(field=name)
    return value


def _minutes(body: dict[str, Any]) -> int | None:
    value = body.get("expires_in_minutes")
    if "expires_in_minutes" not in body:
        return None
    if type(value) is not int or value < 1:
        raise members.InvalidMemberError(field="expires_in_minutes")
    return value
