"""Register the phone's common library, at first and each time its token is renewed."""

import re
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common import clock, ids, members
from apps.customers import selectors
from apps.customers.api import schemas
from apps.customers.api.base import CustomerView, body_of, principal_of
from apps.customers.contracts import Challenge
from apps.customers.models import DeviceToken
from apps.customers.services import tokens
from apps.customers.states import FINAL, PUBLIC_STATUS, RequestState, TokenKind

_KIND = re.compile("|".join(TokenKind))
# Why the switch registers no token (upi-protocol 4.7), in the words of our API.
_FAILURES = {
    "U64": "challenge_refused",
    "U65": "challenge_refused",
    "U66": "device_refused",
    tokens.CHECK_DIFFERS: "check_differs",
}
_OTHERWISE = "switch_refused"


class LibraryChallengeSchema(serializers.Serializer[None]):
    """The library's challenge in base64, and the index of the switch's key that it is for."""

    ki = serializers.RegexField(r"^[0-9]{8}$")
    data = serializers.CharField(max_length=1402)  # type: ignore[assignment]


class TokenDraftSchema(serializers.Serializer[None]):
    """`initial` on a new phone, `rotate` when the token is to be renewed, `reset` to begin anew."""

    kind = serializers.ChoiceField(["initial", "rotate", "reset"])
    challenge = LibraryChallengeSchema()


class TokenSchema(serializers.Serializer[None]):
    """A registration; `check_value` goes to the library, which compares it."""

    object = serializers.CharField()
    id = serializers.CharField()
    kind = serializers.ChoiceField(["initial", "rotate", "reset"])
    status = serializers.ChoiceField(["pending", "succeeded", "failed"])
    finality = serializers.ChoiceField(["provisional", "final"])
    upi_code = serializers.CharField(allow_null=True)
    failure = serializers.CharField(allow_null=True)
    check_value = serializers.CharField(allow_null=True)
    rotate_by = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class TokensView(CustomerView):
    """POST /app/v1/device-tokens."""

    @extend_schema(
        operation_id="create_device_token",
        tags=["Accounts"],
        request=TokenDraftSchema,
        responses={
            202: TokenSchema,
            400: schemas.PROBLEM,
            401: schemas.PROBLEM,
            403: schemas.PROBLEM,
            429: schemas.PROBLEM,
            503: schemas.PROBLEM,
        },
        examples=[
            OpenApiExample(
                "A new phone",
                value={
                    "kind": "initial",
                    "challenge": {"ki": "20150822", "data": "U1lOVEhFVElDLUNIQUxMRU5HRQ=="},
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Pass the library's challenge on to the switch: ten times in 24 hours."""
        body = body_of(request)
        members.check_known(body, {"kind", "challenge"})
        row = tokens.ask(
            TokenKind(members.text(body, "kind", _KIND)),
            Challenge.parse(body.get("challenge")),
            principal=principal_of(request),
            at=clock.now(),
        )
        return Response(_render(row), status=202)


class TokenView(CustomerView):
    """GET /app/v1/device-tokens/{id}."""

    @extend_schema(
        operation_id="get_device_token",
        tags=["Accounts"],
        responses={200: TokenSchema, 401: schemas.PROBLEM, 404: schemas.PROBLEM},
    )
    def get(self, request: Request, token_id: str) -> Response:
        """See what the switch said."""
        members.check_parameters(request.query_params, ())
        row = selectors.token_of(
            principal_of(request).device_id, ids.parse_public_id("dtk", token_id)
        )
        return Response(_render(row))


def _render(row: DeviceToken) -> dict[str, Any]:
    state = RequestState(row.state)
    is_failed = state is RequestState.FAILED
    renew_at = tokens.rotate_by(row)
    return {
        "object": "device_token",
        "id": ids.public_id("dtk", row.pk),
        "kind": row.kind,
        "status": PUBLIC_STATUS[state],
        "finality": "final" if state in FINAL else "provisional",
        "upi_code": row.result_code or None,
        "failure": _FAILURES.get(row.result_code, _OTHERWISE) if is_failed else None,
        "check_value": row.check_value or None,
        "rotate_by": clock.iso(renew_at) if renew_at is not None else None,
        "created_at": clock.iso(row.created_at),
    }
