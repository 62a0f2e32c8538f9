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
}
LONG = "1" * 300


def faults() -> list[list[str]]:
    lines = (wire.VECTORS / "validation.txt").read_text().splitlines()
    return [line.split(maxsplit=3) for line in lines if not line.startswith("#")]


def message(name: str) -> etree._Element:
    return etree.fromstring(wire.vector(MESSAGES[name]))


def break_(root: etree._Element, fault: str) -> None:
    """Do what a line of the table says."""
    sign, rest = fault[0], fault[1:]
    if sign == "-":
        element = root.find(rest)
        element.getparent().remove(element)
    elif sign == "*":
        element = root.find(rest)
        element.addnext(etree.fromstring(etree.tostring(element)))
    elif sign == "+":
        path, child = rest.split(maxsplit=1)
        root.find(path).append(etree.fromstring(child))
    else:
        path, setting = split(fault)
        name, is_set, value = setting.partition("=")
        attributes = root.find(path).attrib
        if is_set:
            attributes[name] = value.replace("LONG", LONG)
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


def test_credentials_are_refused_where_they_have_no_business():
    root = message("CREDIT")
    credentials = "<Cred type='PIN' subType='MPIN'><Data code='NPCI' ki='20150822'>x</Data></Cred>"
    root.find("Payer/Ac").addnext(etree.fromstring(f"<Creds>{credentials}</Creds>"))

    with pytest.raises(InvalidElementError) as refused:
        codec.decode(etree.tostring(root))

    assert refused.value.ack_code == "C11"


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
