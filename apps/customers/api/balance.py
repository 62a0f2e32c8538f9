"""Ask for a balance, and fetch it once."""

import re

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common import clock, ids, members
from apps.customers import selectors
from apps.customers.api import render, schemas
from apps.customers.api.base import CustomerView, asked_language, body_of, principal_of
from apps.customers.contracts import CredentialBlock
from apps.customers.services.accept import Ask, accept, check_transaction_id
from apps.customers.services.hand_over import take_balance
from apps.customers.states import RequestKind

_ACCOUNT_ID = re.compile(r"acc_[0-9a-z]{26}")


class BalanceEnquiriesView(CustomerView):
    """POST /app/v1/balance-enquiries."""

    @extend_schema(
        operation_id="create_balance_enquiry",
        tags=["Balance"],
        request=schemas.BalanceEnquirySchema,
        responses={
            202: schemas.BalanceSchema,
            400: schemas.PROBLEM,
            401: schemas.PROBLEM,
            403: schemas.PROBLEM,
            404: schemas.PROBLEM,
            409: schemas.PROBLEM,
            429: schemas.PROBLEM,
        },
        examples=[
            OpenApiExample(
                "With PIN",
                value={
                    "txn_id": schemas.TRANSACTION_ID,
                    "account": schemas.ACCOUNT_ID,
                    "pin_block": schemas.BLOCK_EXAMPLE,
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Ask the account's bank for the balance: 50 times in 24 hours at most."""
        body = body_of(request)
        members.check_known(body, {"txn_id", "account", "pin_block"})
        account_id = members.text(body, "account", _ACCOUNT_ID)
        ask = Ask(
            kind=RequestKind.BALANCE,
            account_id=ids.parse_public_id("acc", account_id),
            transaction_id=check_transaction_id(body.get("txn_id")),
            credentials=(CredentialBlock.parse(body.get("pin_block")).as_pin(),),
        )
        row = accept(ask, principal=principal_of(request), at=clock.now())
        return Response(
            {**render.account_request(row, asked_language(request)), "balance": None}, status=202
        )


class BalanceEnquiryView(CustomerView):
    """GET /app/v1/balance-enquiries/{id}."""

    @extend_schema(
        operation_id="get_balance_enquiry",
        tags=["Balance"],
        responses={200: schemas.BalanceSchema, 401: schemas.PROBLEM, 404: schemas.PROBLEM},
    )
    def get(self, request: Request, request_id: str) -> Response:
        """Fetch the balance; it is handed over once, and within a minute of its arrival."""
        row = selectors.request_of(
            principal_of(request).customer_id,
            ids.parse_public_id("arq", request_id),
            kinds=[RequestKind.BALANCE],
        )
        taken = take_balance(row)
        balance = None if taken is None else taken.paise
        document = {**render.account_request(row, asked_language(request)), "balance": balance}
        return Response(document, headers={"Cache-Control": "no-store"})
