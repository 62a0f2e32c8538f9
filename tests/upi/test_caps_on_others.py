"""Other PSPs ask us about people only so often: what is beyond a cap gets HTTP 429 and an alert."""

import datetime as dt

import pytest
from django.core.management import call_command
from lxml import etree

from apps.common import clock
from apps.messaging.models import OutboxEvent
from apps.upi.budget_models import ApiCap, ApiUse, CallDirection
from apps.upi.models import MessageLog
from tests.upi import routes, wire
from tests.upi.refusal import TRACE

LISTING, ADDRESS = "32_ReqListAccount", "30_ReqValAdd"
DAY_SECONDS = 24 * 3600
TODAY = dt.date(2026, 1, 1)


ROUTES = {
    ("ReqListAccount", "ListAccount"): "tests.upi.routes.receive",
    ("ReqValAdd", "ValAdd"): "tests.upi.routes.receive",
}


@pytest.fixture(autouse=True)
def _routed(wired, settings):
    settings.UPI_ROUTES = "tests.upi.test_caps_on_others.ROUTES"


def cap(api: str, kind: str, number: int, *, window: int = DAY_SECONDS) -> None:
    """Let a rule of the test's own hold in place of the present one."""
    rows = ApiCap.objects.filter(api=api, direction=CallDirection.IN, subject_kind=kind)
    rows.update(valid_to_date=TODAY)
    ApiCap.objects.create(
        api=api,
        direction=CallDirection.IN,
        subject_kind=kind,
        cap=number,
        window_seconds=window,
        peak_rule="ANY_TIME",
        valid_from_date=TODAY,
        source="a test",
    )


def question(name: str, *, payer: str, mobile: str = "919800000001") -> etree._Element:
    """Return a question as the switch passes it on: whose it is, and about which number."""
    root = wire.fresh(name)
    root.find("Payer").set("addr", payer)
    if name == LISTING:
        root.find("Link").set("value", mobile)
        root.find("Payer/Device/Tag[@name='MOBILE']").set("value", mobile)
    return root


def ask(door, root: etree._Element):
    body = wire.sign(root, door.key)
    return door._client.post(wire.path_of(body), data=body, content_type="application/xml")


@pytest.mark.parametrize(("name", "api"), [(LISTING, "ListAccount"), (ADDRESS, "ValAdd")])
def test_beyond_the_cap_of_a_customer_nothing_is_taken_and_an_alert_is_left(
    door, changes, name, api
):
    cap(api, "CUSTOMER", 3)
    for number in range(3):
        taken = ask(door, question(name, payer="mallory@sandbox", mobile=f"91980000000{number}"))
        assert taken.status_code == 200
    changes()
    routes.received.clear()

    refused = ask(door, question(name, payer="Mallory@sandbox", mobile="919800000009"))

    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= DAY_SECONDS + 1
    ack = etree.fromstring(refused.content)
    assert (ack.get("err"), ack.findtext("errorMessages/errorCd")) == ("U80", "U80")
    assert changes() == TRACE
    assert routes.received == []
    assert MessageLog.objects.latest("pk").ack_code == "U80"
    alert = OutboxEvent.objects.latest("sequence")
    assert (alert.data["code"], alert.data["owner"]) == ("upi_asked_too_often", "operations")
    assert "mallory" not in str(alert.data).lower()


@pytest.mark.parametrize(("name", "api"), [(LISTING, "ListAccount"), (ADDRESS, "ValAdd")])
def test_a_psp_cannot_list_numbers_by_inventing_customers(door, name, api):
    cap(api, "PSP", 4, window=3600)

    answers = [ask(door, question(name, payer=f"made{n}@sandbox")) for n in range(6)]
    other = ask(door, question(name, payer="made1@secondbank"))

    assert [each.status_code for each in answers] == [200] * 4 + [429] * 2
    assert other.status_code == 200


def test_a_refused_question_is_not_counted_and_may_be_asked_again(door):
    cap("ListAccount", "CUSTOMER", 1)
    ask(door, question(LISTING, payer="asha@sandbox"))
    again = question(LISTING, payer="asha@sandbox")
    body = wire.sign(again, door.key)
    assert door.post(body).status == 429
    ApiUse.objects.filter(subject="asha@sandbox").update(
        used_at=clock.now() - dt.timedelta(seconds=DAY_SECONDS)
    )

    answered = door.post(body)

    assert (answered.status, answered.err) == (200, "")
    assert len(routes.received) == 2


def test_the_same_question_again_is_counted_once(door):
    cap("ListAccount", "CUSTOMER", 1)
    root = question(LISTING, payer="asha@sandbox")
    body = wire.sign(root, door.key)

    answers = [door.post(body) for _ in range(3)]

    assert [(each.status, each.err) for each in answers] == [(200, "")] * 3
    assert ApiUse.objects.filter(direction="IN", subject="asha@sandbox").count() == 1


def test_our_own_calls_and_those_of_others_have_budgets_of_their_own(door):
    ApiUse.objects.bulk_create(
        ApiUse(
            exchange_id=wire.new_id()[3:],
            direction="OUT",
            api="ListAccount",
            subject_kind="CUSTOMER",
            subject="asha@sandbox",
            used_at=clock.now(),
        )
        for _ in range(25)
    )

    assert ask(door, question(LISTING, payer="asha@sandbox")).status_code == 200


def test_the_rules_of_the_day_are_those_of_the_circular_and_bounds_of_ours(db):
    rules = ApiCap.objects.filter(direction="IN", valid_to_date=None)

    assert set(rules.values_list("api", "subject_kind", "cap", "window_seconds")) == {
        ("ListAccount", "CUSTOMER", 25, DAY_SECONDS),
        ("ListAccount", "PSP", 3000, 3600),
        ("ValAdd", "CUSTOMER", 200, DAY_SECONDS),
        ("ValAdd", "PSP", 6000, 3600),
    }


def test_the_report_shows_what_others_asked(door, capsys):
    ask(door, question(LISTING, payer="asha@sandbox"))

    call_command("api_budget")

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    asked = {tuple(line[:3]): line[3:7] for line in lines if line[1:2] == ["in"]}
    assert asked["ListAccount", "in", "customer"][:3] == ["25", "24", "h"]
    assert asked["ListAccount", "in", "psp"][3] == "1"
