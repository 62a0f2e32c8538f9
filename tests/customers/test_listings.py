"""A customer chooses a bank, sees their accounts there, and links one; the numbers stay hidden."""

import datetime as dt

import pytest
import time_machine
from django.core.cache import cache
from django.test import override_settings

from apps.accounts.contracts import DebitCard
from apps.accounts.models import BankAccount
from apps.accounts.services.open_account import open_account
from apps.common import clock
from apps.customers.models import AccountListing, FoundAccount, LinkedAccount
from apps.customers.services import listing
from apps.upi import client, codec, liveness, xml
from apps.upi.contracts import (
    AllowedCredential,
    Head,
    ListedAccount,
    Resp,
    RespListAccount,
    Txn,
)
from apps.upi.models import AccountProvider, ApiUse, Organisation
from apps.upi.services import deliver, governor
from tests.api.fingerprint import nothing_written
from tests.api.people import enrol_person
from tests.upi import wire
from tests.upi.conftest import Door, peer_key, switch_key  # noqa: F401 - fixtures
from tests.upi.switch import Switch

ROUTES = {
    ("ReqListAccount", "ListAccount"): "apps.accounts.endpoint.receive_account_listing",
    ("RespListAccount", "ListAccount"): "apps.customers.endpoint.receive_listing_answer",
}
LISTINGS = "/app/v1/account-listings"
SMPL = "SMPL0000002"
NUMBER = "700123456789"
CREDENTIALS = (AllowedCredential(type="PIN", sub_type="MPIN", d_type="Numeric", d_length=4),)
CARD = DebitCard("123456", "1239")


@pytest.fixture
def switch(settings):
    with Switch() as server:
        settings.UPI_SWITCH_URL = server.url
        yield server
        client.close()


@pytest.fixture
def door(committed, settings, peer_key, switch_key):  # noqa: F811 - fixtures
    cache.clear()
    liveness.forget()
    settings.UPI_ROUTES = "tests.customers.test_listings.ROUTES"
    for ifsc, name in ((SMPL, "Sample Bank"), ("EXBK0000001", "Example Bank")):
        AccountProvider.objects.create(ifsc=ifsc, iin="1", name=name, is_active=True)
    AccountProvider.objects.create(ifsc="GONE0000003", iin="1", name="Gone", is_active=False)
    return Door(switch_key)


def send(door, root):
    """POST to the receiver's own paths, which other services do not serve."""
    with override_settings(ROOT_URLCONF="apps.upi.urls"):
        return door.send(root)


def asked(person, bank=SMPL):
    return person.client.post(LISTINGS, {"bank": bank}, format="json")


def see(person, told):
    return person.client.get(f"{LISTINGS}/{told.json()['id']}").json()


def link(person, told, found_id):
    path = f"{LISTINGS}/{told.json()['id']}/links"
    return person.client.post(path, {"account": found_id}, format="json")


def found(number=NUMBER, **facts) -> ListedAccount:
    members = {
        "acc_type": "SAVINGS",
        "acc_ref_number": number,
        "masked_accnumber": number,
        "ifsc": SMPL,
        "name": "ASHA RAO",
        "aeba": False,
        "mbeba": True,
        "creds_allowed": CREDENTIALS,
        **facts,
    }
    return ListedAccount(**members)


def answer(door, posted, *accounts, err="") -> str:
    txn = posted.root.find("Txn")
    message = RespListAccount(
        head=Head(ts=clock.now(), org_id="NPCI", msg_id=wire.new_id()),
        resp=Resp(
            req_msg_id=posted.root.find("Head").get("msgId"),
            result="FAILURE" if err else "SUCCESS",
            err_code=err,
        ),
        txn=Txn(id=txn.get("id"), ts=clock.now(), type="ListAccount"),
        account_list=accounts,
    )
    return send(door, xml.parse(codec.encode(message))).err


def test_the_banks_are_those_of_the_directory_that_are_active(door):
    banks = enrol_person().client.get("/app/v1/banks").json()["data"]

    assert [(bank["name"], bank["is_own"]) for bank in banks] == [
        ("Example Bank", True),
        ("Sample Bank", False),
    ]


def test_accounts_are_found_by_the_phones_number_and_one_is_linked(door, switch):
    asha = enrol_person()
    told = asked(asha)
    assert (told.status_code, told.json()["status"]) == (202, "pending")

    assert listing.advance_due(at=clock.now()) == 1

    [posted] = switch.posted
    tags = {tag.get("name"): tag.get("value") for tag in posted.root.iter("Tag", "Detail")}
    assert posted.root.find("Link").get("value") == asha.device.customer.mobile
    assert (tags["MOBILE"], tags["IFSC"]) == (asha.device.customer.mobile, SMPL)
    assert answer(door, posted, found(), found("700999999999", acc_type="CURRENT")) == ""

    shown = see(asha, told)
    assert (shown["status"], shown["finality"]) == ("succeeded", "final")
    first = shown["accounts"][0]
    assert (first["masked_number"], first["has_pin"]) == ("XXXXXXXX6789", True)
    assert first["credentials"] == [{"type": "PIN", "sub_type": "MPIN", "digits": 4}]
    assert NUMBER not in str(shown)

    linked = link(asha, told, first["id"])
    again = link(asha, told, first["id"])

    assert (linked.status_code, linked.json()["masked_number"]) == (201, "XXXXXXXX6789")
    assert again.json() == linked.json()
    assert LinkedAccount.objects.get(ifsc=SMPL).account_number == NUMBER
    assert asha.client.get("/app/v1/accounts").json()["data"][1]["ifsc"] == SMPL


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        ("XH", "account_not_found"),
        ("BR", "several_customers"),
        ("B2", "held_jointly"),
        ("U28", "payer_bank_unavailable"),
        ("Q1", "bank_refused"),
    ],
)
def test_a_bank_that_finds_nothing_says_why(door, switch, code, failure):
    asha = enrol_person()
    told = asked(asha)
    listing.advance_due(at=clock.now())

    answer(door, switch.posted[0], err=code)

    shown = see(asha, told)
    assert (shown["status"], shown["upi_code"], shown["failure"]) == ("failed", code, failure)
    assert shown["accounts"] == []
    is_explained = failure != "bank_refused"
    assert bool(shown["explanation"]) == is_explained
    assert not is_explained or shown["explanation"]["upi_code"] == code


def test_a_bank_answers_for_its_own_accounts_only(door, switch):
    asha = enrol_person()
    told = asked(asha)
    listing.advance_due(at=clock.now())

    answer(
        door,
        switch.posted[0],
        found(ifsc="EXBK0000001"),
        found("9" * 31, masked_accnumber="XXXX9999"),
    )

    assert see(asha, told)["status"] == "failed"
    assert FoundAccount.objects.count() == 0


def test_silence_is_pending_and_a_late_answer_still_counts(door, switch):
    asha = enrol_person()
    told = asked(asha)
    listing.advance_due(at=clock.now())
    AccountListing.objects.update(next_action_at="2000-01-01T00:00:00Z")
    listing.advance_due(at=clock.now())
    assert AccountListing.objects.get().state == "UNKNOWN"

    answer(door, switch.posted[0], found())

    assert see(asha, told)["status"] == "succeeded"


def test_a_question_under_way_is_not_asked_twice(door, switch):
    asha = enrol_person()

    first, again, other = asked(asha), asked(asha), asked(asha, "EXBK0000001")

    assert first.json()["id"] == again.json()["id"] != other.json()["id"]
    assert listing.advance_due(at=clock.now()) == 2


def test_the_26th_listing_of_a_day_is_refused_until_the_first_is_a_day_old(door, switch):
    asha = enrol_person()
    begun = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)
    with time_machine.travel(begun, tick=False) as travelled:
        asha.log_in()
        for _ in range(25):
            assert asked(asha).status_code == 202
            listing.advance_due(at=clock.now())
            AccountListing.objects.filter(state="SENDING").update(state="UNKNOWN")

        with nothing_written():
            refused = asked(asha)
        assert (refused.status_code, refused.json()["code"]) == (429, "api_budget_spent")
        assert int(refused["Retry-After"]) == 24 * 3600 + governor.ARRIVAL_SECONDS + 1
        assert len(switch.posted) == ApiUse.objects.count() == 25

        travelled.shift(dt.timedelta(hours=24, seconds=governor.ARRIVAL_SECONDS))
        asha.log_in()
        assert asked(asha).status_code == 202


@pytest.mark.parametrize("bank", ["NONE0000009", "GONE0000003"])
def test_a_bank_that_nobody_can_link_is_refused(door, bank):
    asha = enrol_person()

    with nothing_written():
        refused = asked(asha, bank)

    assert (refused.status_code, refused.json()["code"]) == (422, "bank_unknown")


@pytest.mark.parametrize("body", [{}, {"bank": "SMPL"}, {"bank": SMPL, "mobile": "919800000009"}])
def test_a_body_that_names_no_bank_is_refused_and_writes_nothing(door, body):
    asha = enrol_person()

    with nothing_written():
        assert asha.client.post(LISTINGS, body, format="json").status_code == 400


def test_nobody_sees_or_links_what_anothers_bank_found(door, switch):
    asha, ravi = enrol_person(), enrol_person("RAVI IYER")
    told = asked(asha)
    listing.advance_due(at=clock.now())
    answer(door, switch.posted[0], found())
    found_id = see(asha, told)["accounts"][0]["id"]

    with nothing_written():
        assert ravi.client.get(f"{LISTINGS}/{told.json()['id']}").status_code == 404
        assert link(ravi, told, found_id).status_code == 404
        assert link(asha, told, "fac_" + "0" * 26).status_code == 404


def test_while_the_switch_is_down_nothing_is_asked(door):
    asha = enrol_person()
    Organisation.objects.filter(pk="NPCI").update(is_up=False)
    liveness.forget()

    assert asked(asha).json()["code"] == "switch_down"


def test_what_nobody_linked_is_forgotten_after_a_day(door, switch):
    asha = enrol_person()
    asked(asha)
    listing.advance_due(at=clock.now())
    answer(door, switch.posted[0], found())
    assert listing.purge() == 0

    AccountListing.objects.update(created_at=clock.now() - dt.timedelta(hours=25))

    assert listing.purge() == 1
    assert FoundAccount.objects.count() == 0


# The other side: another PSP asks us, the issuer.

MOBILE = "919800000001"


def opened(number, *, mobile=MOBILE, name="ASHA RAO", is_joint=False) -> None:
    open_account(number=number, holder_name=name, mobile=mobile, card=CARD)
    BankAccount.objects.filter(number=number).update(is_joint=is_joint)


def told_about(door, switch, *, mobile=MOBILE, device=None, ifsc="EXBK0000001"):
    def about(root):
        root.find("Link").set("value", mobile)
        root.find("Payer/Device/Tag[@name='MOBILE']").set("value", device or mobile)
        root.find("Payer/Ac/Detail[@name='IFSC']").set("value", ifsc)

    assert send(door, wire.fresh("32_ReqListAccount", edit=about)).err == ""
    deliver.deliver_due()
    return switch.posted[-1].root


def test_another_psp_is_told_the_accounts_of_a_number_with_their_credentials(door, switch):
    opened("001234567890")
    opened("001234567891")
    opened("001234567892", is_joint=True)

    root = told_about(door, switch)

    assert root.find("Resp").get("result") == "SUCCESS"
    accounts = root.findall("AccountList/Account")
    assert [each.get("maskedAccnumber") for each in accounts] == ["XXXXXXXX7890", "XXXXXXXX7891"]
    assert accounts[0].get("mbeba") == "N"
    assert [each.get("subType") for each in accounts[0]] == ["MPIN", "SMS"]


@pytest.mark.parametrize(
    ("_case", "accounts", "facts", "code"),
    [
        ("no account",        [],                                                    {}, "XH"),
        ("another's phone",   [("001234567890", {})], {"device": "919800000002"},        "XH"),
        ("another bank",      [("001234567890", {})], {"ifsc": "SMPL0000002"},           "XH"),
        ("held jointly",      [("001234567890", {"is_joint": True})],                {}, "B2"),
        ("several customers", [("001234567890", {}), ("001234567891", {"name": "X"})], {}, "BR"),
    ],
)  # fmt: skip
def test_another_psp_is_refused_with_the_code_of_the_reason(
    door, switch, _case, accounts, facts, code
):
    for number, more in accounts:
        opened(number, **more)

    root = told_about(door, switch, **facts)

    assert (root.find("Resp").get("result"), root.find("Resp").get("errCode")) == ("FAILURE", code)
    assert root.find("AccountList") is None
