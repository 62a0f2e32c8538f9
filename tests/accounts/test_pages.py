"""The back office's pages about money: rupees, masked numbers, nothing to change."""

import datetime as dt

import pytest
from django.urls import reverse

from apps.accounts.admin import bank_account
from apps.accounts.models import (
    AccountRestriction,
    BankAccount,
    CoreBankingCall,
    CredentialRequest,
    PinState,
    ServicePause,
    UnmatchedAnswer,
)
from apps.common import clock, ids
from apps.ledger.models import LedgerAccount, Transfer
from apps.risk.models import FirstUse, LimitRule, LimitUsage
from apps.risk.services import first_day
from tests.accounts.issuer import MOBILE, NUMBER
from tests.operators.factory import make_operator
from tests.payments.host import Host

MODELS = [
    LedgerAccount,
    Transfer,
    BankAccount,
    PinState,
    CredentialRequest,
    LimitRule,
    LimitUsage,
    FirstUse,
    AccountRestriction,
    ServicePause,
    CoreBankingCall,
    UnmatchedAnswer,
]


@pytest.fixture
def browser(issuer):
    account = issuer.open_with_pin("123456", paise=1_23_456_78)
    LimitUsage.objects.create(
        account=account, business_date=dt.date(2026, 11, 22), amount_paise=5000, payments=2
    )
    first_day.establish([account.pk])
    when = {"valid_from_at": clock.now(), "source": "a court"}
    AccountRestriction.objects.create(account=account, kind="NO_DEBIT", **when)
    ServicePause.objects.create(side="REMITTER", kind="CUT_OFF", **when)
    call = CoreBankingCall.objects.create(
        leg_id=ids.uuid7(),
        kind="DEBIT",
        mti_class="02",
        acquirer="900001",
        business_date=dt.date(2026, 11, 22),
        terminal="EXBUPI01",
        stan=42,
        transmitted_at=clock.now(),
        rrn="632700000042",
        amount_paise=1_23_456_78,
    )
    UnmatchedAnswer.objects.create(call=call, reason="CONTRADICTION", received_at=clock.now())
    return make_operator(is_superuser=True).client


def page(browser, model, action="changelist", *args):
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{action}"
    answer = browser.get(reverse(name, args=args))
    return answer.status_code, answer.content.decode()


def test_every_page_opens_masks_numbers_and_changes_nothing(browser):
    for model in MODELS:
        pages = [
            page(browser, model),
            *(page(browser, model, "change", row.pk) for row in model.objects.all()[:3]),
        ]

        assert len(pages) > 1, model
        for status, text in pages:
            assert status == 200, model
            assert NUMBER not in text, model
            assert MOBILE not in text, model
            assert 'name="_save"' not in text, model
        assert page(browser, model, "add")[0] == 403


def test_money_is_shown_in_rupees(browser):
    account = BankAccount.objects.get()

    _, listed = page(browser, BankAccount)
    _, detail = page(browser, LedgerAccount, "change", account.ledger_account_id)
    _, transfers = page(browser, Transfer)
    _, rules = page(browser, LimitRule)
    _, calls = page(browser, CoreBankingCall)

    assert "₹1,23,456.78" in listed
    assert "XXXXXXXX7890" in listed
    assert "₹1,23,456.78" in detail
    assert "₹1,23,456.78" in transfers
    assert "₹1,00,000.00" in rules
    assert "20 payments" in rules
    assert "₹1,23,456.78" in calls
    assert "000042" in calls


def test_a_hosts_balances_are_not_shown_from_our_books(browser, monkeypatch):
    monkeypatch.setattr(bank_account, "core_banking", Host)
    account = BankAccount.objects.get()

    _, listed = page(browser, BankAccount)
    _, detail = page(browser, BankAccount, "change", account.pk)

    for text in (listed, detail):
        assert "₹1,23,456.78" not in text
        assert "kept by the core-banking host" in text
