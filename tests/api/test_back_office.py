"""The back office's pages of customers, addresses and merchants: all open, none tells too much."""

import pytest
from django.contrib import admin

from apps.common import clock, ids
from apps.merchants.models import WebhookDelivery
from apps.merchants.services.endpoints import register_endpoint
from apps.operators import roles
from tests.api.links import STATIC, make_code
from tests.api.people import BLOCK, enrol_person, new_transaction_id, open_shop
from tests.operators.factory import make_operator

pytestmark = pytest.mark.django_db

APPS = ("customers", "vpa", "merchants")
MODELS = [model for model in admin.site._registry if model._meta.app_label in APPS]


@pytest.fixture
def world():
    """One row of everything."""
    person, shop = enrol_person(), open_shop()
    body = {"address": "asha@exbank", "account": person.account_id}
    person.client.post("/app/v1/vpas", body, format="json")
    person.client.post("/app/v1/vpas/verify", {"address": "asha@exbank"}, format="json")
    enquiry = {
        "txn_id": new_transaction_id(),
        "account": person.account_id,
        "pin_block": BLOCK,
    }
    person.client.post("/app/v1/balance-enquiries", enquiry, format="json")
    person.client.post("/app/v1/account-listings", {"bank": "EXBK0000001"}, format="json")
    challenge = {"ki": "20261101", "data": "U1lOVEhFVElDLUNIQUxMRU5HRQ=="}
    token = {"kind": "initial", "challenge": challenge}
    person.client.post("/app/v1/device-tokens", token, format="json")
    shop.order()
    make_code(shop, **STATIC)
    endpoint, _ = register_endpoint(
        "http://127.0.0.1:1/", merchant_id=shop.merchant.pk, is_live=True, at=clock.now()
    )
    WebhookDelivery.objects.create(
        endpoint=endpoint,
        event_id=ids.uuid7(),
        event_type="order.paid",
        body=b"{}",
        created_at=clock.now(),
    )
    return person, shop


@pytest.fixture
def browser():
    return make_operator(roles.OPERATIONS).client


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_list_and_every_row_opens_and_none_can_be_edited(model, world, browser):
    place = f"/admin/{model._meta.app_label}/{model._meta.model_name}"
    row = f"{place}/{model.objects.first().pk}/change/"

    assert browser.get(f"{place}/").status_code == 200
    assert browser.get(row).status_code == 200
    assert browser.get(f"{place}/add/").status_code == 403
    assert browser.post(row, {}).status_code == 403
    assert browser.post(row.replace("change", "delete"), {"post": "yes"}).status_code == 403


def test_there_are_pages_of_all_that_matters():
    assert {model.__name__ for model in MODELS} >= {
        "Customer",
        "Device",
        "LinkedAccount",
        "AccountRequest",
        "Vpa",
        "Merchant",
        "ApiKey",
        "Order",
        "WebhookEndpoint",
        "WebhookDelivery",
    }


def test_no_page_shows_an_account_number_a_mobile_or_a_secret(world, browser):
    person, shop = world
    hidden = [
        person.accounts[0].account_number,
        person.device.customer.mobile,
        person.token,
        shop.key,
        shop.merchant.vpa.account_number,
    ]

    for model in MODELS:
        place = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        pages = [place, *(f"{place}{row.pk}/change/" for row in model.objects.all())]
        for page in pages:
            text = browser.get(page).content.decode()
            assert [secret for secret in hidden if secret in text] == [], page


def test_rows_are_found_by_what_staff_are_told(world, browser):
    person, shop = world

    found = {
        f"/admin/vpa/vpa/?q={shop.address}": shop.address,
        f"/admin/customers/customer/?q={person.device.customer.mobile}": "ASHA RAO",
        f"/admin/merchants/order/?q={shop.merchant.orders.get().reference}": "499.00",
    }

    for page, text in found.items():
        assert text in browser.get(page).content.decode(), page
