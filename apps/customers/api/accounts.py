"""The customer's accounts, and what they ask the accounts' banks about OTP and PIN."""

import re
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common import clock, ids, members
from apps.common.pages import page
from apps.customers import selectors
from apps.customers.api import render, schemas
from apps.customers.api.base import CustomerView, asked_language, body_of, principal_of
from apps.customers.contracts import CredentialBlock
from apps.customers.services.accept import Ask, Card, accept, check_transaction_id
from apps.customers.states import RequestKind

_CARD_DIGITS = re.compile(r"[0-9]{6}")
_CARD_EXPIRY = re.compile(r"(?:0[1-9]|1[0-2])[0-9]{2}")
_ACCEPTED = {
    202: schemas.AccountRequestSchema,
    400: schemas.PROBLEM,
    401: schemas.PROBLEM,
    403: schemas.PROBLEM,
    404: schemas.PROBLEM,
    409: schemas.PROBLEM,
}
_CARD_EXAMPLE = {
    "txn_id": schemas.TRANSACTION_ID,
    "card_digits": "123456",
    "card_expiry": "1229",
}


class AccountsView(CustomerView):
    """GET /app/v1/accounts."""

    @extend_schema(
        operation_id="list_accounts",
        tags=["Accounts"],
        responses={200: schemas.AccountListSchema, 401: schemas.PROBLEM, 403: schemas.PROBLEM},
    )
    def get(self, request: Request) -> Response:
        """List the customer's accounts, the default one first."""
        members.check_parameters(request.query_params, ())
        rows = selectors.accounts_of(principal_of(request).customer_id)
        return Response(page([render.account(row) for row in rows]))


class OtpRequestsView(CustomerView):
    """POST /app/v1/accounts/{id}/otp-requests."""

    @extend_schema(
        operation_id="create_otp_request",
        tags=["Accounts"],
        request=schemas.OtpRequestSchema,
        responses=_ACCEPTED,
        examples=[OpenApiExample("Card", value=_CARD_EXAMPLE, request_only=True)],
    )
    def post(self, request: Request, account_id: str) -> Response:
        """Ask the account's bank to send an OTP by SMS."""
        body = body_of(request)
        members.check_known(body, {"txn_id", "card_digits", "card_expiry"})
        return _accept(
            request,
            Ask(
                kind=RequestKind.OTP,
                account_id=ids.parse_public_id("acc", account_id),
                transaction_id=check_transaction_id(body.get("txn_id")),
                card=_card(body),
            ),
        )


class PinRegistrationsView(CustomerView):
    """POST /app/v1/accounts/{id}/pin-registrations."""

    @extend_schema(
        operation_id="create_pin_registration",
        tags=["Accounts"],
        request=schemas.PinRegistrationSchema,
        responses=_ACCEPTED,
        examples=[
            OpenApiExample(
                "OTP and new PIN",
                value={
                    **_CARD_EXAMPLE,
                    "otp_block": schemas.BLOCK_EXAMPLE,
                    "pin_block": schemas.BLOCK_EXAMPLE,
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request, account_id: str) -> Response:
        """Set the UPI PIN of an account, proved by card digits and OTP."""
        body = body_of(request)
        known = {"txn_id", "card_digits", "card_expiry", "otp_block", "pin_block"}
        members.check_known(body, known)
        otp = CredentialBlock.parse(body.get("otp_block"), field="otp_block")
        pin = CredentialBlock.parse(body.get("pin_block"), field="pin_block")
        return _accept(
            request,
            Ask(
                kind=RequestKind.PIN_REGISTRATION,
                account_id=ids.parse_public_id("acc", account_id),
                transaction_id=check_transaction_id(body.get("txn_id")),
                credentials=(otp.as_otp(), pin.as_pin()),
                card=_card(body),
            ),
        )


class PinChangesView(CustomerView):
    """POST /app/v1/accounts/{id}/pin-changes."""

    @extend_schema(
        operation_id="create_pin_change",
        tags=["Accounts"],
        request=schemas.PinChangeSchema,
        responses=_ACCEPTED,
        examples=[
            OpenApiExample(
                "Present and new PIN",
                value={
                    "txn_id": schemas.TRANSACTION_ID,
                    "current_pin_block": schemas.BLOCK_EXAMPLE,
                    "new_pin_block": schemas.BLOCK_EXAMPLE,
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request, account_id: str) -> Response:
        """Change the UPI PIN of an account."""
        body = body_of(request)
        members.check_known(body, {"txn_id", "current_pin_block", "new_pin_block"})
        present = CredentialBlock.parse(body.get("current_pin_block"), field="current_pin_block")
        new = CredentialBlock.parse(body.get("new_pin_block"), field="new_pin_block")
        return _accept(
            request,
            Ask(
                kind=RequestKind.PIN_CHANGE,
                account_id=ids.parse_public_id("acc", account_id),
                transaction_id=check_transaction_id(body.get("txn_id")),
                credentials=(present.as_pin(), new.as_pin()),
            ),
        )


class AccountRequestView(CustomerView):
    """GET /app/v1/account-requests/{id}."""

    @extend_schema(
        operation_id="get_account_request",
        tags=["Accounts"],
        responses={
            200: schemas.AccountRequestSchema,
            401: schemas.PROBLEM,
            404: schemas.PROBLEM,
        },
    )
    def get(self, request: Request, request_id: str) -> Response:
        """See what became of a request."""
        row = selectors.request_of(
            principal_of(request).customer_id,
            ids.parse_public_id("arq", request_id),
            kinds=list(RequestKind),
        )
        return Response(render.account_request(row, asked_language(request)))


def _card(body: dict[str, Any]) -> Card:
    return Card(
        digits=members.text(body, "card_digits", _CARD_DIGITS),
        expiry=members.text(body, "card_expiry", _CARD_EXPIRY),
    )


def _accept(request: Request, ask: Ask) -> Response:
    row = accept(ask, principal=principal_of(request), at=clock.now())
    return Response(render.account_request(row, asked_language(request)), status=202)
