"""Payments of a customer's app."""

import re
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common import clock, ids, members
from apps.common.errors import NotFoundError
from apps.common.pages import asked_page, page
from apps.customers.api.base import CustomerView, asked_language, body_of, principal_of
from apps.customers.contracts import CredentialBlock, CustomerPrincipal
from apps.customers.services.accept import check_transaction_id
from apps.messaging import idempotency
from apps.payments import selectors
from apps.payments.api import render, schemas
from apps.payments.contracts import Payment, PaymentRequest
from apps.payments.services.accept import RequestKey, accept_payment
from apps.payments.states import Role

ROUTE = "/app/v1/payments"
_MEMBERS = frozenset(
    {
        "txn_id",
        "account",
        "payer_vpa",
        "payee_vpa",
        "payee_name",
        "amount",
        "currency",
        "note",
        "pin_block",
        "ref_id",
        "ref_url",
        "initiation_mode",
        "purpose",
        "link",
        "link_source",
    }
)
# Names that a person reads: letters of any script would let one name look like another's.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .,&'()/\-]{0,98}")
_REFERENCE = re.compile(r"[A-Za-z0-9\-]{1,35}")
_URL = re.compile(r"(?=.{1,35}\Z)https?://[!-~]+")
# upi-protocol 3.4 and 3.5; 11 and 12 are not for a customer's own payment.
_MODE = re.compile(r"0[0-9]|10|1[3-9]|2[0-4]")
_PURPOSE = re.compile(r"[A-Z0-9]{2}")
_LINK = re.compile(r"[ -~]{1,2048}")
_LINK_SOURCE = re.compile("camera|image|link")
TRANSACTION_ID = re.compile(r"[A-Za-z0-9]{1,35}")


class PaymentsView(CustomerView):
    """GET and POST /app/v1/payments."""

    @extend_schema(
        operation_id="create_payment",
        tags=["Payments"],
        parameters=[schemas.IDEMPOTENCY_KEY, schemas.LANGUAGE],
        request=schemas.PaymentRequestSchema,
        responses=schemas.ACCEPTED,
        examples=[OpenApiExample("A payment", value=schemas.EXAMPLE, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Pay. The same Idempotency-Key and body again is the same payment, and no second one."""
        principal = principal_of(request)
        key = idempotency.require_key(request.META.get("HTTP_IDEMPOTENCY_KEY"))
        body = body_of(request)
        asked = _asked(body, principal)
        block = CredentialBlock.parse(body.get("pin_block"))
        accepted = accept_payment(
            asked,
            block.as_pin(),
            key=RequestKey(
                client=principal.client,
                key=key,
                fingerprint=idempotency.fingerprint(method="POST", route=ROUTE, body=body),
            ),
            at=clock.now(),
        )
        document = render.payment(accepted.payment, asked_language(request))
        return render.taken(document, is_replay=accepted.is_replay)

    @extend_schema(
        operation_id="list_payments",
        tags=["Payments"],
        parameters=[
            OpenApiParameter("limit", int),
            OpenApiParameter("cursor", str),
            schemas.LANGUAGE,
        ],
        responses={200: schemas.PaymentListSchema, 400: schemas.PROBLEM, 401: schemas.PROBLEM},
    )
    def get(self, request: Request) -> Response:
        """List the customer's payments, the newest first."""
        asked = asked_page(request.query_params, "pay")
        rows, has_more = selectors.page_of_payments(
            owner_id=principal_of(request).customer_id,
            role=Role.PAYER_PSP,
            limit=asked.limit,
            before=asked.cursor,
        )
        language = asked_language(request)
        data = [render.payment(row, language) for row in rows]
        return Response(page(data, next_cursor=render.following(rows, has_more=has_more)))


class PaymentView(CustomerView):
    """GET /app/v1/payments/{txn_id}."""

    @extend_schema(
        operation_id="get_payment",
        tags=["Payments"],
        parameters=[schemas.LANGUAGE],
        responses={200: schemas.PaymentSchema, 401: schemas.PROBLEM, 404: schemas.PROBLEM},
    )
    def get(self, request: Request, transaction_id: str) -> Response:
        """See how a payment stands."""
        members.check_parameters(request.query_params, ())
        found = own_payment(principal_of(request), transaction_id)
        return Response(render.payment(found, asked_language(request)))


def own_payment(principal: CustomerPrincipal, transaction_id: str) -> Payment:
    """Return one of the customer's payments. Raises NotFoundError, also for another's."""
    # What cannot be an id is not asked for: PostgreSQL takes no NUL even in a comparison.
    is_id = TRANSACTION_ID.fullmatch(transaction_id)
    found = selectors.payment_of(transaction_id, Role.PAYER_PSP) if is_id else None
    if found is None or found.owner_id != principal.customer_id:
        raise NotFoundError
    return found


def _asked(body: dict[str, Any], principal: CustomerPrincipal) -> PaymentRequest:
    members.check_known(body, _MEMBERS)
    amount = members.amount(body)
    members.check_currency(body)
    payer = members.address(body, "payer_vpa")
    payee = members.address(body, "payee_vpa")
    return PaymentRequest(
        transaction_id=check_transaction_id(body.get("txn_id")),
        customer_id=principal.customer_id,
        device_id=principal.device_id,
        account_id=account_id_of(body),
        payer_address=str(payer),
        payee_address=str(payee),
        payee_name=_optional(body, "payee_name", _NAME),
        amount=amount,
        note=members.note(body),
        reference=_optional(body, "ref_id", _REFERENCE),
        reference_url=_optional(body, "ref_url", _URL),
        initiation_mode=_optional(body, "initiation_mode", _MODE) or "00",
        purpose=_optional(body, "purpose", _PURPOSE) or "00",
        link=_optional(body, "link", _LINK),
        link_source=_optional(body, "link_source", _LINK_SOURCE) or "camera",
    )


def account_id_of(body: dict[str, Any]) -> UUID:
    """Return the account that a body names. Raises InvalidMemberError, NotFoundError."""
    value = body.get("account")
    if type(value) is not str:
        raise members.InvalidMemberError(field="account")
    account_id = ids.parse_public_id("acc", value)
    if account_id is None:
        raise NotFoundError
    return account_id


def _optional(body: dict[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    return members.text(body, name, pattern) if name in body else ""
