"""Choose a bank, see one's accounts there, and link one."""

import re
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import selectors as accounts
from apps.common import clock, ids, members
from apps.common.errors import NotFoundError
from apps.common.masking import mask_account
from apps.common.pages import page
from apps.customers import selectors
from apps.customers.api import render, schemas
from apps.customers.api.base import CustomerView, asked_language, body_of, principal_of
from apps.customers.models import AccountListing, FoundAccount
from apps.customers.services import listing
from apps.customers.states import FINAL, PUBLIC_STATUS, RequestState
from apps.upi.response_codes import Language
from apps.upi.selectors import account_providers

_IFSC = re.compile(r"[A-Z]{4}0[A-Z0-9]{6}")
_FOUND_ID = re.compile(r"fac_[0-9a-z]{26}")


class BankSchema(serializers.Serializer[None]):
    """A bank whose accounts can be linked."""

    object = serializers.CharField()
    ifsc = serializers.CharField()
    name = serializers.CharField()
    is_own = serializers.BooleanField()


class BankListSchema(serializers.Serializer[None]):
    """All banks of the network, by name."""

    object = serializers.CharField()
    data = BankSchema(many=True)  # type: ignore[assignment]
    has_more = serializers.BooleanField()
    next_cursor = serializers.CharField(allow_null=True)


class ListingRequestSchema(serializers.Serializer[None]):
    """The bank, by a branch code of it."""

    bank = serializers.RegexField(r"^[A-Z]{4}0[A-Z0-9]{6}$")


class FoundAccountSchema(serializers.Serializer[None]):
    """An account that the bank found; its number stays with the banks."""

    object = serializers.CharField()
    id = serializers.CharField()
    ifsc = serializers.CharField()
    masked_number = serializers.CharField()
    type = serializers.CharField()
    holder_name = serializers.CharField()
    has_pin = serializers.BooleanField()
    credentials = serializers.ListField(child=serializers.DictField())


class ListingSchema(serializers.Serializer[None]):
    """What the bank found for the mobile number of this phone."""

    object = serializers.CharField()
    id = serializers.CharField()
    bank = serializers.CharField()
    status = serializers.ChoiceField(["pending", "succeeded", "failed"])
    finality = serializers.ChoiceField(["provisional", "final"])
    upi_code = serializers.CharField(allow_null=True)
    failure = serializers.CharField(allow_null=True)
    explanation = schemas.EXPLANATION
    accounts = FoundAccountSchema(many=True)
    created_at = serializers.DateTimeField()


class LinkSchema(serializers.Serializer[None]):
    """The account to link, of those that the bank found."""

    account = serializers.CharField()


class BanksView(CustomerView):
    """GET /app/v1/banks."""

    @extend_schema(
        operation_id="list_banks",
        tags=["Accounts"],
        responses={200: BankListSchema, 401: schemas.PROBLEM, 403: schemas.PROBLEM},
    )
    def get(self, request: Request) -> Response:
        """List the banks whose accounts can be linked."""
        members.check_parameters(request.query_params, ())
        banks = [
            {
                "object": "bank",
                "ifsc": row.ifsc,
                "name": row.name,
                "is_own": accounts.is_ours(row.ifsc),
            }
            for row in account_providers()
        ]
        return Response(page(banks))


class ListingsView(CustomerView):
    """POST /app/v1/account-listings."""

    @extend_schema(
        operation_id="create_account_listing",
        tags=["Accounts"],
        request=ListingRequestSchema,
        responses={
            202: ListingSchema,
            400: schemas.PROBLEM,
            401: schemas.PROBLEM,
            403: schemas.PROBLEM,
            422: schemas.PROBLEM,
            429: schemas.PROBLEM,
            503: schemas.PROBLEM,
        },
        examples=[OpenApiExample("A bank", value={"bank": "SMPL0000002"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Ask a bank which accounts it has for this phone's number: 25 times in 24 hours."""
        body = body_of(request)
        members.check_known(body, {"bank"})
        ifsc = members.text(body, "bank", _IFSC)
        row = listing.ask(ifsc, principal=principal_of(request), at=clock.now())
        return Response(_render(row, asked_language(request)), status=202)


class ListingView(CustomerView):
    """GET /app/v1/account-listings/{id}."""

    @extend_schema(
        operation_id="get_account_listing",
        tags=["Accounts"],
        responses={200: ListingSchema, 401: schemas.PROBLEM, 404: schemas.PROBLEM},
    )
    def get(self, request: Request, listing_id: str) -> Response:
        """See which accounts the bank found."""
        members.check_parameters(request.query_params, ())
        row = selectors.listing_of(
            principal_of(request).customer_id, ids.parse_public_id("lst", listing_id)
        )
        return Response(_render(row, asked_language(request)))


class LinksView(CustomerView):
    """POST /app/v1/account-listings/{id}/links."""

    @extend_schema(
        operation_id="link_account",
        tags=["Accounts"],
        request=LinkSchema,
        responses={
            201: schemas.AccountSchema,
            400: schemas.PROBLEM,
            401: schemas.PROBLEM,
            404: schemas.PROBLEM,
        },
        examples=[
            OpenApiExample(
                "An account", value={"account": "fac_01kaq5k0q6e1p8v4c3x2z7w9ya"}, request_only=True
            )
        ],
    )
    def post(self, request: Request, listing_id: str) -> Response:
        """Link an account that the bank found."""
        body = body_of(request)
        members.check_known(body, {"account"})
        found_id = ids.parse_public_id("fac", members.text(body, "account", _FOUND_ID))
        if found_id is None:
            raise NotFoundError
        row = listing.link(
            ids.parse_public_id("lst", listing_id),
            found_id,
            customer_id=principal_of(request).customer_id,
        )
        return Response(render.account(row), status=201)


def _render(row: AccountListing, language: Language) -> dict[str, Any]:
    state = RequestState(row.state)
    is_failed = state is RequestState.FAILED
    return {
        "object": "account_listing",
        "id": ids.public_id("lst", row.pk),
        "bank": row.ifsc,
        "status": PUBLIC_STATUS[state],
        "finality": "final" if state in FINAL else "provisional",
        "upi_code": row.result_code or None,
        **(render.failure(row.result_code, language) if is_failed else render.NO_FAILURE),
        "accounts": [_account(each) for each in selectors.found_accounts(row)],
        "created_at": clock.iso(row.created_at),
    }


def _account(found: FoundAccount) -> dict[str, Any]:
    return {
        "object": "found_account",
        "id": ids.public_id("fac", found.pk),
        "ifsc": found.ifsc,
        "masked_number": mask_account(found.account_number),
        "type": found.account_type,
        "holder_name": found.holder_name,
        "has_pin": found.has_pin,
        "credentials": found.credentials,
    }
