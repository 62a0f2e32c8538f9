"""Find out whose an address is, for a merchant who is about to be paid or to collect."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common import clock, members
from apps.customers.api.base import asked_language
from apps.merchants import selectors
from apps.merchants.api.authentication import MerchantView, principal_of
from apps.merchants.contracts import Scope
from apps.vpa.api.verifications import (
    EXAMPLE,
    FOUND,
    RESPONSES,
    VerificationRequestSchema,
    asked_address,
    shown_to,
    taken_on,
)
from apps.vpa.contracts import Asker, VpaKind
from apps.vpa.services import verify


class VerificationsView(MerchantView):
    """POST /v1/vpas/verify."""

    scopes: ClassVar = {"POST": Scope.PAYMENTS_READ}

    @extend_schema(
        operation_id="verify_customer_vpa",
        tags=["Payment addresses"],
        request=VerificationRequestSchema,
        responses=RESPONSES,
        examples=[EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        """Ask whose an address is. 200 when it is known at once, 202 while its bank is asked."""
        address = asked_address(request)
        principal = principal_of(request)
        merchant = selectors.merchant(principal.merchant_id)
        asker = Asker(
            client=principal.client,
            address=merchant.vpa.address,
            name=merchant.vpa.verified_name,
            kind=VpaKind.ENTITY,
            mcc=merchant.vpa.mcc,
        )
        row = verify.ask(address, asker=asker, at=clock.now())
        return taken_on(row, asked_language(request))


class VerificationView(MerchantView):
    """GET /v1/vpas/verify/{id}."""

    scopes: ClassVar = {"GET": Scope.PAYMENTS_READ}

    @extend_schema(
        operation_id="get_customer_vpa_verification",
        tags=["Payment addresses"],
        responses=FOUND,
    )
    def get(self, request: Request, verification_id: str) -> Response:
        """See what the address's bank answered."""
        members.check_parameters(request.query_params, ())
        client = principal_of(request).client
        return Response(shown_to(client, verification_id, asked_language(request)))
