"""The back office's pages of QR codes: shown as they were made, and safe to read."""

import datetime as dt

import pytest
from django.urls import reverse

from apps.merchants.models import Merchant, QrCode
from tests.api.links import make_code
from tests.api.people import open_shop
from tests.operators.factory import make_operator

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser():
    return make_operator(is_superuser=True).client


def page(browser, action, *args):
    answer = browser.get(reverse(f"admin:merchants_qrcode_{action}", args=args))
    return answer.status_code, answer.content.decode()


def test_a_code_is_shown_with_what_it_says(browser):
    shop = open_shop("Nila Books")
    order_id = shop.order(reference="INV-1").json()["id"]
    made = make_code(shop, kind="dynamic", order=order_id, terminal="T1").json()
    row = QrCode.objects.get()

    status, text = page(browser, "change", row.pk)

    assert status == 200
    assert "data:image/svg+xml;base64," in text
    for part in ("Nila Books", shop.address, "INV-1", "₹499.00", "by this bank", "T1"):
        assert part in text
    assert made["payload"].replace("&", "&amp;") in text
    assert 'name="_save"' not in text


def test_a_page_is_there_to_be_printed(browser):
    shop = open_shop("Nila Books")
    make_code(shop, kind="static", format="bharatqr", city="Mumbai", store="S1")
    row = QrCode.objects.get()

    status, text = page(browser, "print", row.pk)
    _, shown = page(browser, "change", row.pk)

    assert status == 200
    assert "Scan with any UPI app" in text
    assert shop.address in text
    assert "₹" not in text
    assert "the payer enters it" in shown


def test_a_name_of_markup_is_shown_as_text(browser):
    """M13."""
    shop = open_shop()
    Merchant.objects.update(name="<script>alert(1)</script>")
    make_code(shop, kind="static")
    row = QrCode.objects.get()

    for action in ("change", "print"):
        _, text = page(browser, action, row.pk)
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert(1)" in text


def test_a_code_that_was_called_back_is_shown_as_such_and_not_printed(browser):
    make_code(open_shop("Nila Books"), kind="static")
    row = QrCode.objects.get()
    QrCode.objects.update(revoked_at=dt.datetime(2026, 11, 22, 6, 30, tzinfo=dt.UTC))

    _, shown = page(browser, "change", row.pk)
    listed = browser.get(reverse("admin:merchants_qrcode_changelist"), {"revoked_at__isempty": "0"})

    assert "22 Nov 2026, 12:00:00" in shown
    assert "not to be printed" in shown
    assert "/print/" not in shown
    assert page(browser, "print", row.pk)[0] == 404
    assert "Nila Books" in listed.content.decode()


def test_a_merchants_page_leads_to_its_codes(browser):
    shop, other = open_shop("Nila Books"), open_shop("Mango Stall")
    make_code(shop, kind="static")
    make_code(other, kind="static")

    merchant = browser.get(
        reverse("admin:merchants_merchant_change", args=[shop.merchant.pk])
    ).content.decode()
    listed = browser.get(
        reverse("admin:merchants_qrcode_changelist"), {"merchant__id__exact": shop.merchant.pk}
    ).content.decode()

    assert f"?merchant__id__exact={shop.merchant.pk}" in merchant
    assert "1 made" in merchant
    assert "Nila Books" in listed
    assert "Mango Stall" not in listed


def test_who_may_not_look_does_not_see_a_code(browser):
    make_code(open_shop(), kind="static")
    row = QrCode.objects.get()
    stranger = make_operator().client

    assert page(stranger, "change", row.pk)[0] == 403
    assert page(stranger, "print", row.pk)[0] == 403
    missing = "00000000-0000-7000-8000-000000000000"
    assert page(browser, "print", missing)[0] == 404
    assert page(browser, "change", missing)[0] == 404
