"""Log in with the device's key, and out."""

import datetime as dt
import re

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common import clock, ids, members
from apps.customers.api import schemas
from apps.customers.api.base import CustomerView, body_of, principal_of
from apps.customers.services import sessions

_DEVICE_ID = re.compile(r"dev_[0-9a-z]{26}")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_SIGNATURE = re.compile(r"[A-Za-z0-9+/]{60,120}={0,2}")


class ChallengesView(APIView):
    """POST /app/v1/sessions/challenges."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="create_challenge",
        tags=["Sessions"],
        auth=[],
        request=schemas.ChallengeRequestSchema,
        responses={201: schemas.ChallengeSchema, 400: schemas.PROBLEM},
        examples=[
            OpenApiExample("Device", value={"device_id": schemas.DEVICE_ID}, request_only=True)
        ],
    )
    def post(self, request: Request) -> Response:
        """Get a challenge for the device to sign. It lives a minute and is used once."""
        body = body_of(request)
        members.check_known(body, {"device_id"})
        device_id = members.text(body, "device_id", _DEVICE_ID)
        challenge = sessions.make_challenge(device_id)
        document = {
            "object": "challenge",
            "challenge": challenge,
            "expires_at": _expiry(settings.CHALLENGE_LIFE_SECONDS),
        }
        return Response(document, status=201)


class SessionsView(APIView):
    """POST /app/v1/sessions."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="create_session",
        tags=["Sessions"],
        auth=[],
        request=schemas.SessionRequestSchema,
        responses={
            201: schemas.SessionSchema,
            400: schemas.PROBLEM,
            401: schemas.PROBLEM,
            403: schemas.PROBLEM,
        },
    )
    def post(self, request: Request) -> Response:
        """Log in with a signed challenge; the device's earlier session ends."""
        body = body_of(request)
        members.check_known(body, {"device_id", "challenge", "signature"})
        session = sessions.begin_session(
            device_id=members.text(body, "device_id", _DEVICE_ID),
            challenge=members.text(body, "challenge", _CHALLENGE),
            signature=members.text(body, "signature", _SIGNATURE),
        )
        document = {
            "object": "session",
            "token": session.token.reveal(),
            "expires_at": _expiry(session.life_seconds),
            "customer": {
                "id": ids.public_id("cus", session.customer_id),
                "name": session.name,
                "address": session.address,
            },
        }
        return Response(document, status=201, headers={"Cache-Control": "no-store"})


class CurrentSessionView(CustomerView):
    """DELETE /app/v1/sessions/current."""

    @extend_schema(
        operation_id="end_session",
        tags=["Sessions"],
        responses={204: None, 401: schemas.PROBLEM},
    )
    def delete(self, request: Request) -> Response:
        """Log out; the token is refused from now on."""
        sessions.end_session(principal_of(request).device_id)
        return Response(status=204)


def _expiry(life_seconds: int) -> str:
    return clock.iso(clock.now() + dt.timedelta(seconds=life_seconds))
