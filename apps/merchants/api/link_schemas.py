"""The shapes of links and QR codes, for the OpenAPI document and its readers."""

from rest_framework import serializers

URI = (
    "upi://pay?ver=01&mode=05&orgid=900001&pa=store1@exbank&pn=Example%20Store&mc=5411&tr=INV-2291"
    "&am=499.00&cu=INR&QRexpire=2026-03-02T10:45:00%2B05:30&sign=MEUCIQDv..."
)
RESOLVED = {
    "object": "intent",
    "format": "upi",
    "action": "pay",
    "is_payable": True,
    "payee": {
        "vpa": "store1@exbank",
        "name": "Example Store",
        "is_name_verified": True,
        "claimed_name": "Example Store",
        "kind": "merchant",
        "mcc": "5411",
    },
    "amount": 49900,
    "amount_min": 49900,
    "amount_max": 49900,
    "is_amount_editable": False,
    "currency": "INR",
    "reference": "INV-2291",
    "note": "",
    "url": None,
    "initiation_mode": "05",
    "purpose": "00",
    "signature": {"status": "verified", "orgid": "900001"},
    "expires_at": "2026-03-02T10:45:00+05:30",
    "mandate": None,
    "refusals": [],
    "warnings": [],
    "payment": {
        "payee_vpa": "store1@exbank",
        "payee_name": "Example Store",
        "ref_id": "INV-2291",
        "initiation_mode": "05",
        "purpose": "00",
        "amount": 49900,
        "currency": "INR",
        "link": URI,
        "link_source": "camera",
    },
}


class IntentDraftSchema(serializers.Serializer[None]):
    """Which order the link is to pay."""

    order = serializers.CharField()


class IntentSchema(serializers.Serializer[None]):
    """A signed link that pays an order, and its QR code as an SVG document."""

    object = serializers.CharField()
    order = serializers.CharField()
    uri = serializers.CharField()
    qr_svg = serializers.CharField()
    initiation_mode = serializers.CharField()
    expires_at = serializers.DateTimeField()


class QrDraftSchema(serializers.Serializer[None]):
    """
    A static code of a store, or a dynamic one of an order.

    `city` is needed for bharatqr, which cannot be signed.
    """

    kind = serializers.ChoiceField(["static", "dynamic"])
    format = serializers.ChoiceField(["upi", "bharatqr"], required=False)
    order = serializers.CharField(required=False, help_text="dynamic only")
    store = serializers.CharField(max_length=20, required=False)
    terminal = serializers.CharField(max_length=20, required=False)
    city = serializers.CharField(max_length=15, required=False, help_text="bharatqr only")
    postal_code = serializers.CharField(max_length=10, required=False, help_text="bharatqr only")
    expires_at = serializers.DateTimeField(
        required=False,
        help_text="dynamic: at most the order's, which it is unless told; static: none unless told",
    )


class QrCodeSchema(serializers.Serializer[None]):
    """A QR code; `payload` is the text in it."""

    object = serializers.CharField()
    id = serializers.CharField()
    kind = serializers.ChoiceField(["static", "dynamic"])
    format = serializers.ChoiceField(["upi", "bharatqr"])
    order = serializers.CharField(allow_null=True)
    store = serializers.CharField(allow_blank=True)
    terminal = serializers.CharField(allow_blank=True)
    payload = serializers.CharField()
    status = serializers.ChoiceField(["active", "expired", "revoked"])
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)


class WholeQrCodeSchema(QrCodeSchema):
    """A QR code with its image, an SVG document."""

    qr_svg = serializers.CharField()


class QrCodeListSchema(serializers.Serializer[None]):
    """A page of QR codes, without their images."""

    object = serializers.CharField()
    data = QrCodeSchema(many=True)  # type: ignore[assignment]
    has_more = serializers.BooleanField()
    next_cursor = serializers.CharField(allow_null=True)


class LinkTextSchema(serializers.Serializer[None]):
    """What was scanned or opened, sign for sign; `image`: out of a gallery or a message."""

    text = serializers.CharField(max_length=2048)
    source = serializers.ChoiceField(["camera", "image", "link"], required=False)  # type: ignore[assignment]


class LinkPayeeSchema(serializers.Serializer[None]):
    """Who would be paid; show `name`, and say when it is only claimed."""

    vpa = serializers.CharField()
    name = serializers.CharField()
    is_name_verified = serializers.BooleanField()
    claimed_name = serializers.CharField()
    kind = serializers.ChoiceField(["person", "merchant"])
    mcc = serializers.CharField()


class LinkSignatureSchema(serializers.Serializer[None]):
    """What the signature proves."""

    status = serializers.ChoiceField(
        ["verified", "unsigned", "bad", "key_not_valid", "unknown_signer"]
    )
    orgid = serializers.CharField(allow_null=True)


class NoticeSchema(serializers.Serializer[None]):
    """A refusal or a warning, by a stable code."""

    code = serializers.CharField()
    title = serializers.CharField()


class LinkPaymentSchema(serializers.Serializer[None]):
    """Members of POST /app/v1/payments that the link decides; `amount` only if it is fixed."""

    payee_vpa = serializers.CharField()
    payee_name = serializers.CharField(required=False)
    amount = serializers.IntegerField(required=False)
    currency = serializers.CharField()
    note = serializers.CharField(required=False)
    ref_id = serializers.CharField(required=False)
    ref_url = serializers.CharField(required=False)
    initiation_mode = serializers.CharField()
    purpose = serializers.CharField()
    link = serializers.CharField()
    link_source = serializers.ChoiceField(["camera", "image", "link"])


class MandateTermsSchema(serializers.Serializer[None]):
    """What a mandate's link asks for, as it says it; a mandate cannot be set up here yet."""

    kind = serializers.ChoiceField(["create", "update", "revoke"])
    name = serializers.CharField(allow_null=True)
    start_date = serializers.DateField(allow_null=True)
    end_date = serializers.DateField(allow_null=True)
    amount_rule = serializers.ChoiceField(["max", "exact"], allow_null=True)
    recurrence = serializers.CharField(allow_null=True)
    recurrence_value = serializers.IntegerField(allow_null=True)
    recurrence_type = serializers.ChoiceField(["before", "on", "after"], allow_null=True)
    first_amount = serializers.IntegerField(allow_null=True, help_text="paise")
    is_revocable = serializers.BooleanField(allow_null=True)
    is_shared = serializers.BooleanField(allow_null=True)
    is_blocked = serializers.BooleanField(allow_null=True)
    umn = serializers.CharField(allow_null=True, help_text="the mandate's own number")
    skip = serializers.CharField(allow_null=True)


class ResolvedIntentSchema(serializers.Serializer[None]):
    """What a payer's app shows before paying; without `is_payable` it pays nothing."""

    object = serializers.CharField()
    format = serializers.ChoiceField(["upi", "bharatqr"])
    action = serializers.ChoiceField(["pay", "mandate", "collect"])
    is_payable = serializers.BooleanField()
    payee = LinkPayeeSchema()
    amount = serializers.IntegerField(allow_null=True, help_text="paise; null: the payer enters it")
    amount_min = serializers.IntegerField()
    amount_max = serializers.IntegerField(allow_null=True)
    is_amount_editable = serializers.BooleanField()
    currency = serializers.CharField()
    reference = serializers.CharField(allow_blank=True)
    note = serializers.CharField(allow_blank=True)
    url = serializers.CharField(allow_null=True, help_text="show it; never open it by itself")
    initiation_mode = serializers.CharField()
    purpose = serializers.CharField()
    signature = LinkSignatureSchema()
    expires_at = serializers.DateTimeField(allow_null=True)
    mandate = MandateTermsSchema(allow_null=True)
    refusals = NoticeSchema(many=True)
    warnings = NoticeSchema(many=True)
    payment = LinkPaymentSchema(allow_null=True)
