"""What a customer asks their account's bank: accepted once, theirs alone, within the day's cap."""

import datetime as dt

import pytest
import time_machine

from apps.common import ids
from apps.customers.models import AccountRequest
from apps.upi.models import PinBlock
from apps.upi.services import governor
from tests.api.bad_bodies import send, spoiling
from tests.api.fingerprint import nothing_written
from tests.api.people import BLOCK, enrol_person, new_transaction_id

pytestmark = pytest.mark.django_db

BALANCE = "/app/v1/balance-enquiries"


def otp_path(person):
    return f"/app/v1/accounts/{person.account_id}/otp-requests"


def registration_path(person):
    return f"/app/v1/accounts/{person.account_id}/pin-registrations"


def otp_body(**changes):
    return {
        "txn_id": new_transaction_id(),
        "card_digits": "123456",
        "card_expiry": "1229",
        **changes,
    }


def registration_body(**changes):
    return {**otp_body(), "otp_block": BLOCK, "pin_block": BLOCK, **changes}


def change_body(**changes):
    return {
        "txn_id": new_transaction_id(),
        "current_pin_block": BLOCK,
        "new_pin_block": BLOCK,
        **changes,
    }


def balance_body(person, **changes):
    return {
        "txn_id": new_transaction_id(),
        "account": person.account_id,
        "pin_block": BLOCK,
        **changes,
    }


def post(person, path, body):
    return person.client.post(path, body, format="json")


def test_accounts_are_listed_without_their_numbers():
    person, other = enrol_person(accounts=2), enrol_person("RAVI IYER")

    answer = person.client.get("/app/v1/accounts")

    rows = answer.json()["data"]
    assert [row["id"] for row in rows] == [ids.public_id("acc", a.pk) for a in person.accounts]
    assert [row["is_default"] for row in rows] == [True, False]
    assert rows[0]["masked_number"] == "X" * 8 + person.accounts[0].account_number[-4:]
    assert person.accounts[0].account_number not in answer.content.decode()
    assert other.accounts[0].account_number[-4:] not in answer.content.decode()


@pytest.mark.parametrize(
    ("kind", "path", "body", "blocks"),
    [
        ("OTP",              "/app/v1/accounts/{}/otp-requests",      otp_body,          0),
        ("PIN_REGISTRATION", "/app/v1/accounts/{}/pin-registrations", registration_body, 1),
        ("PIN_CHANGE",       "/app/v1/accounts/{}/pin-changes",       change_body,       1),
    ],
)  # fmt: skip
def test_a_request_is_accepted_and_waits_to_be_sent(kind, path, body, blocks):
    person = enrol_person()
    asked = body()

    answer = post(person, path.format(person.account_id), asked)

    row = AccountRequest.objects.get()
    assert answer.status_code == 202
    assert answer.json() == {
        "object": "account_request",
        "id": ids.public_id("arq", row.pk),
        "kind": kind,
        "txn_id": asked["txn_id"],
        "account": person.account_id,
        "status": "pending",
        "finality": "provisional",
        "upi_code": None,
        "failure": None,
        "explanation": None,
        "created_at": answer.json()["created_at"],
    }
    assert (row.state, row.next_action_at is not None) == ("CREATED", True)
    assert PinBlock.objects.count() == blocks


def test_the_same_transaction_id_again_is_the_same_request():
    person = enrol_person()
    body = registration_body()
    first = post(person, registration_path(person), body)

    with nothing_written():
        again = post(person, registration_path(person), body)

    assert (again.status_code, again.json()) == (202, first.json())


@pytest.mark.parametrize("same_person", [True, False])
def test_a_transaction_id_that_stands_for_something_else_is_refused(same_person):
    person = enrol_person()
    body = otp_body()
    post(person, otp_path(person), body)
    asker = person if same_person else enrol_person("RAVI IYER")

    with nothing_written():
        answer = post(asker, BALANCE, balance_body(asker, txn_id=body["txn_id"]))

    assert (answer.status_code, answer.json()["code"]) == (409, "txn_id_taken")


def test_an_account_of_another_customer_is_not_found():
    """A18."""
    person, other = enrol_person(), enrol_person("RAVI IYER")

    with nothing_written():
        answers = [
            post(person, registration_path(other), registration_body()),
            post(person, BALANCE, balance_body(other)),
            post(person, BALANCE, balance_body(person, account="acc_" + "0" * 26)),
        ]

    assert [(a.status_code, a.json()["code"]) for a in answers] == [(404, "not_found")] * 3


@pytest.mark.parametrize("path", ["/app/v1/account-requests/{}", BALANCE + "/{}"])
def test_anothers_request_and_no_request_look_alike(path):
    """A27."""
    person, other = enrol_person(), enrol_person("RAVI IYER")
    theirs = post(other, BALANCE, balance_body(other)).json()["id"]
    wanted = [theirs, "arq_" + "0" * 26, "..1", "' or 1=1--", "acc_" + "0" * 26]

    answers = [person.client.get(path.format(one)) for one in wanted]

    assert {(a.status_code, a.json()["code"]) for a in answers} == {(404, "not_found")}
    assert len({len(a.content) for a in answers}) == 1
    assert other.client.get(path.format(theirs)).status_code == 200


@pytest.mark.parametrize("bad", spoiling(), ids=lambda bad: bad.case)
def test_a_bad_body_is_refused(bad):
    person = enrol_person()

    with nothing_written():
        answer = send(person.client, registration_path(person), bad, registration_body())

    assert (answer.status_code, answer.json()["code"]) == (bad.status, bad.code)
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("_case", "transaction_id"),
    [
        ("none",                  None),
        ("another bank's prefix", "SMP" + "0" * 32),
        ("upper case",            "EXB" + "A" * 32),
        ("too short",             "EXB" + "a" * 31),
        ("a newline at the end",  "EXB" + "a" * 32 + "\n"),
    ],
)  # fmt: skip
def test_an_id_that_no_app_of_ours_mints_is_refused(_case, transaction_id):
    assert refusal(txn_id=transaction_id) == (400, "invalid_txn_id")


@pytest.mark.parametrize(
    ("_case", "member", "value"),
    [
        ("five digits",         "card_digits", "12345"),
        ("Arabic-Indic digits", "card_digits", "\u0661\u0662\u0663456"),
        ("digits as a number",  "card_digits", 123456),
        ("month 13",            "card_expiry", "1329"),
        ("no expiry",           "card_expiry", None),
    ],
)  # fmt: skip
def test_a_malformed_card_is_refused(_case, member, value):
    assert refusal(**{member: value}) == (400, "invalid_member")


@pytest.mark.parametrize(
    ("_case", "block"),
    [
        ("no block",        None),
        ("without key",     {"data": BLOCK["data"]}),
        ("with more",       {**BLOCK, "pin": "1234"}),
        ("not version 2.0", {**BLOCK, "data": "1.0|" + "A" * 40}),
        ("not base64",      {**BLOCK, "data": "2.0|" + "*" * 40}),
        ("very long",       {**BLOCK, "data": "2.0|" + "A" * 5_000}),
        ("a PIN in clear",  "1234"),
        ("nothing",         {}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("member", ["pin_block", "otp_block"])
def test_a_malformed_block_is_refused(_case, member, block):
    assert refusal(**{member: block}) == (400, "invalid_credential")


def refusal(**changes):
    """Spoil a PIN registration; return how it was refused, having written nothing."""
    person = enrol_person()
    with nothing_written():
        answer = post(person, registration_path(person), registration_body(**changes))
    return answer.status_code, answer.json()["code"]


def test_the_51st_balance_enquiry_of_a_day_is_refused_until_the_first_is_a_day_old():
    """A29."""
    person = enrol_person()
    begun = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)
    with time_machine.travel(begun, tick=False) as clock:
        for _ in range(50):
            person.log_in()
            assert post(person, BALANCE, balance_body(person)).status_code == 202
            clock.shift(dt.timedelta(minutes=1))
        clock.move_to(begun + dt.timedelta(hours=23))
        person.log_in()

        with nothing_written():
            answer = post(person, BALANCE, balance_body(person))

        assert (answer.status_code, answer.json()["code"]) == (429, "daily_limit")
        assert int(answer["Retry-After"]) == 3601 + governor.ARRIVAL_SECONDS

        clock.move_to(begun + dt.timedelta(hours=24, seconds=1 + governor.ARRIVAL_SECONDS))
        person.log_in()
        assert post(person, BALANCE, balance_body(person)).status_code == 202


def test_the_cap_is_each_customers_own():
    person, other = enrol_person(), enrol_person("RAVI IYER")
    for _ in range(50):
        post(person, BALANCE, balance_body(person))

    assert post(person, BALANCE, balance_body(person)).status_code == 429
    assert post(other, BALANCE, balance_body(other)).status_code == 202
