"""Operators change dated rules: shown first, confirmed, written down, and never in place."""

import datetime as dt

import pytest

from apps.common import clock
from apps.operators import roles
from apps.operators.models import AuditEntry
from apps.operators.services import audit
from apps.payments import collect_rules
from apps.payments.models import FlowRule
from apps.payments.states import Flow
from apps.risk.models import LimitRule, RiskScoreRule
from apps.risk.selectors import limits_on, score_thresholds
from apps.upi.models import ApiCap, TimerRule
from tests.operators.change import REASON, Form
from tests.operators.factory import make_operator

pytestmark = pytest.mark.django_db

LIMIT = "/admin/risk/limitrule/change-limit/"
THRESHOLD = "/admin/risk/riskscorerule/change-threshold/"
FLOW = "/admin/payments/flowrule/change-flow/"
CAP = "/admin/upi/apicap/change-cap/"
TIMER = "/admin/upi/timerrule/change-timer/"
NOON = dt.datetime(2026, 12, 1, 6, 30, tzinfo=dt.UTC)
TODAY = clock.business_date(NOON)
SOON = TODAY + dt.timedelta(days=10)
LATER = TODAY + dt.timedelta(days=20)


def payment_limit(value="50000", begins=SOON):
    return {"rule": "PAYMENT_AMOUNT", "value": value, "begins": begins.isoformat()}


def spans(model=LimitRule, **key):
    rows = model.objects.filter(**(key or {"rule": "PAYMENT_AMOUNT"})).order_by("pk")
    return [(row.valid_from_date, row.valid_to_date) for row in rows]


def entries():
    return AuditEntry.objects.exclude(action__in=["login", "login_failed"]).count()


@pytest.fixture(autouse=True)
def noon(time_machine):
    """It is noon in India: no midnight passes while a test runs."""
    time_machine.move_to(NOON)


@pytest.fixture
def risk():
    return make_operator(roles.RISK)


def test_a_change_is_shown_before_it_is_made(risk):
    before = spans()

    shown = Form(risk.client, LIMIT).look(**payment_limit())

    page = shown.content.decode()
    assert shown.status_code == 200
    assert "₹1,00,000.00, until further notice" in page
    assert f"₹50,000.00, from {SOON.day} {SOON:%b %Y} until further notice" in page
    assert REASON in page
    assert (spans(), entries()) == (before, 0)


def test_a_confirmed_change_ends_the_old_row_and_begins_a_new_one(risk):
    ((begun, _),) = spans()

    answer = Form(risk.client, LIMIT).change(**payment_limit())

    assert answer.status_code == 302
    assert spans() == [(begun, SOON), (SOON, None)]
    assert limits_on(SOON - dt.timedelta(days=1)).payment_amount_paise == 1_00_000_00
    assert limits_on(SOON).payment_amount_paise == 50_000_00
    row = LimitRule.objects.latest("pk")
    assert row.source == f"{risk.operator.staff_number}: {REASON}"


def test_a_change_is_written_into_the_audit_log_with_before_and_after(risk):
    Form(risk.client, LIMIT).change(**payment_limit())

    entry = AuditEntry.objects.latest("sequence")
    assert (entry.actor, entry.action) == (risk.operator.email, "risk_limit_rule_changed")
    assert (entry.target, entry.detail["reason"]) == ("PAYMENT_AMOUNT", REASON)
    assert [row["value"] for row in entry.detail["before"]] == ["10000000"]
    assert entry.detail["after"]["value"] == "5000000"
    audit.verify()


def test_what_was_planned_for_later_does_not_come_and_stays_to_be_seen(risk):
    form = Form(risk.client, LIMIT)
    form.change(**payment_limit(begins=LATER))
    ((begun, _), _) = spans()

    shown = form.look(**payment_limit("70000"))
    form.confirm(shown, **payment_limit("70000"))

    assert "does not begin" in shown.content.decode()
    assert spans() == [(begun, SOON), (LATER, LATER), (SOON, None)]
    assert limits_on(LATER).payment_amount_paise == 70_000_00


def test_a_rule_that_began_today_can_be_mended_today(risk):
    form = Form(risk.client, LIMIT)
    form.change(**payment_limit("1", begins=TODAY))

    form.change(**payment_limit("90000", begins=TODAY))

    assert limits_on(TODAY).payment_amount_paise == 90_000_00
    audit.verify()


@pytest.mark.parametrize(
    ("_case", "change", "status", "says"),
    [
        ("in the past",     {"begins": "2020-01-01"},          422, "cannot begin in the past"),
        ("no day",          {"begins": "tomorrow"},            422, "Enter a valid date"),
        ("no reason",       {"reason": ""},                    422, "This field is required"),
        ("a short reason",  {"reason": "because"},             422, "at least 10 characters"),
        ("a long reason",   {"reason": "because " * 40},       422, "at most 150 characters"),
        ("a NUL",           {"reason": "because\x00 I can do"}, 422, "Null characters"),
        ("no rule",         {"rule": "WEEK_AMOUNT"},           422, "Select a valid choice"),
        ("nothing",         {"value": "0"},                    422, "greater than or equal"),
        ("less than that",  {"value": "-5"},                   422, "greater than or equal"),
        ("half a paisa",    {"value": "10.005"},               422, "2 decimal places"),
        ("no number",       {"value": "NaN"},                  422, "Enter a number"),
        ("half a payment",  {"rule": "DAY_COUNT", "value": "2.5"}, 422, "is whole"),
    ],
)  # fmt: skip
def test_bad_input_is_said_and_writes_nothing(risk, _case, change, status, says):
    before = spans()

    answer = risk.client.post(LIMIT, {"reason": REASON, **payment_limit(), **change, "seen": ""})
    shown = risk.client.post(LIMIT, {"reason": REASON, **payment_limit(), **change})

    assert (answer.status_code, shown.status_code) == (status, status)
    assert says in shown.content.decode()
    assert (spans(), entries()) == (before, 0)


def test_a_slip_of_the_keyboard_is_refused(risk):
    answer = Form(risk.client, LIMIT).change(**payment_limit("100000000"))

    assert answer.status_code == 422
    assert "outside of what this rule can say" in answer.content.decode()
    assert entries() == 0


def test_what_is_so_already_is_not_begun_again(risk):
    answer = Form(risk.client, LIMIT).change(**payment_limit("100000"))

    assert answer.status_code == 409
    assert "It is so already" in answer.content.decode()
    assert len(spans()) == 1


def test_two_operators_cannot_change_one_rule_on_the_same_sight(risk):
    other = make_operator(roles.RISK)
    first, second = Form(risk.client, LIMIT), Form(other.client, LIMIT)
    shown = second.look(**payment_limit("70000"))
    first.change(**payment_limit("60000"))

    answer = second.confirm(shown, **payment_limit("70000"))

    assert answer.status_code == 409
    assert "Somebody changed this meanwhile" in answer.content.decode()
    assert limits_on(SOON).payment_amount_paise == 60_000_00
    assert entries() == 1


def test_a_threshold_begins_and_ends(risk):
    form = Form(risk.client, THRESHOLD)
    fields = {"provider": "NPCI", "score_type": "TXNRISK"}
    form.change(**fields, threshold="700", begins=TODAY.isoformat())
    assert score_thresholds(TODAY) == {("NPCI", "TXNRISK"): 700}

    shown = form.look(**fields, begins=SOON.isoformat())
    form.confirm(shown, **fields, begins=SOON.isoformat())

    assert "no rule" in shown.content.decode()
    assert spans(RiskScoreRule, provider="NPCI") == [(TODAY, SOON)]
    assert score_thresholds(SOON) == {}


def test_a_flow_is_forbidden_and_allowed_again():
    staff = make_operator(roles.OPERATIONS)
    form = Form(staff.client, FLOW)

    shown = form.look(flow="COLLECT_MERCHANT", is_allowed="no", begins=SOON.isoformat())
    form.confirm(shown, flow="COLLECT_MERCHANT", is_allowed="no", begins=SOON.isoformat())
    form.change(flow="COLLECT_MERCHANT", is_allowed="yes", begins=LATER.isoformat())

    assert "forbidden, from" in shown.content.decode()
    days = [TODAY, SOON, LATER]
    allowed = [collect_rules.is_allowed(Flow.COLLECT_MERCHANT, on=day) for day in days]
    assert allowed == [True, False, True]
    assert FlowRule.objects.filter(flow="COLLECT_MERCHANT").count() == 3


def test_a_cap_changes_and_keeps_its_window():
    form = Form(make_operator(roles.OPERATIONS).client, CAP)
    fields = {"calls": "OUT BalEnq CUSTOMER", "cap": "30", "begins": SOON.isoformat()}
    held = ApiCap.objects.get(api="BalEnq", direction="OUT")

    shown = form.look(**fields)
    form.confirm(shown, **fields)
    unknown = form.look(**{**fields, "calls": "OUT BalEnq PSP"})

    old, new = ApiCap.objects.filter(api="BalEnq", direction="OUT").order_by("pk")
    assert f"{held.cap} calls, until further notice" in shown.content.decode()
    assert (old.valid_to_date, new.valid_from_date, new.cap) == (SOON, SOON, 30)
    assert (new.window_seconds, new.peak_rule) == (held.window_seconds, held.peak_rule)
    assert unknown.status_code == 422


def test_a_timer_changes_from_its_day_on_and_stays_scaled():
    form = Form(make_operator(roles.OPERATIONS).client, TIMER)
    fields = {"timer": "CHECK_FIRST_AFTER", "seconds": "60", "begins": SOON.isoformat()}

    shown = form.look(**fields)
    form.confirm(shown, **fields)

    old, new = TimerRule.objects.filter(timer="CHECK_FIRST_AFTER").order_by("pk")
    assert "90 s, until further notice" in shown.content.decode()
    assert (old.valid_to_date, new.valid_from_date, new.seconds) == (SOON, SOON, 60)
    assert new.is_scaled


@pytest.mark.parametrize(("timer", "seconds"), [("ANSWER", "16"), ("REVERSAL_ANSWER", "11")])
def test_no_timer_outlasts_the_switch(timer, seconds):
    form = Form(make_operator(roles.OPERATIONS).client, TIMER)
    fields = {"timer": timer, "seconds": seconds, "begins": SOON.isoformat()}

    shown = form.look(**fields)
    refused = form.confirm(shown, **fields)

    assert refused.status_code == 422
    assert "outside of what this timer can have" in refused.content.decode()
    assert (TimerRule.objects.filter(timer=timer).count(), entries()) == (1, 0)


@pytest.mark.parametrize(
    "role", [roles.AUDITOR, roles.OPERATIONS, roles.SECURITY_OFFICER, roles.PLATFORM, roles.RISK]
)
def test_a_rule_is_changed_by_its_role_alone(role):
    browser = make_operator(role).client

    for url in (LIMIT, THRESHOLD, FLOW, CAP, TIMER):
        may = role == (roles.OPERATIONS if url in {FLOW, CAP, TIMER} else roles.RISK)
        opened = browser.get(url)
        sent = browser.post(url, {"reason": REASON, **payment_limit(), "seen": ""})

        assert opened.status_code == (200 if may else 403)
        assert may or sent.status_code == 403
    assert entries() == 0


def test_the_list_offers_a_change_only_to_whoever_may_make_it():
    page = "/admin/risk/limitrule/"

    assert LIMIT in make_operator(roles.RISK).client.get(page).content.decode()
    assert LIMIT not in make_operator(roles.AUDITOR).client.get(page).content.decode()
