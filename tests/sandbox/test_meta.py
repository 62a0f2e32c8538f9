"""Meta messages: addresses, accounts, keys, directories, verified merchants, pending collects."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives import serialization

from sandbox import library
from tests.sandbox import spoken
from tests.sandbox.bank import new_id
from tests.sandbox.spoken import el


def ask(world, kind: str, *parts, api: str = ""):
    """Send a meta message, and return the answer that the switch sends."""
    txn_id = new_id()
    request = spoken.account_request(f"Req{api or kind}", kind, *parts, txn_id=txn_id)
    assert world.bank.post(request) == ""
    return world.bank.wait_for(f"Resp{api or kind}", txn_id)


def latest(world, api: str):
    return next(message for message in reversed(world.bank.heard) if message.api == api)


def payer():
    names = {"addr": spoken.PAYER, "name": "ASHA RAO", "seqNum": "1"}
    return el("Payer", names | {"type": "PERSON", "code": "0000"})


def payee(address: str):
    return el("Payee", {"addr": address, "seqNum": "1", "type": "PERSON", "code": "0000"})


def challenge(data: str = "NA"):
    found = el("Data", {"code": "NPCI", "ki": "20261101"})
    found.text = data
    return el("Creds", None, el("Cred", {"type": "Challenge", "subType": "initial"}, found))


def test_an_address_of_a_shop_is_told_with_its_merchant(world):
    answer = ask(world, "ValAdd", payer(), payee("store1@smplbank"))

    told = dict(answer.root.find("Resp").items())
    assert told | {"reqMsgId": ""} == {
        "reqMsgId": "",
        "result": "SUCCESS",
        "errCode": "",
        "maskName": "EXAMPLE STORE",
        "code": "5411",
        "type": "ENTITY",
        "IFSC": "SMPL0000002",
        "IIN": "",
        "pType": "UPIMANDATE",
        "accType": "CURRENT",
    }
    assert answer.root.find("Resp/Merchant/Ownership") is not None
    assert answer.get("Resp/FeatureSupported", "value") == "01"
    assert [child.tag for child in answer.root][:3] == ["Head", "Resp", "Txn"]


def test_an_address_of_a_person_has_no_merchant(world):
    answer = ask(world, "ValAdd", payer(), payee("kiran@secondbank"))

    assert answer.get("Resp", "maskName") == "KIRAN DAS"
    assert answer.root.find("Resp/Merchant") is None


def test_an_address_unknown_to_its_bank_is_told_so(world):
    answer = ask(world, "ValAdd", payer(), payee("ghost@smplbank"))

    assert (answer.get("Resp", "result"), answer.get("Resp", "errCode")) == ("FAILURE", "ZH")


def test_an_address_of_our_own_travels_through_the_switch(world):
    world.bank.answers = {("ReqValAdd", "ValAdd"): spoken.declines("ZH")}

    assert ask(world, "ValAdd", payer(), payee("shop@exbank")).get("Resp", "errCode") == "ZH"


def test_a_silent_psp_is_told_by_the_switch(world):
    world.bank.answers = {("ReqValAdd", "ValAdd"): spoken.silent}
    txn_id = new_id()
    parts = (payer(), payee("shop@exbank"))
    assert (
        world.bank.post(spoken.account_request("ReqValAdd", "ValAdd", *parts, txn_id=txn_id)) == ""
    )

    world.silence(txn_id, "ReqValAdd")

    assert world.bank.wait_for("RespValAdd", txn_id).get("Resp", "errCode") == "U27"


REFUSALS = [
    ("ValAdd",     lambda: [payer(), payee("x@nobank")],                        "U17"),
    ("ValAdd",     lambda: [payer()],                                           "J03"),
    ("ValAdd",     lambda: [payee("ravi@smplbank")],                            "P02"),
    ("PendingMsg", lambda: [el("ReqMsg", {"addr": "ravi@smplbank"})],           "U55"),
    ("ManageVae",  lambda: [el("VaeList")],                                     "U72"),
    ("ListKeys",   list,                                                        "U65"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "parts", "code"), REFUSALS)
def test_a_meta_message_is_refused(world, kind, parts, code):
    request = spoken.account_request(f"Req{kind}", kind, *parts(), txn_id=new_id())

    assert world.bank.post(request) == code


def listing(ifsc: str, mobile: str):
    party = spoken.payer_party()
    party.find("Ac/Detail[@name='IFSC']").set("value", ifsc)
    return [party, el("Link", {"type": "MOBILE", "value": mobile})]


def test_accounts_of_a_mobile_number_are_listed(world):
    answer = ask(world, "ListAccount", *listing("SMPL0000002", "919800000101"))

    account = answer.root.find("AccountList/Account")
    assert dict(account.items()) == {
        "accType": "SAVINGS",
        "accRefNumber": "009876500001",
        "maskedAccnumber": "XXXXXXXX0001",
        "ifsc": "SMPL0000002",
        "mmid": "9000021",
        "name": "RAVI KUMAR",
        "aeba": "N",
        "mbeba": "Y",
    }
    assert account.find("CredsAllowed").get("dLength") == "4"


def test_a_mobile_number_without_account_is_told_so(world):
    answer = ask(world, "ListAccount", *listing("SECD0000003", "919800000101"))

    assert answer.get("Resp", "errCode") == "XH"


def test_another_bank_asks_us_about_an_address(world):
    def known(_bank, request):
        made = spoken.answer(request)
        made.find("Resp").set("maskName", "ASHA RAO")
        return made

    world.bank.answers = {("ReqValAdd", "ValAdd"): known}

    heard = world.control.post("/valadd", json={"addr": spoken.PAYER}).json()

    assert (heard["result"], heard["response"]["maskName"]) == ("SUCCESS", "ASHA RAO")
    asked = latest(world, "ReqValAdd")
    assert asked.get("Payee", "addr") == spoken.PAYER
    assert asked.get("Payer", "addr") == "ravi@smplbank"
    assert asked.get("Head", "orgId") == "NPCI"


def test_another_bank_asks_us_for_accounts(world):
    world.bank.answers = {("ReqListAccount", "ListAccount"): spoken.declines("XH")}

    order = {"mobile": "919800000001", "ifsc": "EXBK0000001", "org_id": "900003"}
    heard = world.control.post("/listaccount", json=order).json()

    assert (heard["result"], heard["code"]) == ("FAILURE", "XH")
    asked = latest(world, "ReqListAccount")
    assert asked.get("Link", "value") == "919800000001"
    assert asked.get("Payer/Ac/Detail[@name='IFSC']", "value") == "EXBK0000001"


def test_the_keys_are_listed(world):
    answer = ask(world, "ListKeys", challenge())

    keys = {(key.get("code"), key.get("type")): key for key in answer.root.iterfind("keyList/key")}
    assert set(keys) == {
        ("NPCI", "PKI"), ("NPCI", "SIGN"), ("900001", "PKI"), ("900002", "PKI"), ("900003", "PKI"),
    }  # fmt: skip
    credential = keys["NPCI", "PKI"]
    assert credential.get("ki") == "20261101"
    der = base64.b64decode(credential.findtext("keyValue"))
    listed = serialization.load_der_public_key(der)
    assert listed.public_numbers() == world.switch_key.public_numbers()


def test_the_members_keys_are_listed_alone(world):
    answer = ask(world, "ListPSPKeys", challenge(), api="ListKeys")

    listed = [
        (key.get("code"), key.get("owner"), key.get("type"), key.get("ki"))
        for key in answer.root.iterfind("keyList/key")
    ]
    assert listed == [
        *((bank, bank, "PKI", "20261101") for bank in ("900001", "900002", "900003")),
        *(
            (bank, name, "SIGN", day)
            for bank, name in (("900002", "Sample Bank"), ("900003", "Second Bank"))
            for day in ("20240101", "20250101", "20991231")
        ),
    ]


def test_a_link_is_signed_as_another_bank_or_its_shop_would(world):
    order = {"text": "upi://pay?pa=store1@smplbank&pn=X&mode=05&orgid=900002"}

    links = [
        world.control.post("/links", json=order | {"key": key}).json()["link"]
        for key in ("rsa", "ec", "next", "retired", "merchant")
    ]

    assert len(set(links)) == 5
    assert all(link.startswith(order["text"] + "&sign=") for link in links)
    strangers = [{"key": "none"}, {"org_id": "900001"}, {"org_id": "900009"}]
    refused = [world.control.post("/links", json=order | each).status_code for each in strangers]
    assert refused == [400, 400, 400]


def test_a_device_is_registered_by_its_challenge(world):
    made = library.make_challenge("dev1", world.switch_key)
    answer = ask(world, "GetToken", challenge(f"dev1|app1|919800000001|{made}"), api="ListKeys")

    check = base64.b64encode(hashlib.sha256(b"app1|919800000001|dev1").digest()).decode()
    assert answer.root.findtext("keyList/key/keyValue") == check


@pytest.mark.parametrize("text", ["abc=", "YWJjZA==", "of another phone"])
def test_a_challenge_that_is_not_the_phones_registers_nothing(world, text):
    made = library.make_challenge("dev2", world.switch_key) if " " in text else text
    answer = ask(world, "GetToken", challenge(f"dev1|app1|919800000001|{made}"), api="ListKeys")

    assert (answer.get("Resp", "result"), answer.get("Resp", "errCode")) == ("FAILURE", "U63")
    assert answer.root.find("keyList") is None


def test_a_challenge_needs_four_parts(world):
    parts = [challenge("dev1|app1")]
    request = spoken.account_request("ReqListKeys", "GetToken", *parts, txn_id=new_id())

    assert world.bank.post(request) == "U64"


def test_psps_and_account_providers_are_listed(world):
    psps, providers = ask(world, "ListPsp"), ask(world, "ListAccPvd")

    handles = [psp.get("codes") for psp in psps.root.iterfind("PspList/Psp")]
    assert handles == ["exbank", "smplbank,sandbox", "secondbank"]
    branches = [each.get("ifsc") for each in providers.root.iterfind("AccPvdList/AccPvd")]
    assert branches == ["EXBK0000001", "SMPL0000002", "SECD0000003"]


def merchants(world) -> dict[str, str]:
    found = ask(world, "ListVae").root.iterfind("VaeList/Vae")
    return {each.get("addr"): each.get("name") for each in found}


def manage(world, operation: str, address: str, name: str = "OUR SHOP"):
    vae = {"op": operation, "seqNum": "1", "name": name, "addr": address, "logo": "", "url": ""}
    answer = ask(world, "ManageVae", el("VaeList", None, el("Vae", vae)))
    return answer.get("Resp", "result"), answer.get("Resp/Ref", "respCode")


def test_verified_merchants_are_added_changed_and_removed(world):
    shop = spoken.SHOP
    assert set(merchants(world)) == {"store1@smplbank", "store2@secondbank"}

    assert manage(world, "ADD", shop) == ("SUCCESS", "00")
    assert merchants(world)[shop] == "OUR SHOP"
    assert manage(world, "UPDATE", shop, "NEW NAME") == ("SUCCESS", "00")
    assert merchants(world)[shop] == "NEW NAME"
    assert manage(world, "REMOVE", shop) == ("SUCCESS", "00")
    assert manage(world, "REMOVE", shop) == ("FAILURE", "VN")
    assert shop not in merchants(world)


def test_a_merchant_of_another_bank_is_not_ours_to_change(world):
    assert manage(world, "REMOVE", "store1@smplbank") == ("FAILURE", "U55")
    assert "store1@smplbank" in merchants(world)


def pending(world):
    asked = el("ReqMsg", {"type": "MOBILE", "value": "919800000001", "addr": spoken.PAYER})
    answer = ask(world, "PendingMsg", asked)
    return [each.get("id") for each in answer.root.iterfind("RespMsg/PenTxn")]


def test_collects_that_wait_are_pending(world):
    world.bank.answers = {("ReqAuthDetails", "COLLECT"): spoken.silent}
    txn_id = world.collect(expire_minutes=64800)
    world.bank.wait_for("ReqAuthDetails", txn_id)

    assert pending(world) == [txn_id]

    world.control.post("/clock", json={"advance_seconds": 64800 * 60})
    world.ended(txn_id)
    assert pending(world) == []
