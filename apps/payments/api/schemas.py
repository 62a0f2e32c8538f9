"""The shapes of the payments API, for the OpenAPI document and its readers."""

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from apps.customers.api.schemas import EXPLANATION, BlockSchema, ProblemSchema

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="1 to 255 printable ASCII signs; the same key and body again is the same payment.",
)
PROBLEM = OpenApiResponse(ProblemSchema, description="RFC 9457 problem document")
EXAMPLE = {
    "txn_id": "EXB0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    "account": "acc_01kaq5k0q6e1p8v4c3x2z7w9ya",
    "payer_vpa": "asha@exbank",
    "payee_vpa": "store1@smplbank",
    "payee_name": "Example Store",
    "amount": 14950,
    "currency": "INR",
    "note": "order 1",
    "pin_block": {"ki": "20150822", "data": "2.0|bm90LWEtcmVhbC1ibG9jaw=="},
}


class PaymentRequestSchema(serializers.Serializer[None]):
    """What to pay; `amount` is paise, and the PIN block is bound to what is shown here."""

    txn_id = serializers.RegexField(r"^EXB[0-9a-f]{32}$")
    account = serializers.CharField()
    payer_vpa = serializers.CharField()
    payee_vpa = serializers.CharField()
    payee_name = serializers.CharField(required=False)
    amount = serializers.IntegerField(min_value=1)
    currency = serializers.ChoiceField(["INR"])
    note = serializers.CharField(required=False, max_length=50)
    pin_block = BlockSchema()
    ref_id = serializers.CharField(required=False, max_length=35)
    ref_url = serializers.URLField(required=False, max_length=35)
    initiation_mode = serializers.CharField(required=False)
    purpose = serializers.CharField(required=False)
    link = serializers.CharField(
        required=False, max_length=2048, help_text="the text that was scanned or opened"
    )
    link_source = serializers.ChoiceField(["camera", "image", "link"], required=False)


LANGUAGE = OpenApiParameter(
    "Accept-Language",
    str,
    OpenApiParameter.HEADER,
    enum=["en", "hi"],
    description="In which failures are explained: English, or Hindi.",
)


class PaymentSchema(serializers.Serializer[None]):
    """A payment; while `finality` is provisional its status may still change."""

    object = serializers.CharField()
    id = serializers.CharField()
    txn_id = serializers.CharField()
    rrn = serializers.CharField()
    amount = serializers.IntegerField()
    currency = serializers.CharField()
    status = serializers.ChoiceField(["created", "pending", "succeeded", "failed"])
    finality = serializers.ChoiceField(["provisional", "final"])
    payer_vpa = serializers.CharField()
    payee_vpa = serializers.CharField()
    payee_name = serializers.CharField()
    note = serializers.CharField()
    failure = EXPLANATION
    deemed = EXPLANATION
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class PaymentListSchema(serializers.Serializer[None]):
    """A page of payments."""

    object = serializers.CharField()
    data = PaymentSchema(many=True)  # type: ignore[assignment]
    has_more = serializers.BooleanField()
    next_cursor = serializers.CharField(allow_null=True)


class UpiSchema(serializers.Serializer[None]):
    """How the payment is known on UPI; the payer's address is masked."""

    txn_id = serializers.CharField()
    rrn = serializers.CharField()
    payer_vpa = serializers.CharField()
    payee_vpa = serializers.CharField()
    response_code = serializers.CharField(allow_null=True)
    purpose = serializers.CharField()
    initiation_mode = serializers.CharField()


class MerchantPaymentSchema(serializers.Serializer[None]):
    """A payment to a merchant, and the order that its reference names."""

    object = serializers.CharField()
    id = serializers.CharField()
    order = serializers.CharField(allow_null=True)
    reference = serializers.CharField()
    amount = serializers.IntegerField()
    amount_refunded = serializers.IntegerField(help_text="gone back, or on its way")
    currency = serializers.CharField()
    status = serializers.ChoiceField(["created", "pending", "succeeded", "failed"])
    finality = serializers.ChoiceField(["provisional", "final"])
    upi = UpiSchema()
    failure = EXPLANATION
    deemed = EXPLANATION
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class MerchantPaymentListSchema(serializers.Serializer[None]):
    """A page of payments to a merchant."""

    object = serializers.CharField()
    data = MerchantPaymentSchema(many=True)  # type: ignore[assignment]
    has_more = serializers.BooleanField()
    next_cursor = serializers.CharField(allow_null=True)


class RefundRequestSchema(serializers.Serializer[None]):
    """How much goes back; without an amount, all that is left of the payment."""

    amount = serializers.IntegerField(min_value=1, required=False, help_text="paise")
    currency = serializers.ChoiceField(["INR"], required=False)
    reference = serializers.RegexField(r"^[A-Za-z0-9\-]{1,35}$", required=False)


class RefundUpiSchema(serializers.Serializer[None]):
    """How a refund is known on UPI; empty until it is sent."""

    txn_id = serializers.CharField(allow_null=True)
    rrn = serializers.CharField(allow_null=True)
    response_code = serializers.CharField(allow_null=True)


class RefundSchema(serializers.Serializer[None]):
    """Money that goes back to a payer; `reason` says whether the merchant asked for it."""

    object = serializers.CharField()
    id = serializers.CharField()
    payment = serializers.CharField(allow_null=True)
    order = serializers.CharField(allow_null=True)
    reference = serializers.CharField()
    amount = serializers.IntegerField()
    currency = serializers.CharField()
    status = serializers.ChoiceField(["created", "pending", "succeeded", "failed"])
    finality = serializers.ChoiceField(["provisional", "final"])
    reason = serializers.ChoiceField(["requested", "duplicate", "expired"])
    upi = RefundUpiSchema()
    failure = EXPLANATION
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class RefundListSchema(serializers.Serializer[None]):
    """A page of refunds."""

    object = serializers.CharField()
    data = RefundSchema(many=True)  # type: ignore[assignment]
    has_more = serializers.BooleanField()
    next_cursor = serializers.CharField(allow_null=True)


ACCEPTED = {
    202: PaymentSchema,
    200: OpenApiResponse(PaymentSchema, description="The same payment again"),
    400: PROBLEM,
    401: PROBLEM,
    403: PROBLEM,
    404: PROBLEM,
    409: PROBLEM,
    422: PROBLEM,
}
