"""Links that ask for a mandate or collect money: read whole, shown for what they are, not paid."""

import pytest

from tests.api.links import APP_RESOLVE, codes_in, resolve
from tests.api.people import enrol_person
from tests.api.test_orders import refused

pytestmark = pytest.mark.django_db

MANDATE = (
    "upi://mandate?ver=01&mode=04&purpose=14&pa=sub@smplbank&pn=Example%20Stream&mc=5815&tr=SUB1"
    "&am=499.00&cu=INR&mn=Monthly%20plan&validitystart=01122026&validityend=30112027&amrule=MAX"
    "&recur=MONTHLY&recurvalue=5&recurtype=ON&rev=Y&share=N&fam=99.00&txnType=CREATE"
)


def test_a_mandates_link_is_shown_with_its_terms_and_pays_nothing():
    document = resolve(enrol_person(), MANDATE, APP_RESOLVE).json()

    assert (document["action"], document["is_payable"], document["payment"]) == (
        "mandate",
        False,
        None,
    )
    assert (document["amount"], document["reference"], document["purpose"]) == (49900, "SUB1", "14")
    assert codes_in(document["refusals"]) == ["action_not_supported"]
    assert document["mandate"] == {
        "kind": "create",
        "name": "Monthly plan",
        "start_date": "2026-12-01",
        "end_date": "2027-11-30",
        "amount_rule": "max",
        "recurrence": "monthly",
        "recurrence_value": 5,
        "recurrence_type": "on",
        "first_amount": 9900,
        "is_revocable": True,
        "is_shared": False,
        "is_blocked": None,
        "umn": None,
        "skip": None,
    }


def test_a_mandate_that_ends_is_known_by_its_number():
    text = "upi://mandate?pa=sub@smplbank&pn=X&txnType=REVOKE&umn=EXB0a1b@exbank"

    document = resolve(enrol_person(), text, APP_RESOLVE).json()

    assert (document["mandate"]["kind"], document["mandate"]["umn"]) == ("revoke", "EXB0a1b@exbank")
    assert document["mandate"]["start_date"] is None


@pytest.mark.parametrize(
    ("before", "after", "refusal"),
    [
        ("&mn=Monthly%20plan", "",                  "link_parameter_missing"),
        ("recur=MONTHLY",      "recur=SOMETIMES",   "link_parameter_invalid"),
        ("recurvalue=5",       "recurvalue=32",     "link_parameters_contradict"),
        ("30112027",           "30112025",          "link_parameters_contradict"),
        ("txnType=CREATE",     "txnType=PAY",       "link_parameter_invalid"),
        ("txnType=CREATE",     "txnType=UPDATE",    "link_parameter_missing"),
    ],
)  # fmt: skip
def test_a_mandate_that_cannot_be_meant_is_no_link(before, after, refusal):
    assert before in MANDATE

    assert refused(resolve(enrol_person(), MANDATE.replace(before, after), APP_RESOLVE)) == (
        400,
        refusal,
    )


@pytest.mark.parametrize("payee", ["store1@smplbank", "asha@smplbank"])
def test_a_collects_link_is_read_and_pays_nothing_whoever_asks(payee):
    text = f"upi://collect?pa={payee}&pn=Some%20Store&mc=5411&am=20.00&tr=A1&txnType=COLLECT"

    document = resolve(enrol_person(), text, APP_RESOLVE).json()

    assert (document["action"], document["amount"], document["mandate"]) == ("collect", 2000, None)
    assert codes_in(document["refusals"]) == ["collect_by_link"]
    assert document["payment"] is None
    without_amount = text.replace("&am=20.00", "")
    assert refused(resolve(enrol_person(), without_amount, APP_RESOLVE)) == (
        400,
        "link_parameter_missing",
    )
