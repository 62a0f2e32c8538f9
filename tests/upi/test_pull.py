"""The directory is pulled once a day, whole or not at all, and never more often than allowed."""

import base64
import datetime as dt
from io import StringIO

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.management import call_command

from apps.common import clock
from apps.upi import codec, selectors, xml
from apps.upi.contracts import (
    AccPvd,
    Head,
    Key,
    Psp,
    Resp,
    RespListAccPvd,
    RespListKeys,
    RespListPsp,
    RespListVae,
    Txn,
    Vae,
    Version,
)
from apps.upi.directory_models import DirectoryList, DirectoryPage, DirectoryPull
from apps.upi.models import AccountProvider, ApiUse, PeerKey, VerifiedMerchant
from apps.upi.models import Psp as PspRow
from apps.upi.services import governor, pull
from tests.upi import wire

_HANDLER = "apps.upi.services.pull.receive_answer"
PULL_ROUTES = {
    ("RespListPsp", "ListPsp"): _HANDLER,
    ("RespListAccPvd", "ListAccPvd"): _HANDLER,
    ("RespListKeys", "ListKeys"): _HANDLER,
    ("RespListKeys", "ListPSPKeys"): _HANDLER,
    ("RespListVae", "ListVae"): _HANDLER,
}
# 02:30 in India, and 17:30.
NIGHT = dt.datetime(2026, 11, 18, 21, 0, tzinfo=dt.UTC)
EVENING = dt.datetime(2026, 11, 18, 12, 0, tzinfo=dt.UTC)
SMPL = Psp(
    name="Sample Bank",
    codes="smplbank, Sandbox",
    active=True,
    version_supported=(Version(no="2.0"),),
)
SECOND = Psp(name="Second Bank", codes="secondbank", active=False)
SHOP = Vae(
    name="Example Store",
    addr="Store1@smplbank",
    logo="",
    url="https://shop.example",
    keys=(Key(code="900002", type="PKI", ki="20250101", key_value="QUJD"),),
)


@pytest.fixture
def night():
    with time_machine.travel(NIGHT, tick=False) as travelled:
        yield travelled


@pytest.fixture
def directory(night, open_door, switch, settings):
    settings.UPI_ROUTES = "tests.upi.test_pull.PULL_ROUTES"
    return open_door


def ask(*names: DirectoryList) -> None:
    pull.make_due(names)
    pull.pull_due()


def answer(door, posted, kind, *, result="SUCCESS", code="", head=None, **members) -> str:
    """Answer a request as the switch, signed by its key; return the code of the Ack."""
    txn = posted.root.find("Txn")
    message = kind(
        head=Head(ts=clock.now(), org_id="NPCI", msg_id=wire.new_id(), **(head or {})),
        resp=Resp(req_msg_id=posted.root.find("Head").get("msgId"), result=result, err_code=code),
        txn=Txn(id=txn.get("id"), ts=clock.now(), type=txn.get("type")),
        **members,
    )
    return door.send(xml.parse(codec.encode(message))).err


def row(name: DirectoryList) -> DirectoryPull:
    return DirectoryPull.objects.get(pk=name)


def test_the_psps_are_asked_for_and_known_by_their_handles(directory, switch):
    ask(DirectoryList.PSPS)
    [posted] = switch.posted
    assert posted.path.startswith("/upi/ReqListPsp/2.0/urn:txnid:")
    assert posted.root.find("Head").get("pageSize") == "1000"

    assert answer(directory, posted, RespListPsp, psp_list=(SMPL, SECOND)) == ""

    assert selectors.psp_of_handle("SANDBOX").name == "Sample Bank"
    assert selectors.psp_of_handle("secondbank").is_active is False
    assert selectors.psp_of_handle("exbank") is None
    found = row(DirectoryList.PSPS)
    assert (found.state, found.rows, found.result_code) == ("IDLE", 2, "00")
    assert found.next_action_at.astimezone(clock.IST).isoformat() == "2026-11-20T02:30:00+05:30"


def test_a_new_list_takes_the_place_of_the_old_one(directory, switch, night):
    ask(DirectoryList.PSPS)
    answer(directory, switch.posted[-1], RespListPsp, psp_list=(SMPL, SECOND))
    night.shift(dt.timedelta(hours=25))
    ask(DirectoryList.PSPS)

    other = Psp(name="Sample Bank", codes="smplbank", active=False)
    answer(directory, switch.posted[-1], RespListPsp, psp_list=(other,))

    [only] = PspRow.objects.all()
    assert (only.name, only.handles, only.is_active) == ("Sample Bank", ["smplbank"], False)


def test_banks_and_verified_merchants_are_pulled_too(directory, switch):
    ask(DirectoryList.PROVIDERS, DirectoryList.MERCHANTS)
    by_api = {posted.path.split("/")[2]: posted for posted in switch.posted}
    bank = AccPvd(
        name="Sample Bank",
        iin="900002",
        ifsc="SMPL0000002",
        active=True,
        prods="IMPS,CARD",
        mob_reg_format="FORMAT1",
    )

    answer(directory, by_api["ReqListAccPvd"], RespListAccPvd, acc_pvd_list=(bank,))
    answer(directory, by_api["ReqListVae"], RespListVae, vae_list=(SHOP,))

    assert selectors.account_provider("SMPL0999999").registration_format == "FORMAT1"
    assert AccountProvider.objects.get().products == ["IMPS", "CARD"]
    merchant = selectors.verified_merchant("STORE1@smplbank")
    assert merchant.keys[0]["key_index"] == "20250101"


def test_a_pull_that_is_refused_keeps_the_old_rows(directory, switch, night):
    ask(DirectoryList.PSPS)
    answer(directory, switch.posted[-1], RespListPsp, psp_list=(SMPL,))
    night.shift(dt.timedelta(hours=25))
    ask(DirectoryList.PSPS)

    members = {"result": "FAILURE", "code": "U99", "psp_list": (SECOND,)}
    answer(directory, switch.posted[-1], RespListPsp, **members)

    assert [psp.name for psp in PspRow.objects.all()] == ["Sample Bank"]
    found = row(DirectoryList.PSPS)
    assert (found.state, found.result_code, found.rows) == ("IDLE", "U99", 1)
    assert found.next_action_at == clock.now() + dt.timedelta(hours=1)


def test_a_pull_that_nobody_answers_is_given_up_and_its_late_answer_changes_nothing(
    directory, switch
):
    ask(DirectoryList.PSPS)
    DirectoryPull.objects.update(next_action_at="2000-01-01T00:00:00Z")

    pull.pull_due()

    found = row(DirectoryList.PSPS)
    assert (found.state, found.result_code) == ("IDLE", "NO_ANSWER")
    assert answer(directory, switch.posted[0], RespListPsp, psp_list=(SMPL,)) == ""
    assert PspRow.objects.count() == 0


@pytest.mark.parametrize(("plan", "code"), [("nack:U10", "U10"), ("503", "HTTP503")])
def test_a_pull_that_is_not_acked_is_tried_later(directory, switch, plan, code):
    switch.plan = [plan]

    ask(DirectoryList.KEYS)

    assert (row(DirectoryList.KEYS).state, row(DirectoryList.KEYS).result_code) == ("IDLE", code)


def test_a_switch_out_of_reach_costs_no_budget(directory, settings):
    settings.UPI_SWITCH_URL = "http://127.0.0.1:9"

    ask(DirectoryList.KEYS)

    assert row(DirectoryList.KEYS).result_code == "NOT_SENT"
    assert ApiUse.objects.count() == 0


def test_a_list_of_several_pages_is_one_call_and_appears_with_its_last_page(directory, switch):
    ask(DirectoryList.PSPS)
    first = {"page_size": 1000, "page_rec_start": 1, "page_rec_end": 1, "page_total": 2}
    answer(directory, switch.posted[0], RespListPsp, psp_list=(SMPL,), head=first)
    assert PspRow.objects.count() == 0
    assert DirectoryPage.objects.count() == 1

    pull.pull_due()
    assert switch.posted[1].root.find("Head").get("pageSeqNum") == "2"
    last = {"page_size": 1000, "page_rec_start": 2, "page_rec_end": 2, "page_total": 2}
    answer(directory, switch.posted[1], RespListPsp, psp_list=(SECOND,), head=last)

    assert sorted(psp.name for psp in PspRow.objects.all()) == ["Sample Bank", "Second Bank"]
    assert DirectoryPage.objects.count() == 0
    assert ApiUse.objects.count() == 1


def test_a_list_with_fewer_rows_than_it_says_changes_nothing(directory, switch, night):
    ask(DirectoryList.PSPS)
    answer(directory, switch.posted[-1], RespListPsp, psp_list=(SMPL, SECOND))
    night.shift(dt.timedelta(hours=25))
    ask(DirectoryList.PSPS)

    short = {"page_size": 1000, "page_rec_start": 1, "page_rec_end": 2, "page_total": 2}
    answer(directory, switch.posted[-1], RespListPsp, psp_list=(SMPL,), head=short)

    assert sorted(psp.name for psp in PspRow.objects.all()) == ["Sample Bank", "Second Bank"]
    assert row(DirectoryList.PSPS).result_code == "INCOMPLETE"


def test_a_list_that_had_rows_is_not_emptied(directory, switch, night):
    for listed_shops in ((), (SHOP,), ()):
        ask(DirectoryList.MERCHANTS)
        answer(directory, switch.posted[-1], RespListVae, vae_list=listed_shops)
        night.shift(dt.timedelta(hours=25))

    assert selectors.verified_merchant(SHOP.addr) is not None
    assert row(DirectoryList.MERCHANTS).result_code == "EMPTY"


def test_nothing_is_pulled_in_peak_hours_nor_twice_a_day(directory, switch, night):
    night.move_to(EVENING)
    ask(*DirectoryList)
    assert switch.posted == []
    end = dt.datetime(2026, 11, 18, 21, 30, tzinfo=clock.IST)
    assert set(DirectoryPull.objects.values_list("next_action_at", flat=True)) == {end}

    night.move_to(NIGHT)
    ask(*DirectoryList)
    for posted in switch.posted:
        kind = {"ReqListPsp": RespListPsp, "ReqListVae": RespListVae}.get(posted.path.split("/")[2])
        if kind:
            answer(directory, posted, kind, result="FAILURE", code="U99", **EMPTY[kind])
    ask(*DirectoryList)

    assert len(switch.posted) == 5
    again = NIGHT + dt.timedelta(hours=24, seconds=governor.ARRIVAL_SECONDS)
    assert row(DirectoryList.PSPS).next_action_at == again


EMPTY = {RespListPsp: {"psp_list": ()}, RespListVae: {"vae_list": ()}}


def listed(public, *, kind="SIGN", code="NPCI", owner="", day="20261120") -> Key:
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    value = base64.b64encode(der).decode()
    return Key(code=code, owner=owner or code, type=kind, ki=day, key_value=value)


def test_a_new_key_of_the_switch_counts_from_its_day_and_the_old_one_still_does(
    directory, switch, switch_key, night
):
    new = wire.new_key()
    ask(DirectoryList.KEYS)
    keys = (listed(switch_key.public_key(), day="20150822"), listed(new.public_key()))

    assert answer(directory, switch.posted[0], RespListKeys, key_list=keys) == ""

    present = selectors.signing_keys("NPCI", at=clock.now())
    assert [key.public_numbers().n for key in present] == [
        switch_key.public_key().public_numbers().n
    ]
    first = dt.datetime(2026, 11, 20, tzinfo=clock.IST)
    assert PeerKey.objects.get(valid_from_at=first).valid_until_at is None
    assert len(selectors.signing_keys("NPCI", at=first)) == 2


def test_keys_of_others_and_what_is_no_key_are_left_out(directory, switch, switch_key):
    ask(DirectoryList.KEYS)
    elliptic = ec.generate_private_key(ec.SECP256R1()).public_key()
    keys = (
        listed(wire.new_key().public_key(), code="900002"),
        listed(wire.new_key().public_key(), kind="TOKEN"),
        listed(wire.new_key().public_key(), day="tomorrow"),
        listed(elliptic),
        Key(code="NPCI", type="SIGN", ki="20261120", key_value="bm8ga2V5"),
    )

    assert answer(directory, switch.posted[0], RespListKeys, key_list=keys) == ""

    assert PeerKey.objects.filter(organisation="NPCI").count() == 1
    assert row(DirectoryList.KEYS).rows == 0


def test_a_list_that_another_key_signed_is_refused_and_enters_no_key(directory, switch):
    stranger = wire.new_key()
    ask(DirectoryList.KEYS)
    directory.key = stranger

    code = answer(
        directory, switch.posted[0], RespListKeys, key_list=(listed(stranger.public_key()),)
    )

    assert code != ""
    assert PeerKey.objects.filter(organisation="NPCI").count() == 1


def test_a_revoked_key_is_not_revived_by_a_list(directory, switch, peer_key):
    revoked = wire.new_key()
    ask(DirectoryList.KEYS)
    entered = pull.listings.directory.register_key(
        "NPCI",
        PeerKey.Purpose.SIGNING,
        wire.public_pem(revoked.public_key()),
        valid_from_at=clock.now(),
    )
    pull.listings.directory.revoke_key(entered, at=clock.now())

    answer(directory, switch.posted[0], RespListKeys, key_list=(listed(revoked.public_key()),))

    assert len(selectors.signing_keys("NPCI", at=clock.now())) == 1


def link_key():
    return ec.generate_private_key(ec.SECP256R1()).public_key()


def of_sample_bank(public, day, **facts) -> Key:
    return listed(public, code="900002", owner="Sample Bank", day=day, **facts)


def test_the_keys_of_psps_count_from_their_day_until_they_are_not_listed(directory, switch, night):
    first, second = link_key(), wire.new_key().public_key()
    ask(DirectoryList.PSP_KEYS)
    assert switch.posted[0].root.find("Txn").get("type") == "ListPSPKeys"
    keys = (of_sample_bank(first, "20250101"), of_sample_bank(second, "20261120"))

    assert answer(directory, switch.posted[0], RespListKeys, key_list=keys) == ""
    old, new = selectors.psp_keys("900002")
    assert (old.owner, old.key_index) == ("Sample Bank", "20250101")
    day = dt.datetime(2026, 11, 20, tzinfo=clock.IST)
    tick = dt.timedelta(microseconds=1)
    assert (old.is_valid(at=NIGHT), new.is_valid(at=NIGHT)) == (True, False)
    assert (old.is_valid(at=day), new.is_valid(at=day), new.is_valid(at=day - tick)) == (
        True,
        True,
        False,
    )

    night.shift(dt.timedelta(hours=48))
    ask(DirectoryList.PSP_KEYS)
    answer(directory, switch.posted[1], RespListKeys, key_list=keys[1:])

    old, new = selectors.psp_keys("900002")
    assert (old.valid_until_at, new.valid_until_at) == (clock.now(), None)
    assert not old.is_valid(at=clock.now())

    night.shift(dt.timedelta(hours=25))
    ask(DirectoryList.PSP_KEYS)
    answer(directory, switch.posted[2], RespListKeys, key_list=keys)

    assert [key.valid_until_at for key in selectors.psp_keys("900002")] == [None, None]


def test_of_the_psps_keys_only_those_for_links_are_taken(directory, switch, switch_key):
    ask(DirectoryList.PSP_KEYS)
    keys = (
        of_sample_bank(link_key(), "20250101"),
        of_sample_bank(link_key(), "20250101", kind="PKI"),
        of_sample_bank(link_key(), "tomorrow"),
        Key(code="900002", type="SIGN", ki="20250101", key_value="bm8ga2V5"),
    )

    assert answer(directory, switch.posted[0], RespListKeys, key_list=keys) == ""

    assert len(selectors.psp_keys("900002")) == 1
    assert row(DirectoryList.PSP_KEYS).rows == 1
    assert selectors.signing_keys("900002", at=clock.now()) is None


def test_the_command_asks_and_shows_how_the_lists_stand(directory, switch):
    shown = StringIO()
    call_command("pull_directory", stdout=shown)
    assert switch.posted == []

    call_command("pull_directory", "--now", stdout=shown)

    assert len(switch.posted) == 5
    assert "PSPS       ASKED" in shown.getvalue()
    assert VerifiedMerchant.objects.count() == 0


def test_the_sweeper_finds_a_list_that_is_due(directory):
    assert not selectors.directory_is_due()

    pull.make_due([DirectoryList.PSPS])

    assert selectors.directory_is_due()
