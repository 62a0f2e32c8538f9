"""Refunds: a merchant gives a payment back, in part or whole."""

import re
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common import clock, ids, members
from apps.common.pages import asked_page, page
from apps.customers.api.base import asked_language, stated_body_of
from apps.merchants.api.authentication import MerchantView, principal_of
from apps.merchants.contracts import MerchantPrincipal, Scope
from apps.messaging import idempotency
from apps.payments.api import render, schemas
from apps.payments.api.merchant import merchant_payment
from apps.payments.models import Refund, Transaction
from apps.payments.selectors import page_of_refunds, payees_legs
from apps.payments.services.accept import RequestKey
from apps.payments.services.refunds import RefundRequest, refund_of, request_refund
from apps.upi.response_codes import Language

ROUTE = "/v1/payments/refunds"
_MEMBERS = frozenset({"amount", "currency", "reference"})
# Txn/@refId as the wire takes it (upi-protocol 2.3).
_REFERENCE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9\-]{0,33}[A-Za-z0-9])?")
_STATUS = {
    "OPENED": ("created", "provisional"),
    "SENT": ("pending", "provisional"),
    # The money has left the merchant, and the payer's bank has not yet said that it arrived.
    "DEEMED": ("pending", "provisional"),
    "SUCCEEDED": ("succeeded", "final"),
    "FAILED": ("failed", "final"),
}
_LIST_PARAMETERS = [
    OpenApiParameter("limit", int),
    OpenApiParameter("cursor", str),
    schemas.LANGUAGE,
]


class PaymentRefundsView(MerchantView):
    """GET and POST /v1/payments/{id}/refunds."""

    scopes: ClassVar = {"GET": Scope.PAYMENTS_READ, "POST": Scope.REFUNDS_WRITE}

    @extend_schema(
        operation_id="create_refund",
        tags=["Refunds"],
        parameters=[schemas.IDEMPOTENCY_KEY, schemas.LANGUAGE],
        request=schemas.RefundRequestSchema,
        responses={
            200: schemas.RefundSchema,
            202: schemas.RefundSchema,
            400: schemas.PROBLEM,
            401: schemas.PROBLEM,
            403: schemas.PROBLEM,
            404: schemas.PROBLEM,
            409: schemas.PROBLEM,
            422: schemas.PROBLEM,
        },
    )
    def post(self, request: Request, payment_id: str) -> Response:
        """Give back so much, or all that is left; the same key and body is the same refund."""
        principal = principal_of(request)
        key = idempotency.require_key(request.META.get("HTTP_IDEMPOTENCY_KEY"))
        body = stated_body_of(request)
        members.check_known(body, _MEMBERS)
        asked = RefundRequest(
            merchant_id=principal.merchant_id,
            payment=merchant_payment(principal, payment_id),
            amount=members.amount(body) if "amount" in body else None,
            reference=members.text(body, "reference", _REFERENCE) if "reference" in body else "",
        )
        if "currency" in body:
            members.check_currency(body)
        taken = request_refund(
            asked,
            key=RequestKey(
                client=principal.client,
                key=key,
                fingerprint=idempotency.fingerprint(
                    method="POST", route=ROUTE, body=body | {"payment": payment_id}
                ),
            ),
            at=clock.now(),
        )
        document = _document([taken.refund], asked_language(request))[0]
        return render.taken(document, is_replay=taken.is_replay)

    @extend_schema(
        operation_id="list_refunds_of_payment",
        tags=["Refunds"],
        parameters=_LIST_PARAMETERS,
        responses={200: schemas.RefundListSchema, 401: schemas.PROBLEM, 404: schemas.PROBLEM},
    )
    def get(self, request: Request, payment_id: str) -> Response:
        """List the refunds of a payment, the newest first."""
        principal = principal_of(request)
        payment = merchant_payment(principal, payment_id)
        return Response(_page(request, principal, transaction_id=payment.transaction.id))


class RefundsView(MerchantView):
    """GET /v1/refunds."""

    scopes: ClassVar = {"GET": Scope.PAYMENTS_READ}

    @extend_schema(
        operation_id="list_refunds",
        tags=["Refunds"],
        parameters=_LIST_PARAMETERS,
        responses={200: schemas.RefundListSchema, 400: schemas.PROBLEM, 401: schemas.PROBLEM},
    )
    def get(self, request: Request) -> Response:
        """List the merchant's refunds, the newest first."""
        return Response(_page(request, principal_of(request), transaction_id=None))


class RefundView(MerchantView):
    """GET /v1/refunds/{id}."""

    scopes: ClassVar = {"GET": Scope.PAYMENTS_READ}

    @extend_schema(
        operation_id="get_refund",
        tags=["Refunds"],
        parameters=[schemas.LANGUAGE],
        responses={200: schemas.RefundSchema, 401: schemas.PROBLEM, 404: schemas.PROBLEM},
    )
    def get(self, request: Request, refund_id: str) -> Response:
        """See how a refund stands."""
        members.check_parameters(request.query_params, ())
        principal = principal_of(request)
        wanted = ids.parse_public_id("rfd", refund_id) if principal.is_live else None
        found = refund_of(principal.merchant_id, wanted)
        return Response(_document([found], asked_language(request))[0])


def _page(
    request: Request, principal: MerchantPrincipal, *, transaction_id: str | None
) -> dict[str, Any]:
    asked = asked_page(request.query_params, "rfd")
    rows, has_more = (
        page_of_refunds(
            merchant_id=principal.merchant_id,
            transaction_id=transaction_id,
            limit=asked.limit,
            before=asked.cursor,
        )
        if principal.is_live
        else ([], False)
    )
    following = ids.public_id("rfd", rows[-1].pk) if has_more else None
    return page(_document(rows, asked_language(request)), next_cursor=following)


def _document(refunds: list[Refund], language: Language) -> list[dict[str, Any]]:
    sent = [refund.refund_transaction_id for refund in refunds if refund.refund_transaction_id]
    rrns = dict(Transaction.objects.filter(pk__in=sent).values_list("pk", "rrn"))
    legs = payees_legs([refund.transaction_id for refund in refunds])
    return [_shown(refund, legs.get(refund.transaction_id), rrns, language) for refund in refunds]


def _shown(refund: Refund, leg_id: Any, rrns: dict[str, str], language: Language) -> dict[str, Any]:
    status, finality = _STATUS[refund.state]
    own = refund.refund_transaction_id
    code = refund.code or None
    return {
        "object": "refund",
        "id": ids.public_id("rfd", refund.pk),
        "payment": ids.public_id("pay", leg_id) if leg_id else None,
        "order": ids.public_id("ord", refund.order_id) if refund.order_id else None,
        "reference": refund.reference,
        "amount": refund.amount_paise,
        "currency": "INR",
        "status": status,
        "finality": finality,
        "reason": refund.reason.lower(),
        "upi": {
            "txn_id": own,
            "rrn": rrns.get(own or ""),
            "response_code": "00" if status == "succeeded" else code,
        },
        "failure": render.explained(refund.code, language) if status == "failed" else None,
        "created_at": clock.iso(refund.opened_at),
        "ended_at": clock.iso(refund.ended_at) if refund.ended_at else None,
    }
