"""The back office sees the wire, masked, and can change nothing of it."""

import pytest
from django.contrib import admin
from django.test import RequestFactory

from apps.upi.models import Exchange, MessageLog, Organisation, PeerKey
from tests.upi import wire

MODELS = [Exchange, MessageLog, Organisation, PeerKey]


@pytest.mark.parametrize("model", MODELS)
def test_nothing_of_the_wire_can_be_changed_in_the_back_office(model):
    page = admin.site._registry[model]
    request = RequestFactory().get("/")

    assert not page.has_add_permission(request)
    assert not page.has_change_permission(request)
    assert not page.has_delete_permission(request)


def test_a_logged_message_is_shown_without_what_identifies_a_person(door):
    door.send(wire.fresh("DEBIT"))
    entry = MessageLog.objects.get()
    page = admin.site._registry[MessageLog]

    shown = page.masked_body(entry)

    assert "001234567890" in entry.body
    for personal in ("001234567890", "919800000001", "asha@exbank"):
        assert personal not in shown
    assert "XXXXXXXX7890" in shown
    assert len(page.digest(entry)) == 64


@pytest.mark.parametrize("number", ["SB00123A456", "12345678", "1234567890123456789012"])
def test_account_numbers_of_any_form_are_masked(door, number):
    message = wire.fresh("DEBIT")
    payee = message.find("Payees/Payee/Ac/Detail[@name='ACNUM']")
    payee.set("value", number)
    message.find("Payees/Payee/Info/Identity").set("id", number)
    door.send(message)
    entry = MessageLog.objects.get()

    shown = admin.site._registry[MessageLog].masked_body(entry)

    assert number in entry.body
    assert number not in shown
