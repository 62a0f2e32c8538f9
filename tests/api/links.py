"""What the tests of links and QR codes share: made by merchants, read by payers' apps."""

import json

from django.db import transaction

from apps.common import clock, ids
from apps.common.money import Money
from apps.merchants.contracts import OrderPayment
from apps.merchants.models import Order
from apps.merchants.services.apply_payment import apply_payments
from tests.api.people import new_transaction_id

INTENTS, RESOLVE, CODES = "/v1/intents", "/v1/intents/resolve", "/v1/qr_codes"
APP_RESOLVE = "/app/v1/intents/resolve"
STATIC = {"kind": "static"}


def post(who, path, body, **headers):
    return who.client.post(path, json.dumps(body), content_type="application/json", headers=headers)


def make_code(shop, key="k-1", **body):
    return post(shop, CODES, body, **{"Idempotency-Key": key})


def resolve(who, text, path=RESOLVE, **members):
    return post(who, path, {"text": text, **members})


def codes_in(notices):
    return [notice["code"] for notice in notices]


def link_of(shop, **order):
    order_id = shop.order(**order).json()["id"]
    return post(shop, INTENTS, {"order": order_id}).json()["uri"]


def pay(shop, order_id, *, amount=None):
    row = Order.objects.get(pk=ids.parse_public_id("ord", order_id))
    payment = OrderPayment(
        txn_id=new_transaction_id(),
        payee_vpa=shop.address,
        ref_id=row.reference,
        amount=Money(amount or row.amount_paise),
        paid_at=clock.now(),
        rrn="532610000123",
    )
    with transaction.atomic():
        [fulfilment] = apply_payments([payment])
    return fulfilment.verdict
