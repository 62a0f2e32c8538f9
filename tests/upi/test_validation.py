"""The refusal of each fault: its validation code and the element, or a malformed message."""

from collections.abc import Callable

import pytest
from lxml import etree

from apps.upi import codec
from apps.upi.errors import InvalidElementError, MalformedMessageError, RefusedError
from tests.upi import wire

MESSAGES = {
    "PAY": "01_ReqPay_PAY",
    "DEBIT": "05_ReqPay_DEBIT",
    "CREDIT": "07_ReqPay_CREDIT",
    "REVERSAL": "12_ReqPay_REVERSAL_debit",
    "COLLECT": "14_ReqPay_COLLECT",
    "AUTH": "03_ReqAuthDetails_PAY",
    "AUTH_ANSWER": "04_RespAuthDetails_PAY",
    "PAID": "06_RespPay_DEBIT",
    "DECLINED": "06b_RespPay_DEBIT_Z9",
    "FINAL": "09_RespPay_final",
    "CHECK": "17_ReqChkTxn",
    "HEARTBEAT": "19_ReqHbt",
    "OTP": "34_ReqOtp",
    "REGISTER": "36_ReqRegMob",
    "CHANGE": "38_ReqSetCre",
    "BALANCE": "40_ReqBalEnq",
    "BALANCE_ANSWER": "41_RespBalEnq",
    "VALIDATE": "30_ReqValAdd",
    "VALIDATE_ANSWER": "31_RespValAdd",
    "ACCOUNTS": "32_ReqListAccount",
    "ACCOUNTS_ANSWER": "33_RespListAccount",
    "TOKEN": "42_ReqListKeys_GetToken",
    "KEYS_ANSWER": "45_RespListKeys",
    "PSPS_ANSWER": "47_RespListPsp",
    "BANKS_ANSWER": "49_RespListAccPvd",
    "SHOPS_ANSWER": "51_RespListVae",
    "SHOPS": "52_ReqManageVae",
    "PENDING": "54_ReqPendingMsg",
    "PENDING_ANSWER": "55_RespPendingMsg",
    "MANDATE": "63_ReqMandate_to_issuer",
    "MANDATE_ANSWER": "64_RespMandate_issuer",
    "MANDATE_END": "65_ReqMandateConfirmation",
    "COMPLAINT": "70_ReqComplaint",
    "COMPLAINT_ANSWER": "71_RespComplaint_TCC",
}
LONG = "1" * 300
INSTITUTION = (
    '<Institution type="MTO" route="MTSS"><Name value="EXAMPLE REMIT" acNum="778899"/>'
    '<Purpose code="P1301" note="family"/><Originator name="A SENDER" type="INDIVIDUAL" refNo="R1">'
    '<Address location="1 High Street" city="London" country="UK" geocode="51.5,-0.1"/>'
    '</Originator><Beneficiary name="ASHA RAO"/></Institution>'
)


def inward(root: etree._Element) -> None:
    """Make a payment the credit of a remittance from abroad, as its rules want it."""
    root.find("Txn").set("initiationMode", "12")
    root.find("Payer").append(etree.fromstring(INSTITUTION))
    credential = root.find("Payer/Creds/Cred")
    if credential is not None:
        credential.set("type", "PreApproved")
        credential.set("subType", "NA")


def shop_pays(root: etree._Element) -> None:
    """Make the payer a merchant like the payee."""
    root.find("Payer").set("type", "ENTITY")
    root.find("Payer").append(etree.fromstring(etree.tostring(root.find("Payees/Payee/Merchant"))))


MADE = {
    "INWARD": ("DEBIT", inward),
    "INWARD_ANSWER": ("AUTH_ANSWER", inward),
    "SHOP_PAYS": ("DEBIT", shop_pays),
}


def faults() -> list[list[str]]:
    lines = (wire.VECTORS / "validation.txt").read_text().splitlines()
    return [line.split(maxsplit=3) for line in lines if not line.startswith("#")]


def message(name: str) -> etree._Element:
    if name in MADE:
        base, make = MADE[name]
        root = message(base)
        make(root)
        return root
    return etree.fromstring(wire.vector(MESSAGES[name]))


def remove(root: etree._Element, path: str) -> None:
    element = root.find(path)
    element.getparent().remove(element)


def empty(root: etree._Element, path: str) -> None:
    for child in list(root.find(path)):
        root.find(path).remove(child)


def double(root: etree._Element, path: str) -> None:
    element = root.find(path)
    element.addnext(etree.fromstring(etree.tostring(element)))


def add_inside(root: etree._Element, rest: str) -> None:
    path, child = rest.split(maxsplit=1)
    root.find(path).append(etree.fromstring(child))


def add_behind(root: etree._Element, rest: str) -> None:
    path, sibling = rest.split(maxsplit=1)
    root.find(path).addnext(etree.fromstring(sibling))


def set_text(root: etree._Element, rest: str) -> None:
    path, _, text = rest.partition(" ")
    root.find(path).text = text


FAULTS = {
    "-": remove,
    "0": empty,
    "*": double,
    "+": add_inside,
    ">": add_behind,
    "=": set_text,
}


def break_(root: etree._Element, fault: str) -> None:
    """Do what a line of the table says."""
    fault = fault.replace("LONG", LONG)
    if fault == "none":
        return
    if fault[0] in FAULTS:
        FAULTS[fault[0]](root, fault[1:])
        return
    path, setting = split(fault)
    name, is_set, value = setting.partition("=")
    attributes = root.find(path).attrib
    if is_set:
        attributes[name] = value
    else:
        del attributes[name]


def split(fault: str) -> tuple[str, str]:
    """Part a path, which may hold a predicate, from the setting behind it."""
    end = fault.find("]") + 1
    path, _, setting = fault[end:].partition("@")
    return fault[:end] + path, setting


@pytest.mark.parametrize(
    ("code", "name", "element", "fault"),
    [pytest.param(*row, id=f"{row[1]} {row[3]}") for row in faults()],
)
def test_a_message_that_breaks_a_rule_is_refused_with_its_code(code, name, element, fault):
    root = message(name)
    break_(root, fault)

    with pytest.raises(InvalidElementError) as refused:
        codec.decode(etree.tostring(root))

    assert (refused.value.ack_code, refused.value.element) == (code, element)
    assert refused.value.detail == f"{element} is missing or not valid"


def move_head(root):
    root.append(root.find("Head"))


def text_in_root(root):
    root.text = "pay"


def text_behind(root):
    root.find("Txn").tail = "pay"


def unusual_space(root):
    root.find("Txn").tail = "\u00a0"


@pytest.mark.parametrize(
    ("_case", "fault"),
    [
        ("an attribute that is not known",  "Txn@priority=1"),
        ("an attribute of the root",        ".@Id=1"),
        ("an attribute of a list",          "Payer/Creds@Id=1"),
        ("an attribute of a pair",          "Payer/Info/Rating@Id=1"),
        ("a second attribute of an amount", "Payer/Amount@Id=1"),
        ("an element that is not known",    "+Payer <Extensions/>"),
        ("an element of the root",          "+. <Extensions><Txn/></Extensions>"),
        ("an element in an empty one",      "+Head <Head/>"),
        ("a second Head",                   "*Head"),
        ("a second Txn",                    "*Txn"),
        ("a second Amount",                 "*Payer/Amount"),
        ("an element in a credential",      "+Payer/Creds/Cred/Data <b/>"),
        ("a foreign element",               "+Payer <x:Ac xmlns:x='urn:x'/>"),
        ("another order",                   move_head),
        ("text between elements",           text_in_root),
        ("text behind an element",          text_behind),
        ("an unusual space",                unusual_space),
    ],
)  # fmt: skip
def test_a_message_of_another_structure_is_malformed(
    _case: str, fault: str | Callable[[etree._Element], None]
):
    root = message("DEBIT")
    break_(root, fault) if isinstance(fault, str) else fault(root)

    with pytest.raises(MalformedMessageError) as refused:
        codec.decode(etree.tostring(root))

    assert refused.value.ack_code == "U05"


def test_parts_of_an_all_message_may_come_in_any_order():
    root = message("AUTH")
    move_head(root)

    assert codec.decode(etree.tostring(root)) == codec.decode(wire.vector(MESSAGES["AUTH"]))


@pytest.mark.parametrize("block", ["", "not a block", "2.0|====", "3.0|AAAA"])
def test_the_form_of_a_debit_s_block_is_for_the_issuer_to_judge(block):
    root = message("DEBIT")
    root.find("Payer/Creds/Cred/Data").text = block

    decoded = codec.decode(etree.tostring(root))

    assert decoded.payer.creds[0].data.reveal() == block


def test_a_debit_without_credentials_is_for_the_issuer_to_decline():
    root = message("DEBIT")
    break_(root, "-Payer/Creds")

    assert codec.decode(etree.tostring(root)).payer.creds == ()


@pytest.mark.parametrize("name", ["ReqMoon", "Ack", "ReqPay2", "reqpay"])
def test_a_message_that_nobody_knows_is_refused(name):
    with pytest.raises(RefusedError) as refused:
        codec.decode(f'<u:{name} xmlns:u="{wire.UPI}"/>'.encode())

    assert refused.value.ack_code == "U10"
    assert refused.value.detail == "the message is not one that this bank takes"


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("ReqValCust",      "customer validation has no public form"),
        ("RespValCust",     "customer validation has no public form"),
        ("ReqBalChk",       "the check for sufficient balance has no public form"),
        ("ReqQrVal",        "QR validation has no public form"),
        ("QrVal",           "QR validation has no public form"),
        ("ReqActivation",   "international activation has no public form"),
        ("ReqMapper",       "the UPI number mapper has no public form"),
        ("ReqMapperFetch",  "the UPI number mapper has no public form"),
        ("ReqDelegateAdd",  "delegation has no public form"),
        ("ReqDelegateAuth", "delegation has no public form"),
        ("ReqVoucher",      "vouchers have no public form"),
    ],
)  # fmt: skip
def test_a_message_whose_form_is_not_public_is_refused_by_name(name, what):
    with pytest.raises(RefusedError) as refused:
        codec.decode(f'<u:{name} xmlns:u="{wire.UPI}"/>'.encode())

    assert refused.value.ack_code == "U10"
    assert refused.value.detail.startswith(f"{what}; this bank does not take")
