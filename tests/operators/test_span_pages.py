"""Operators restrict accounts, pause the service, close addresses and suspend merchants."""

import datetime as dt

import pytest

from apps.accounts import checking
from apps.accounts.models import AccountRestriction, ServicePause
from apps.accounts.services.open_account import open_account
from apps.common import clock
from apps.common.clock import IST
from apps.merchants.models import Merchant
from apps.messaging.models import OutboxEvent
from apps.operators import roles
from apps.operators.models import AuditEntry
from apps.operators.services import audit
from apps.vpa.selectors import resolve
from tests.accounts.issuer import CARD, MOBILE, NUMBER
from tests.api.people import open_shop
from tests.operators.change import REASON, Form
from tests.operators.factory import make_operator

pytestmark = pytest.mark.django_db

PAUSE = "/admin/accounts/servicepause/pause/"
HSM = {"side": "REMITTER", "kind": "HSM"}


def local(days):
    return (clock.now() + dt.timedelta(days=days)).astimezone(IST).strftime("%Y-%m-%dT%H:%M")


def entries():
    return list(AuditEntry.objects.exclude(action="login").order_by("sequence"))


def standing(*accounts):
    return checking.standing_of(accounts)


@pytest.fixture
def risk():
    return make_operator(roles.RISK)


@pytest.fixture
def operations():
    return make_operator(roles.OPERATIONS)


@pytest.fixture
def account():
    return open_account(number=NUMBER, holder_name="ASHA RAO", mobile=MOBILE, card=CARD)


def restrict(staff, account):
    return Form(staff.client, f"/admin/accounts/bankaccount/{account.pk}/restrict/")


def end_of(staff, row):
    return Form(staff.client, f"/admin/accounts/{row._meta.model_name}/{row.pk}/end/")


def test_an_account_is_restricted_at_once_and_freed_again(risk, account):
    shown = restrict(risk, account).look(kind="NO_DEBIT")
    assert AccountRestriction.objects.count() == 0
    restrict(risk, account).confirm(shown, kind="NO_DEBIT")
    assert standing(account).debit_refusal(account) == "B3"

    row = AccountRestriction.objects.get()
    end_of(risk, row).change()

    assert standing(account).debit_refusal(account) == ""
    page = shown.content.decode()
    assert "declined with B3" in page
    assert NUMBER not in page
    assert row.source == f"{risk.operator.staff_number}: {REASON}"
    said = [(entry.action, entry.target) for entry in entries()]
    assert said == [
        ("accounts_account_restriction_begun", "XXXXXXXX7890"),
        ("accounts_account_restriction_ended", "XXXXXXXX7890"),
    ]
    audit.verify()


def test_the_end_of_one_order_leaves_another(risk, account):
    form = restrict(risk, account)
    form.change(kind="NO_DEBIT")
    shown = form.look(kind="NO_DEBIT")
    form.confirm(shown, kind="NO_DEBIT")

    end_of(risk, AccountRestriction.objects.earliest("pk")).change()

    assert "goes on as it is" in shown.content.decode()
    assert standing(account).debit_refusal(account) == "B3"


def test_a_second_click_restricts_nothing_twice(risk, account):
    form = restrict(risk, account)
    shown = form.look(kind="NO_DEBIT")
    form.confirm(shown, kind="NO_DEBIT")

    answer = form.confirm(shown, kind="NO_DEBIT")

    assert answer.status_code == 409
    assert AccountRestriction.objects.count() == 1


def test_a_pause_that_is_planned_holds_for_its_time_only(operations):
    form = Form(operations.client, PAUSE)
    form.change(**HSM, begins_at=local(1), ends_at=local(2))
    assert standing().debit_refusal(None) == "XH"

    form.change(**HSM)

    assert standing().debit_refusal(None) == "HS"
    planned = ServicePause.objects.earliest("pk")
    assert planned.valid_until_at - planned.valid_from_at == dt.timedelta(days=1)


def test_a_pause_that_is_called_off_never_begins(operations):
    Form(operations.client, PAUSE).change(**HSM, begins_at=local(1))
    row = ServicePause.objects.get()

    shown = end_of(operations, row).look()
    end_of(operations, row).confirm(shown)

    row.refresh_from_db()
    assert "never begins" in shown.content.decode()
    assert row.valid_until_at == row.valid_from_at


def test_a_pause_that_is_over_cannot_be_ended(operations):
    Form(operations.client, PAUSE).change(**HSM)
    row = ServicePause.objects.get()
    end_of(operations, row).change()

    answer = end_of(operations, row).look()

    assert answer.status_code == 409
    assert "It is so already" in answer.content.decode()


@pytest.mark.parametrize(
    ("_case", "change", "says"),
    [
        ("in the past",       {"begins_at": "2020-01-01T10:00"},            "begin in the past"),
        ("backwards",         {"begins_at": local(2), "ends_at": local(1)}, "before the beginning"),
        ("no instant",        {"begins_at": "soon"},                        "Enter a valid date"),
        ("an unknown side",   {"side": "MIDDLE"},                           "a valid choice"),
        ("not of that side",  {"side": "BENEFICIARY"},                      "has no such pause"),
        ("no kind",           {"kind": ""},                                 "is required"),
        ("no reason",         {"reason": " "},                              "is required"),
    ],
)  # fmt: skip
def test_bad_input_is_said_and_pauses_nothing(operations, _case, change, says):
    fields = {"reason": REASON, **HSM, **change}

    shown = operations.client.post(PAUSE, fields)
    sent = operations.client.post(PAUSE, {**fields, "seen": ""})

    assert (shown.status_code, sent.status_code) == (422, 422)
    assert says in shown.content.decode()
    assert ServicePause.objects.count() == 0
    assert entries() == []


def test_an_address_is_closed_and_opened_again(risk):
    row = open_shop().merchant.vpa
    assert resolve(row.address).closed_by is None
    forms = [Form(risk.client, f"/admin/vpa/vpa/{row.pk}/{what}/") for what in ("close", "reopen")]

    forms[0].change()
    assert resolve(row.address).refusal(at=clock.now()) == "ZE"
    again = forms[0].look()
    forms[1].change()

    assert again.status_code == 409
    assert resolve(row.address).closed_by is None
    assert [entry.action for entry in entries()] == ["vpa_closed", "vpa_reopened"]
    types = OutboxEvent.objects.filter(type__startswith="vpa.").values_list("type", flat=True)
    assert list(types.order_by("pk")) == ["vpa.address.closed", "vpa.address.reopened"]


def test_a_merchant_is_suspended_and_resumed(risk):
    merchant = open_shop().merchant
    url = f"/admin/merchants/merchant/{merchant.pk}"
    suspend, resume = Form(risk.client, f"{url}/suspend/"), Form(risk.client, f"{url}/resume/")

    shown = suspend.look()
    suspend.confirm(shown)
    assert Merchant.objects.get().state == "SUSPENDED"
    twice = suspend.confirm(shown)
    resume.change()

    assert twice.status_code == 409
    assert Merchant.objects.get().state == "ACTIVE"
    told = OutboxEvent.objects.filter(type__startswith="merchants.merchant").order_by("pk")
    assert list(told.values_list("type", "data__merchant_id")) == [
        ("merchants.merchant.suspended", str(merchant)),
        ("merchants.merchant.resumed", str(merchant)),
    ]


@pytest.mark.parametrize(
    "role", [roles.AUDITOR, roles.OPERATIONS, roles.SECURITY_OFFICER, roles.PLATFORM, roles.RISK]
)
def test_each_change_is_made_by_its_role_alone(role, account):
    browser = make_operator(role).client
    shop = open_shop().merchant
    row = ServicePause.objects.create(
        **HSM, valid_from_at=clock.now() + dt.timedelta(days=1), source="a test"
    )
    pages = {
        PAUSE: roles.OPERATIONS,
        f"/admin/accounts/servicepause/{row.pk}/end/": roles.OPERATIONS,
        f"/admin/accounts/bankaccount/{account.pk}/restrict/": roles.RISK,
        f"/admin/merchants/merchant/{shop.pk}/suspend/": roles.RISK,
        f"/admin/vpa/vpa/{shop.vpa_id}/close/": roles.RISK,
    }

    for url, owner in pages.items():
        assert browser.get(url).status_code == (200 if role == owner else 403), url
        if role != owner:
            refused = browser.post(url, {"reason": REASON, **HSM, "seen": ""})
            assert refused.status_code == 403, url
    assert ServicePause.objects.count() == 1
    assert entries() == []


def test_a_row_that_does_not_exist_is_not_changed(risk):
    assert risk.client.get("/admin/accounts/bankaccount/424242/restrict/").status_code == 404
    assert risk.client.get("/admin/vpa/vpa/no-id/close/").status_code == 404
