"""A customer's payment addresses, and who is behind another's."""

import re
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common import clock, ids, members
from apps.common.addresses import VpaAddress
from apps.common.errors import NotFoundError
from apps.common.masking import mask_account
from apps.common.pages import page
from apps.customers import selectors as customers
from apps.customers.api import schemas
from apps.customers.api.base import CustomerView, body_of, principal_of
from apps.vpa import selectors
from apps.vpa.models import Vpa
from apps.vpa.services import register

_ACCOUNT_ID = re.compile(r"acc_[0-9a-z]{26}")


class VpaSchema(serializers.Serializer[None]):
    """A payment address and the account behind it."""

    object = serializers.CharField()
    id = serializers.CharField()
    address = serializers.CharField()
    verified_name = serializers.CharField()
    masked_account = serializers.CharField()
    created_at = serializers.DateTimeField()


class VpaListSchema(serializers.Serializer[None]):
    """All active addresses of the customer."""

    object = serializers.CharField()
    data = VpaSchema(many=True)  # type: ignore[assignment]
    has_more = serializers.BooleanField()
    next_cursor = serializers.CharField(allow_null=True)


class VpaRegistrationSchema(serializers.Serializer[None]):
    """A new address, on a handle of this bank."""

    address = serializers.CharField()
    account = serializers.CharField()


class AccountChoiceSchema(serializers.Serializer[None]):
    """The account to put behind an address."""

    account = serializers.CharField()


class ResolutionSchema(serializers.Serializer[None]):
    """Who is behind an address: the name that the bank vouches for."""

    object = serializers.CharField()
    address = serializers.CharField()
    verified_name = serializers.CharField()
    kind = serializers.ChoiceField(["PERSON", "ENTITY"])
    mcc = serializers.CharField()


class VpasView(CustomerView):
    """GET and POST /app/v1/vpas."""

    @extend_schema(
        operation_id="list_vpas",
        tags=["Payment addresses"],
        responses={200: VpaListSchema, 401: schemas.PROBLEM, 403: schemas.PROBLEM},
    )
    def get(self, request: Request) -> Response:
        """List the customer's payment addresses."""
        members.check_parameters(request.query_params, ())
        rows = selectors.vpas_of(principal_of(request).customer_id)
        return Response(page([_render(row) for row in rows]))

    @extend_schema(
        operation_id="create_vpa",
        tags=["Payment addresses"],
        request=VpaRegistrationSchema,
        responses={
            201: VpaSchema,
            400: schemas.PROBLEM,
            401: schemas.PROBLEM,
            403: schemas.PROBLEM,
            404: schemas.PROBLEM,
            409: schemas.PROBLEM,
            422: schemas.PROBLEM,
        },
        examples=[
            OpenApiExample(
                "An address",
                value={"address": "asha@exbank", "account": schemas.ACCOUNT_ID},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Register a payment address for an account."""
        body = body_of(request)
        members.check_known(body, {"address", "account"})
        address = members.address(body, "address")
        account_id = members.text(body, "account", _ACCOUNT_ID)
        account = customers.account_of(
            principal_of(request).customer_id, ids.parse_public_id("acc", account_id)
        )
        row = register.register_address(address, account=account, at=clock.now())
        return Response(_render(row), status=201)


class VpaView(CustomerView):
    """DELETE /app/v1/vpas/{id}."""

    @extend_schema(
        operation_id="delete_vpa",
        tags=["Payment addresses"],
        responses={204: None, 401: schemas.PROBLEM, 404: schemas.PROBLEM},
    )
    def delete(self, request: Request, vpa_id: str) -> Response:
        """Give an address up; nobody can have it for six months."""
        register.deactivate(
            customer_id=principal_of(request).customer_id,
            vpa_id=ids.parse_public_id("vpa", vpa_id),
            at=clock.now(),
        )
        return Response(status=204)


class VpaAccountView(CustomerView):
    """POST /app/v1/vpas/{id}/account."""

    @extend_schema(
        operation_id="change_vpa_account",
        tags=["Payment addresses"],
        request=AccountChoiceSchema,
        responses={200: VpaSchema, 400: schemas.PROBLEM, 404: schemas.PROBLEM},
    )
    def post(self, request: Request, vpa_id: str) -> Response:
        """Put another account of the customer behind an address."""
        body = body_of(request)
        members.check_known(body, {"account"})
        account_id = members.text(body, "account", _ACCOUNT_ID)
        row = register.change_account(
            customer_id=principal_of(request).customer_id,
            vpa_id=ids.parse_public_id("vpa", vpa_id),
            account_id=ids.parse_public_id("acc", account_id),
        )
        return Response(_render(row))


class ResolutionView(CustomerView):
    """GET /app/v1/vpas/resolution."""

    @extend_schema(
        operation_id="resolve_vpa",
        tags=["Payment addresses"],
        parameters=[OpenApiParameter("address", str, required=True)],
        responses={200: ResolutionSchema, 400: schemas.PROBLEM, 404: schemas.PROBLEM},
    )
    def get(self, request: Request) -> Response:
        """See who is behind an address of this bank, before paying."""
        members.check_parameters(request.query_params, {"address"})
        address = members.address(request.query_params.dict(), "address")
        return Response(_resolution(address))


def _render(row: Vpa) -> dict[str, Any]:
    return {
        "object": "vpa",
        "id": ids.public_id("vpa", row.pk),
        "address": row.address,
        "verified_name": row.verified_name,
        "masked_account": mask_account(row.account_number),
        "created_at": clock.iso(row.created_at),
    }


def _resolution(address: VpaAddress) -> dict[str, Any]:
    resolved = selectors.resolve(str(address))
    if resolved is None:
        raise NotFoundError
    return {
        "object": "vpa_resolution",
        "address": resolved.address,
        "verified_name": resolved.verified_name,
        "kind": resolved.kind.value,
        "mcc": resolved.mcc,
    }
