"""Payment addresses over the app API: one's own, on our handle, and nobody else's for months."""

import datetime as dt

import pytest
import time_machine

from apps.vpa.models import Vpa
from tests.api.bad_bodies import send, spoiling
from tests.api.fingerprint import nothing_written
from tests.api.people import enrol_person, open_shop

pytestmark = pytest.mark.django_db

VPAS = "/app/v1/vpas"


def register(person, address, **changes):
    body = {"address": address, "account": person.account_id, **changes}
    return person.client.post(VPAS, body, format="json")


def refused(answer):
    return answer.status_code, answer.json()["code"]


def test_an_address_is_registered_in_lower_case():
    person = enrol_person()

    answer = register(person, "Asha.Rao-1@ExBank")

    assert answer.status_code == 201
    assert answer.json()["address"] == "asha.rao-1@exbank"
    assert answer.json()["verified_name"] == "ASHA RAO"
    assert person.client.get(VPAS).json()["data"] == [answer.json()]


def test_registering_ones_own_address_again_is_the_same_address():
    person = enrol_person()
    first = register(person, "asha@exbank")

    with nothing_written():
        again = register(person, "ASHA@exbank")

    assert (again.status_code, again.json()) == (201, first.json())


def test_one_sees_only_ones_own_addresses():
    person, other = enrol_person(), enrol_person("RAVI IYER")
    register(other, "ravi@exbank")

    assert person.client.get(VPAS).json()["data"] == []


@pytest.mark.parametrize(
    ("_case", "address", "status", "code"),
    [
        ("another bank's handle",    "asha@okbank",             422, "handle_not_ours"),
        ("the bank's own word",      "support@exbank",          422, "vpa_reserved"),
        ("with signs between",       "cust.omer_care@exbank",   422, "vpa_reserved"),
        ("another's phone number",   "9876543210@exbank",       422, "vpa_reserved"),
        ("with the country's code",  "919876543210@exbank",     422, "vpa_reserved"),
        ("no handle",                "asha",                    400, "invalid_vpa"),
        ("a newline at the end",     "asha@exbank\n",           400, "invalid_vpa"),
        ("a Cyrillic a",             "\u0430sha@exbank",        400, "invalid_vpa"),
        ("a Kelvin sign",            "\u212airan@exbank",       400, "invalid_vpa"),
        ("two @",                    "a@b@exbank",              400, "invalid_vpa"),
        ("nobody",                   "@exbank",                 400, "invalid_vpa"),
        ("a space",                  "asha rao@exbank",         400, "invalid_vpa"),
        ("256 signs",                "a" * 249 + "@exbank",     400, "invalid_vpa"),
        ("a number",                 1,                         400, "invalid_vpa"),
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_had_is_refused(_case, address, status, code):
    person = enrol_person()

    with nothing_written():
        answer = register(person, address)

    assert refused(answer) == (status, code)


def test_ones_own_phone_number_may_be_ones_address():
    person = enrol_person()

    assert register(person, f"{person.device.customer.mobile[2:]}@exbank").status_code == 201


def test_a_taken_address_is_refused_whatever_its_case():
    person, other = enrol_person(), enrol_person("RAVI IYER")
    register(other, "popular@exbank")

    with nothing_written():
        answer = register(person, "Popular@exbank")

    assert refused(answer) == (409, "vpa_taken")


def test_a_shops_address_is_taken_too():
    person, shop = enrol_person(), open_shop()

    with nothing_written():
        answer = register(person, shop.address)

    assert refused(answer) == (409, "vpa_taken")


def test_an_address_given_up_is_nobodys_for_six_months():
    person, other = enrol_person(), enrol_person("RAVI IYER")
    begun = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)
    with time_machine.travel(begun, tick=False) as clock:
        person.log_in()
        vpa_id = register(person, "asha@exbank").json()["id"]

        assert person.client.delete(f"{VPAS}/{vpa_id}").status_code == 204
        assert person.client.get(VPAS).json()["data"] == []

        for days in (0, 90, 182):
            clock.move_to(begun + dt.timedelta(days=days))
            other.log_in()
            with nothing_written(but={"customers_device"}):
                assert refused(register(other, "asha@exbank")) == (409, "vpa_taken")

        clock.move_to(begun + dt.timedelta(days=183, seconds=1))
        other.log_in()
        assert register(other, "asha@exbank").status_code == 201
    assert sorted(Vpa.objects.values_list("state", flat=True)) == ["ACTIVE", "INACTIVE"]


def test_anothers_account_cannot_be_put_behind_an_address():
    person, other = enrol_person(), enrol_person("RAVI IYER")
    vpa_id = register(person, "asha@exbank").json()["id"]

    with nothing_written():
        answers = [
            register(person, "new@exbank", account=other.account_id),
            person.client.post(
                f"{VPAS}/{vpa_id}/account", {"account": other.account_id}, format="json"
            ),
        ]

    assert [refused(answer) for answer in answers] == [(404, "not_found")] * 2


def test_anothers_address_is_not_found():
    person, other = enrol_person(), enrol_person("RAVI IYER")
    vpa_id = register(other, "ravi@exbank").json()["id"]

    with nothing_written():
        answers = [
            person.client.delete(f"{VPAS}/{vpa_id}"),
            person.client.delete(f"{VPAS}/vpa_{'0' * 26}"),
            person.client.delete(f"{VPAS}/' or 1=1--"),
            person.client.post(
                f"{VPAS}/{vpa_id}/account", {"account": person.account_id}, format="json"
            ),
        ]

    assert [refused(answer) for answer in answers] == [(404, "not_found")] * 4
    assert len({len(answer.content) for answer in answers}) == 1


def test_the_account_behind_an_address_can_be_changed():
    person = enrol_person(accounts=2)
    vpa_id = register(person, "asha@exbank").json()["id"]
    chosen = person.client.get("/app/v1/accounts").json()["data"][1]

    answer = person.client.post(
        f"{VPAS}/{vpa_id}/account", {"account": chosen["id"]}, format="json"
    )

    assert answer.status_code == 200
    assert answer.json()["masked_account"] == chosen["masked_number"]


def test_who_is_behind_an_address_is_shown_before_paying():
    person, shop = enrol_person(), open_shop("Nila Books")

    answer = person.client.get(f"{VPAS}/resolution", {"address": shop.address.upper()})

    assert answer.json() == {
        "object": "vpa_resolution",
        "address": shop.address,
        "verified_name": "Nila Books",
        "kind": "ENTITY",
        "mcc": "5942",
    }


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("address=nobody@exbank",             404, "not_found"),
        ("address=asha@okbank",               404, "not_found"),
        ("",                                  400, "invalid_vpa"),
        ("address=a@exbank&address=b@exbank", 400, "duplicate_parameter"),
        ("address=a@exbank&all=1",            400, "invalid_parameter"),
    ],
)  # fmt: skip
def test_a_question_without_an_answer_is_refused(query, status, code):
    answer = enrol_person().client.get(f"{VPAS}/resolution?{query}")

    assert refused(answer) == (status, code)


@pytest.mark.parametrize("bad", spoiling(), ids=lambda bad: bad.case)
def test_a_bad_body_is_refused(bad):
    person = enrol_person()
    body = {"address": "asha@exbank", "account": person.account_id}

    with nothing_written():
        answer = send(person.client, VPAS, bad, body)

    assert refused(answer) == (bad.status, bad.code)
