"""The shapes of the collects API, for the OpenAPI document and its readers."""

from rest_framework import serializers

from apps.customers.api.schemas import EXPLANATION, BlockSchema
from apps.payments.api.schemas import RefundUpiSchema


class CollectRequestSchema(serializers.Serializer[None]):
    """Whom to ask, for which order, and for how long; 30 minutes unless told."""

    order = serializers.CharField()
    payer_vpa = serializers.CharField()
    expires_in_minutes = serializers.IntegerField(min_value=1, required=False)


class ApprovalSchema(serializers.Serializer[None]):
    """From which account the customer pays, and their PIN, bound to what the collect shows."""

    account = serializers.CharField()
    pin_block = BlockSchema()


class DeclineSchema(serializers.Serializer[None]):
    """Whether who asked may ask again, and whether it is spam."""

    block_requester = serializers.BooleanField(required=False)
    report_spam = serializers.BooleanField(
        required=False, help_text="Whom several customers report is blocked for all for a time."
    )


class _CommonSchema(serializers.Serializer[None]):
    object = serializers.CharField()
    id = serializers.CharField()
    amount = serializers.IntegerField()
    currency = serializers.CharField()
    status = serializers.ChoiceField(["created", "pending", "succeeded", "failed"])
    finality = serializers.ChoiceField(["provisional", "final"])
    failure = EXPLANATION
    payer_vpa = serializers.CharField()
    payee_vpa = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()


class MerchantCollectSchema(_CommonSchema):
    """A collect of a merchant; `payment` is the payment that it becomes."""

    payment = serializers.CharField()
    reference = serializers.CharField()
    upi = RefundUpiSchema()


class CollectSchema(_CommonSchema):
    """What a customer is asked for; `awaits_approval` while they may still answer."""

    txn_id = serializers.CharField()
    rrn = serializers.CharField()
    awaits_approval = serializers.BooleanField()
    payee_name = serializers.CharField()
    note = serializers.CharField()


class CollectListSchema(serializers.Serializer[None]):
    """A page of collects."""

    object = serializers.CharField()
    data = CollectSchema(many=True)  # type: ignore[assignment]
    has_more = serializers.BooleanField()
    next_cursor = serializers.CharField(allow_null=True)
