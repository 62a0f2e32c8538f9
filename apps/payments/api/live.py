"""Payments for clients that wait: a long poll that answers as soon as the payment has ended."""

import re
from typing import Any, ClassVar

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common import members
from apps.common.errors import InvalidInputError
from apps.customers.api.authentication import CustomerAuthentication, IsCustomer
from apps.customers.api.base import asked_language
from apps.customers.contracts import CustomerPrincipal
from apps.merchants.api.authentication import ApiKeyAuthentication, HasScope
from apps.merchants.contracts import MerchantPrincipal, Scope
from apps.payments.api import render, schemas
from apps.payments.api.app import own_payment
from apps.payments.api.merchant import merchant_payment, shown_to
from apps.payments.contracts import Payment
from apps.payments.services.waiting import wait_until
from apps.payments.states import Finality, Role, public_status

WAIT_SECONDS_MAX = 30
_WAIT = re.compile(r"[0-9]{1,2}")


class EitherAuthentication(BaseAuthentication):
    """Reads a merchant's API key or a customer's session token, by the form of the token."""

    def authenticate(self, request: Request) -> tuple[Any, None]:
        """Return the caller. Raises the refusals of the two."""
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if header.startswith(("Bearer sk_", "Basic ")):
            return ApiKeyAuthentication().authenticate(request)
        return CustomerAuthentication().authenticate(request)

    def authenticate_header(self, request: Request) -> str:
        """Say how to authenticate."""
        del request
        return "Bearer"


class EitherScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes both ways in the OpenAPI document."""

    target_class = EitherAuthentication
    name = ["sessionOrApiKey"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        """Return the scheme."""
        del auto_schema
        return [
            {
                "type": "http",
                "scheme": "bearer",
                "description": "A session's token or a merchant's API key.",
            }
        ]


class LivePaymentView(APIView):
    """GET /live/v1/payments/{txn_id or pay_…}."""

    authentication_classes = [EitherAuthentication]
    permission_classes = [IsCustomer | HasScope]
    scopes: ClassVar = {"GET": Scope.PAYMENTS_READ}

    @extend_schema(
        operation_id="wait_for_payment",
        tags=["Payments"],
        parameters=[
            OpenApiParameter(
                "wait", int, description=f"Seconds to wait for the end, 0 to {WAIT_SECONDS_MAX}."
            ),
            schemas.LANGUAGE,
        ],
        responses={200: schemas.PaymentSchema, 401: schemas.PROBLEM, 404: schemas.PROBLEM},
    )
    def get(self, request: Request, payment_id: str) -> Response:
        """See a payment as soon as it has ended, or as it stands when the time has passed."""
        members.check_parameters(request.query_params, {"wait"})
        seconds, principal = _seconds(request), request.user
        language = asked_language(request)
        if isinstance(principal, CustomerPrincipal):
            payment = _wait_as_payer(principal, payment_id, seconds)
            return Response(render.payment(payment, language))
        assert isinstance(principal, MerchantPrincipal), "nobody else comes in"
        _wait_as_merchant(principal, payment_id, seconds)
        return Response(shown_to(principal, payment_id, language))


def _wait_as_payer(principal: CustomerPrincipal, payment_id: str, seconds: int) -> Payment:
    return wait_until(
        lambda: own_payment(principal, payment_id),
        is_over=_is_over,
        role=Role.PAYER_PSP,
        transaction_id=payment_id,
        seconds=seconds,
    )


def _wait_as_merchant(principal: MerchantPrincipal, payment_id: str, seconds: int) -> None:
    known = merchant_payment(principal, payment_id)
    wait_until(
        lambda: merchant_payment(principal, payment_id),
        is_over=_is_over,
        role=Role.PAYEE_PSP,
        transaction_id=known.transaction.id,
        seconds=seconds,
    )


def _is_over(payment: Payment) -> bool:
    return public_status(payment.state)[1] is Finality.FINAL


def _seconds(request: Request) -> int:
    text = request.query_params.get("wait", "0")
    if not _WAIT.fullmatch(text) or int(text) > WAIT_SECONDS_MAX:
        raise InvalidInputError(field="wait")
    return int(text)
