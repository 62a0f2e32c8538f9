"""QR codes of a merchant."""

import re
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common import clock, ids, members
from apps.common.members import InvalidMemberError
from apps.common.pages import asked_page, page
from apps.customers.api.base import body_of
from apps.merchants import selectors
from apps.merchants.api import link_render, link_schemas, schemas
from apps.merchants.api.authentication import MerchantView, principal_of
from apps.merchants.api.instants import instant
from apps.merchants.api.intents import order_id_of
from apps.merchants.contracts import Scope
from apps.merchants.models import QrCode
from apps.merchants.services.qr_codes import QrDraft, create_qr_code
from apps.merchants.services.revoke_code import revoke_code
from apps.messaging import idempotency

ROUTE = "/v1/qr_codes"
_MEMBERS = {"kind", "format", "order", "store", "terminal", "city", "postal_code", "expires_at"}
_KIND = re.compile("static|dynamic")
_FORMAT = re.compile("upi|bharatqr")
_CODE = re.compile(r"[A-Za-z0-9_\-]{1,20}")
_CITY = re.compile(r"[A-Za-z][A-Za-z .\-]{0,14}")
_POSTAL_CODE = re.compile("[0-9]{4,10}")


class QrCodesView(MerchantView):
    """GET and POST /v1/qr_codes."""

    scopes: ClassVar = {"GET": Scope.ORDERS_READ, "POST": Scope.ORDERS_WRITE}

    @extend_schema(
        operation_id="create_qr_code",
        tags=["Links"],
        parameters=[schemas.IDEMPOTENCY_KEY],
        request=link_schemas.QrDraftSchema,
        responses={
            201: link_schemas.WholeQrCodeSchema,
            400: schemas.PROBLEM,
            401: schemas.PROBLEM,
            403: schemas.PROBLEM,
            404: schemas.PROBLEM,
            409: schemas.PROBLEM,
            410: schemas.PROBLEM,
            422: schemas.PROBLEM,
        },
        examples=[
            OpenApiExample(
                "On the counter", value={"kind": "static", "store": "STORE01"}, request_only=True
            ),
            OpenApiExample(
                "For one order, as BharatQR",
                value={
                    "kind": "dynamic",
                    "format": "bharatqr",
                    "order": "ord_01kaq5k0q6e1p8v4c3x2z7w9yd",
                    "city": "Mumbai",
                },
                request_only=True,
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """Make a QR code. The same Idempotency-Key and body again is the same code."""
        principal = principal_of(request)
        key = idempotency.require_key(request.META.get("HTTP_IDEMPOTENCY_KEY"))
        body = body_of(request)
        made = create_qr_code(
            _draft(body),
            principal=principal,
            key=key,
            fingerprint=idempotency.fingerprint(method="POST", route=ROUTE, body=body),
            at=clock.now(),
        )
        headers = {"Idempotent-Replayed": "true"} if made.is_replay else {}
        document = link_render.qr_code(made.code, is_whole=True)
        return Response(document, status=201, headers=headers)

    @extend_schema(
        operation_id="list_qr_codes",
        tags=["Links"],
        parameters=[OpenApiParameter("limit", int), OpenApiParameter("cursor", str)],
        responses={
            200: link_schemas.QrCodeListSchema,
            400: schemas.PROBLEM,
            401: schemas.PROBLEM,
        },
    )
    def get(self, request: Request) -> Response:
        """List QR codes, the newest first."""
        asked = asked_page(request.query_params, "qr")
        rows, has_more = selectors.page_of_qr_codes(
            principal_of(request), limit=asked.limit, cursor=asked.cursor
        )
        following = ids.public_id("qr", rows[-1].pk) if has_more else None
        shown = [link_render.qr_code(row, is_whole=False) for row in rows]
        return Response(page(shown, next_cursor=following))


class QrCodeView(MerchantView):
    """GET /v1/qr_codes/{id}."""

    scopes: ClassVar = {"GET": Scope.ORDERS_READ}

    @extend_schema(
        operation_id="get_qr_code",
        tags=["Links"],
        responses={
            200: link_schemas.WholeQrCodeSchema,
            401: schemas.PROBLEM,
            404: schemas.PROBLEM,
        },
    )
    def get(self, request: Request, code_id: str) -> Response:
        """See a QR code with its image."""
        members.check_parameters(request.query_params, ())
        row = selectors.qr_code_of(principal_of(request), ids.parse_public_id("qr", code_id))
        return Response(link_render.qr_code(row, is_whole=True))


class RevocationsView(MerchantView):
    """POST /v1/qr_codes/{id}/revocations."""

    scopes: ClassVar = {"POST": Scope.ORDERS_WRITE}

    @extend_schema(
        operation_id="revoke_qr_code",
        tags=["Links"],
        request=None,
        responses={
            200: link_schemas.QrCodeSchema,
            400: schemas.PROBLEM,
            401: schemas.PROBLEM,
            403: schemas.PROBLEM,
            404: schemas.PROBLEM,
        },
    )
    def post(self, request: Request, code_id: str) -> Response:
        """
        Call a QR code back, for good. Again: nothing more happens.

        Our payers are refused it at once, other banks' apps do not know. Money that is paid to the
        merchant's address all the same is the merchant's; an order is still paid by other links.
        """
        members.check_known(body_of(request), ())
        code = revoke_code(
            ids.parse_public_id("qr", code_id), principal=principal_of(request), at=clock.now()
        )
        return Response(link_render.qr_code(code, is_whole=False))


def _draft(body: dict[str, Any]) -> QrDraft:
    members.check_known(body, _MEMBERS)
    is_dynamic = members.text(body, "kind", _KIND) == "dynamic"
    form = members.text(body, "format", _FORMAT) if "format" in body else "upi"
    is_emv = form == "bharatqr"
    # What would be left out is refused: a code that was printed cannot be changed.
    for name, is_meant in (("order", is_dynamic), ("city", is_emv), ("postal_code", is_emv)):
        if name in body and not is_meant:
            raise InvalidMemberError(field=name)
    return QrDraft(
        format=QrCode.Format(form.upper()),
        order_id=order_id_of(body) if is_dynamic else None,
        has_order=is_dynamic,
        store=_optional(body, "store", _CODE),
        terminal=_optional(body, "terminal", _CODE),
        city=members.text(body, "city", _CITY) if is_emv else "",
        postal_code=_optional(body, "postal_code", _POSTAL_CODE),
        expires_at=instant(body, "expires_at"),
    )


def _optional(body: dict[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    return members.text(body, name, pattern) if name in body else ""
