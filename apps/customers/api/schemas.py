"""The shapes of the app API, for the OpenAPI document and its readers."""

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, inline_serializer
from rest_framework import serializers

from apps.upi.response_codes import Fault

ACCOUNT_ID = "acc_01kaq5k0q6e1p8v4c3x2z7w9ya"
REQUEST_ID = "arq_01kaq5k0q6e1p8v4c3x2z7w9yb"
DEVICE_ID = "dev_01kaq5k0q6e1p8v4c3x2z7w9yc"
TRANSACTION_ID = "EXB0a1b2c3d4e5f60718293a4b5c6d7e8f9"
BLOCK_EXAMPLE = {"ki": "20150822", "data": "2.0|bm90LWEtcmVhbC1ibG9jaw=="}


class ProblemSchema(serializers.Serializer[None]):
    """RFC 9457 problem document; `code` is stable."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    request_id = serializers.CharField()


class BlockSchema(serializers.Serializer[None]):
    """An encrypted credential from the phone's PIN page."""

    ki = serializers.RegexField(r"^[0-9]{8}$")
    data = serializers.RegexField(r"^2\.0\|[A-Za-z0-9+/]+={0,2}$")  # type: ignore[assignment]


class ChallengeRequestSchema(serializers.Serializer[None]):
    """The device that wants to log in."""

    device_id = serializers.CharField()


class ChallengeSchema(serializers.Serializer[None]):
    """Sign `upi-session|<device_id>|<challenge>` with the device key (ECDSA P-256, SHA-256)."""

    object = serializers.CharField()
    challenge = serializers.CharField()
    expires_at = serializers.DateTimeField()


class SessionRequestSchema(serializers.Serializer[None]):
    """The signed challenge; `signature` is base64 of the DER signature."""

    device_id = serializers.CharField()
    challenge = serializers.CharField()
    signature = serializers.CharField()


class CustomerSchema(serializers.Serializer[None]):
    """Who is logged in; `address` is the payer address of messages that move no money."""

    id = serializers.CharField()
    name = serializers.CharField()
    address = serializers.CharField()


class SessionSchema(serializers.Serializer[None]):
    """The token is opaque and shown this once."""

    object = serializers.CharField()
    token = serializers.CharField()
    expires_at = serializers.DateTimeField()
    customer = CustomerSchema()


class AccountSchema(serializers.Serializer[None]):
    """A linked bank account; its number stays with the bank."""

    object = serializers.CharField()
    id = serializers.CharField()
    ifsc = serializers.CharField()
    masked_number = serializers.CharField()
    type = serializers.CharField()
    holder_name = serializers.CharField()
    is_default = serializers.BooleanField()


class AccountListSchema(serializers.Serializer[None]):
    """All accounts of the customer."""

    object = serializers.CharField()
    data = AccountSchema(many=True)  # type: ignore[assignment]
    has_more = serializers.BooleanField()
    next_cursor = serializers.CharField(allow_null=True)


class OtpRequestSchema(serializers.Serializer[None]):
    """Ask the account's bank to send an OTP by SMS."""

    txn_id = serializers.CharField()
    card_digits = serializers.RegexField(r"^[0-9]{6}$")
    card_expiry = serializers.RegexField(r"^(0[1-9]|1[0-2])[0-9]{2}$")


class PinRegistrationSchema(OtpRequestSchema):
    """Set a first UPI PIN, or a new one for a forgotten one, with the bank's OTP."""

    otp_block = BlockSchema()
    pin_block = BlockSchema()


class PinChangeSchema(serializers.Serializer[None]):
    """Change the UPI PIN."""

    txn_id = serializers.CharField()
    current_pin_block = BlockSchema()
    new_pin_block = BlockSchema()


class BalanceEnquirySchema(serializers.Serializer[None]):
    """Ask for the balance, with the UPI PIN."""

    txn_id = serializers.CharField()
    account = serializers.CharField()
    pin_block = BlockSchema()


# `class` is a word of Python, so that it cannot be written as a name.
EXPLANATION = inline_serializer(
    "Explanation",
    {
        "code": serializers.CharField(help_text="Why, as a stable word."),
        "upi_code": serializers.CharField(help_text="What the switch said, such as U30~Z9."),
        "class": serializers.ChoiceField(
            ["TD", "BD"], allow_null=True, help_text="Technical or business decline."
        ),
        "fault": serializers.ChoiceField(
            [fault.lower() for fault in Fault], help_text="Who can put it right."
        ),
        "retryable": serializers.BooleanField(
            help_text="Whether the same request, made again, may well succeed."
        ),
        "title": serializers.CharField(),
        "explanation": serializers.CharField(help_text="What happened, for people."),
        "next_action": serializers.CharField(help_text="What to do next, for people."),
    },
    allow_null=True,
)


class AccountRequestSchema(serializers.Serializer[None]):
    """What became of a question to the account's bank. Silence is pending and provisional."""

    object = serializers.CharField()
    id = serializers.CharField()
    kind = serializers.ChoiceField(["OTP", "PIN_REGISTRATION", "PIN_CHANGE", "BALANCE"])
    txn_id = serializers.CharField()
    account = serializers.CharField()
    status = serializers.ChoiceField(["pending", "succeeded", "failed"])
    finality = serializers.ChoiceField(["provisional", "final"])
    upi_code = serializers.CharField(allow_null=True)
    failure = serializers.CharField(allow_null=True)
    explanation = EXPLANATION
    created_at = serializers.DateTimeField()


class BalanceSchema(AccountRequestSchema):
    """The balance is handed over once, to the first GET after success; null before and after."""

    balance = serializers.IntegerField(allow_null=True, help_text="paise")


PROBLEM = OpenApiResponse(
    ProblemSchema,
    examples=[
        OpenApiExample(
            "Refusal",
            value={
                "type": "/docs/errors#not_found",
                "title": "Not found",
                "status": 404,
                "detail": "Not found",
                "code": "not_found",
                "request_id": "req_01kaq5k0q6e1p8v4c3x2z7w9yd",
            },
        )
    ],
)
EMPTY = inline_serializer("Empty", {})
