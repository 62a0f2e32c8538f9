"""Payments as the merchants that they pay see them."""

from collections.abc import Sequence
from typing import ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common import ids, members
from apps.common.errors import NotFoundError
from apps.common.money import ZERO
from apps.common.pages import asked_page, page
from apps.customers.api.base import asked_language
from apps.merchants.api.authentication import MerchantView, principal_of
from apps.merchants.contracts import MerchantPrincipal, Scope
from apps.merchants.models import Order
from apps.merchants.selectors import orders_of
from apps.payments import selectors
from apps.payments.api import render, schemas
from apps.payments.contracts import Payment
from apps.payments.services.refunds import refunded_of
from apps.payments.states import Role
from apps.upi.response_codes import Language


class MerchantPaymentsView(MerchantView):
    """GET /v1/payments."""

    scopes: ClassVar = {"GET": Scope.PAYMENTS_READ}

    @extend_schema(
        operation_id="list_merchant_payments",
        tags=["Payments"],
        parameters=[
            OpenApiParameter("limit", int),
            OpenApiParameter("cursor", str),
            schemas.LANGUAGE,
        ],
        responses={
            200: schemas.MerchantPaymentListSchema,
            400: schemas.PROBLEM,
            401: schemas.PROBLEM,
            403: schemas.PROBLEM,
        },
    )
    def get(self, request: Request) -> Response:
        """List the payments to the merchant, the newest first."""
        asked = asked_page(request.query_params, "pay")
        principal = principal_of(request)
        if not principal.is_live:
            # Real money is paid to live keys only; a test key has nothing to see here yet.
            return Response(page([]))
        rows, has_more = selectors.page_of_payments(
            owner_id=principal.merchant_id,
            role=Role.PAYEE_PSP,
            limit=asked.limit,
            before=asked.cursor,
        )
        orders = _orders(principal, rows)
        language = asked_language(request)
        refunded = refunded_of([row.transaction.id for row in rows])
        data = [
            render.merchant_payment(
                row,
                orders.get(row.transaction.reference),
                language,
                refunded=refunded.get(row.transaction.id, ZERO),
            )
            for row in rows
        ]
        return Response(page(data, next_cursor=render.following(rows, has_more=has_more)))


class MerchantPaymentView(MerchantView):
    """GET /v1/payments/{id}."""

    scopes: ClassVar = {"GET": Scope.PAYMENTS_READ}

    @extend_schema(
        operation_id="get_merchant_payment",
        tags=["Payments"],
        parameters=[schemas.LANGUAGE],
        responses={
            200: schemas.MerchantPaymentSchema,
            401: schemas.PROBLEM,
            403: schemas.PROBLEM,
            404: schemas.PROBLEM,
        },
    )
    def get(self, request: Request, payment_id: str) -> Response:
        """See how a payment to the merchant stands."""
        members.check_parameters(request.query_params, ())
        shown = shown_to(principal_of(request), payment_id, asked_language(request))
        return Response(shown)


def shown_to(
    principal: MerchantPrincipal, payment_id: str, language: Language
) -> dict[str, object]:
    """Return a payment as the merchant sees it. Raises NotFoundError, also for another's."""
    row = merchant_payment(principal, payment_id)
    orders = _orders(principal, [row])
    refunded = refunded_of([row.transaction.id]).get(row.transaction.id, ZERO)
    order = orders.get(row.transaction.reference)
    return render.merchant_payment(row, order, language, refunded=refunded)


def merchant_payment(principal: MerchantPrincipal, payment_id: str) -> Payment:
    """Return one of the merchant's payments. Raises NotFoundError, also for another's."""
    leg_id = ids.parse_public_id("pay", payment_id)
    found = selectors.payment_by_leg(leg_id, Role.PAYEE_PSP) if leg_id else None
    if found is None or found.owner_id != principal.merchant_id or not principal.is_live:
        raise NotFoundError
    return found


def _orders(principal: MerchantPrincipal, rows: Sequence[Payment]) -> dict[str, Order]:
    references = {row.transaction.reference for row in rows if row.transaction.reference}
    if not references:
        return {}
    orders = orders_of(principal).filter(reference__in=references)
    return {order.reference: order for order in orders}
