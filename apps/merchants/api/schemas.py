"""The shapes of the merchant API, for the OpenAPI document and its readers."""

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from apps.customers.api.schemas import ProblemSchema

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="1 to 255 visible ASCII signs, new for each thing that you want to make",
)


class OrderDraftSchema(serializers.Serializer[None]):
    """What you want to be paid; `reference` is your own, unique name for it."""

    reference = serializers.RegexField(r"^[A-Za-z0-9\-]{1,35}$")
    amount = serializers.IntegerField(min_value=1, help_text="paise")
    currency = serializers.ChoiceField(["INR"])
    note = serializers.CharField(max_length=50, required=False)
    metadata = serializers.DictField(child=serializers.CharField(max_length=500), required=False)
    expires_at = serializers.DateTimeField(required=False, help_text="30 minutes from now")


class OrderPaymentSchema(serializers.Serializer[None]):
    """The UPI payment that paid the order."""

    txn_id = serializers.CharField()
    rrn = serializers.CharField()


class OrderSchema(serializers.Serializer[None]):
    """An order; the customer pays `amount` to `payee_vpa` with `reference` as tr."""

    object = serializers.CharField()
    id = serializers.CharField()
    livemode = serializers.BooleanField()
    reference = serializers.CharField()
    amount = serializers.IntegerField(help_text="paise")
    currency = serializers.CharField()
    status = serializers.ChoiceField(["created", "paid", "expired"])
    payee_vpa = serializers.CharField()
    payee_name = serializers.CharField()
    note = serializers.CharField(allow_blank=True)
    metadata = serializers.DictField(child=serializers.CharField())
    upi = OrderPaymentSchema(allow_null=True)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    paid_at = serializers.DateTimeField(allow_null=True)


class OrderListSchema(serializers.Serializer[None]):
    """A page of orders."""

    object = serializers.CharField()
    data = OrderSchema(many=True)  # type: ignore[assignment]
    has_more = serializers.BooleanField()
    next_cursor = serializers.CharField(allow_null=True)


class EndpointDraftSchema(serializers.Serializer[None]):
    """Where you want to be told of paid orders."""

    url = serializers.URLField(max_length=2048)


class EndpointSchema(serializers.Serializer[None]):
    """A webhook endpoint."""

    object = serializers.CharField()
    id = serializers.CharField()
    livemode = serializers.BooleanField()
    url = serializers.URLField()
    status = serializers.ChoiceField(["active", "disabled"])
    created_at = serializers.DateTimeField()


class NewEndpointSchema(EndpointSchema):
    """The signing secret is shown this once (Standard Webhooks, whsec_…)."""

    secret = serializers.CharField()


class EndpointListSchema(serializers.Serializer[None]):
    """All webhook endpoints of the key's mode."""

    object = serializers.CharField()
    data = EndpointSchema(many=True)  # type: ignore[assignment]
    has_more = serializers.BooleanField()
    next_cursor = serializers.CharField(allow_null=True)


class DeliverySchema(serializers.Serializer[None]):
    """How the delivery of one event stands."""

    object = serializers.CharField()
    id = serializers.CharField()
    event = serializers.CharField()
    type = serializers.CharField()
    status = serializers.ChoiceField(["pending", "delivered", "failed"])
    attempts = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class DeliveryListSchema(serializers.Serializer[None]):
    """A page of deliveries."""

    object = serializers.CharField()
    data = DeliverySchema(many=True)  # type: ignore[assignment]
    has_more = serializers.BooleanField()
    next_cursor = serializers.CharField(allow_null=True)


PROBLEM = OpenApiResponse(
    ProblemSchema,
    examples=[
        OpenApiExample(
            "Refusal",
            value={
                "type": "/docs/errors#invalid_amount",
                "title": "The amount must be a positive whole number of paise",
                "status": 400,
                "detail": "The amount must be a positive whole number of paise",
                "code": "invalid_amount",
                "field": "amount",
                "request_id": "req_01kaq5k0q6e1p8v4c3x2z7w9yd",
            },
        )
    ],
)
