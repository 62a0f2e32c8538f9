"""Find out whose an address is, before paying: the name that its bank vouches for."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common import clock, ids, members
from apps.common.addresses import VpaAddress
from apps.customers import selectors as customers
from apps.customers.api import render, schemas
from apps.customers.api.base import CustomerView, asked_language, body_of, principal_of
from apps.upi.response_codes import Language
from apps.vpa import selectors
from apps.vpa.contracts import Asker
from apps.vpa.models import Verification
from apps.vpa.services import verify
from apps.vpa.states import FINAL, PUBLIC_STATUS, VerificationState

_OTHERWISE = "not_verified"


class VerificationRequestSchema(serializers.Serializer[None]):
    """An address of any bank."""

    address = serializers.CharField()


class VerificationSchema(serializers.Serializer[None]):
    """Whose an address is. `verified_name` is shown as it is, and edited by nobody."""

    object = serializers.CharField()
    id = serializers.CharField()
    address = serializers.CharField()
    status = serializers.ChoiceField(["pending", "verified", "failed"])
    finality = serializers.ChoiceField(["provisional", "final"])
    verified_name = serializers.CharField(allow_null=True)
    kind = serializers.ChoiceField(["PERSON", "ENTITY"], allow_null=True)
    mcc = serializers.CharField(allow_null=True)
    upi_code = serializers.CharField(allow_null=True)
    failure = serializers.CharField(allow_null=True)
    explanation = schemas.EXPLANATION
    created_at = serializers.DateTimeField()


RESPONSES = {
    200: VerificationSchema,
    202: VerificationSchema,
    400: schemas.PROBLEM,
    401: schemas.PROBLEM,
    403: schemas.PROBLEM,
    503: schemas.PROBLEM,
}
FOUND = {200: VerificationSchema, 401: schemas.PROBLEM, 404: schemas.PROBLEM}
EXAMPLE = OpenApiExample("An address", value={"address": "store1@smplbank"}, request_only=True)


class VerificationsView(CustomerView):
    """POST /app/v1/vpas/verify."""

    @extend_schema(
        operation_id="verify_vpa",
        tags=["Payment addresses"],
        request=VerificationRequestSchema,
        responses=RESPONSES,
        examples=[EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        """Ask whose an address is. 200 when it is known at once, 202 while its bank is asked."""
        address = asked_address(request)
        principal = principal_of(request)
        payer = customers.customer(principal.customer_id)
        asker = Asker(
            client=principal.client,
            address=customers.message_address(payer.mobile),
            name=payer.name,
        )
        row = verify.ask(address, asker=asker, at=clock.now())
        return taken_on(row, asked_language(request))


class VerificationView(CustomerView):
    """GET /app/v1/vpas/verify/{id}."""

    @extend_schema(operation_id="get_vpa_verification", tags=["Payment addresses"], responses=FOUND)
    def get(self, request: Request, verification_id: str) -> Response:
        """See what the address's bank answered."""
        members.check_parameters(request.query_params, ())
        client = principal_of(request).client
        return Response(shown_to(client, verification_id, asked_language(request)))


def asked_address(request: Request) -> VpaAddress:
    """Return the address that a body asks about."""
    body = body_of(request)
    members.check_known(body, {"address"})
    return members.address(body, "address")


def taken_on(row: Verification, language: Language) -> Response:
    """Answer a question: 200 with its end, or 202 while it is under way."""
    is_over = VerificationState(row.state) in FINAL
    return Response(_render(row, language), status=200 if is_over else 202)


def shown_to(client: str, verification_id: str, language: Language) -> dict[str, Any]:
    """Return a verification as its client may see it. Raises NotFoundError."""
    row = selectors.verification_of(client, ids.parse_public_id("ver", verification_id))
    return _render(row, language)


def _render(row: Verification, language: Language) -> dict[str, Any]:
    state = VerificationState(row.state)
    is_refused = state is VerificationState.REFUSED
    return {
        "object": "vpa_verification",
        "id": ids.public_id("ver", row.pk),
        "address": row.address,
        "status": PUBLIC_STATUS[state],
        "finality": "final" if state in FINAL else "provisional",
        "verified_name": row.verified_name or None,
        "kind": row.kind or None,
        "mcc": row.mcc or None,
        "upi_code": row.result_code or None,
        **(_refusal(row, language) if is_refused else render.NO_FAILURE),
        "created_at": clock.iso(row.created_at),
    }


def _refusal(row: Verification, language: Language) -> dict[str, Any]:
    return render.failure(row.result_code, language, otherwise=_OTHERWISE)
