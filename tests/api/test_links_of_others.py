"""Links signed by other PSPs: believed by the keys that the switch lists for them, by no others."""

import datetime as dt

import pytest

from apps.common import clock
from apps.upi import codec, xml
from apps.upi.directory_models import DirectoryList, Psp
from apps.upi.services import listings
from sandbox import listings as switch
from sandbox import world
from sandbox.link_keys import LINK_KEYS, LinkKeys
from tests.api.links import APP_RESOLVE, codes_in, resolve
from tests.api.people import enrol_person, open_shop
from tests.upi import wire

pytestmark = pytest.mark.django_db

LINK = (
    "upi://pay?ver=01&mode=05&orgid=900002&pa=store1@smplbank&pn=Example%20Store&mc=5411&tr=A1"
    "&am=20.00&cu=INR"
)
SAME, PRINTED = ("mode=05", "mode=05"), ("mode=05", "mode=01")
GOOD, BAD, LATE, STRANGE = "verified", "bad", "key_not_valid", "unknown_signer"


@pytest.fixture(scope="module")
def banks(tmp_path_factory):
    return LinkKeys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def directory(banks):
    """Enter the other banks, and what the switch lists of their keys today and listed yesterday."""
    for bank in world.OTHER_BANKS:
        Psp.objects.create(name=bank.name, handles=list(bank.handles), is_active=True)
    at = clock.now()
    yesterday, today = (
        received(
            [switch.link_key(banks, each, bank) for bank in world.OTHER_BANKS for each in keys]
        )
        for keys in (LINK_KEYS, [each for each in LINK_KEYS if each.is_listed])
    )
    listings.store(DirectoryList.PSP_KEYS, yesterday, at=at - dt.timedelta(days=1))
    listings.store(DirectoryList.PSP_KEYS, today, at=at)


def received(keys):
    """Return what the directory keeps of the sandbox's list, read from the wire's own bytes."""
    root = wire.fresh("45_RespListKeys")
    root.find("Txn").set("type", "ListPSPKeys")
    root.find("keyList")[:] = keys
    return listings.entries_of(codec.decode(xml.canonical(root)))


def shown(person, text):
    document = resolve(person, text, APP_RESOLVE).json()
    return document["signature"]["status"], codes_in(document["refusals"]), document["payment"]


@pytest.mark.parametrize("name", ["rsa", "ec"])
def test_both_live_keys_of_a_bank_are_believed(directory, banks, name):
    shop, person = open_shop(), enrol_person()
    link = banks.sign(LINK, org_id="900002", name=name)

    document = resolve(person, link, APP_RESOLVE).json()

    assert document["signature"] == {"status": GOOD, "orgid": "900002"}
    assert (document["refusals"], document["is_payable"]) == ([], True)
    assert (document["payment"]["amount"], document["payment"]["link"]) == (2000, link)
    assert resolve(shop, link).json() == document


@pytest.mark.parametrize("name", ["rsa", "ec"])
@pytest.mark.parametrize(
    ("before", "after"),
    [("am=20.00", "am=2.00"), ("tr=A1", "tr=A2"), ("pa=store1", "pa=ravi"), ("&cu=INR", "")],
)
def test_a_changed_parameter_is_found(directory, banks, name, before, after):
    link = banks.sign(LINK, org_id="900002", name=name)
    assert before in link

    assert shown(enrol_person(), link.replace(before, after)) == (BAD, ["bad_signature"], None)


@pytest.mark.parametrize(
    ("_case", "change", "key", "status", "refusal"),
    [
        ("another bank's key", SAME, ("900003", "ec"), BAD, "bad_signature"),
        ("listed no more", SAME, ("900002", "retired"), LATE, "signer_key_not_valid"),
        ("not valid yet", SAME, ("900002", "next"), LATE, "signer_key_not_valid"),
        ("printed, late key", PRINTED, ("900002", "retired"), LATE, "signer_key_not_valid"),
        ("printed, good key", PRINTED, ("900002", "ec"), GOOD, None),
        ("another's address", ("smplbank", "secondbank"), ("900002", "ec"), BAD, "bad_signature"),
        ("nobody's handle", ("smplbank", "nobody"), ("900002", "ec"), BAD, "bad_signature"),
        ("as if by us", ("=900002", "=900001"), ("900002", "ec"), BAD, "bad_signature"),
        ("a stranger", ("=900002", "=900009"), ("900002", "ec"), STRANGE, "signer_unknown"),
    ],
)
def test_other_signatures_prove_nothing(directory, banks, _case, change, key, status, refusal):
    org_id, name = key
    link = banks.sign(LINK.replace(*change), org_id=org_id, name=name)

    found, codes, payment = shown(enrol_person(), link)

    assert (found, codes) == (status, [refusal] if refusal else [])
    assert (payment is None) == (refusal is not None)


def test_no_other_bank_vouches_for_an_address_of_ours(directory, banks):
    address = open_shop().address
    link = banks.sign(
        LINK.replace("store1@smplbank", address).replace("mode=05", "mode=01"),
        org_id="900002",
        name="ec",
    )

    assert shown(enrol_person(), link) == (BAD, ["bad_signature"], None)


def test_a_bank_that_left_the_network_vouches_for_nothing(directory, banks):
    link = banks.sign(LINK, org_id="900002", name="ec")
    Psp.objects.filter(name="Sample Bank").update(is_active=False)

    assert shown(enrol_person(), link) == (BAD, ["bad_signature"], None)


def test_without_a_list_nobody_is_known(banks):
    link = banks.sign(LINK, org_id="900002", name="ec")

    assert shown(enrol_person(), link) == (STRANGE, ["signer_unknown"], None)
