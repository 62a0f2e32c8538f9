"""The longest value of each attribute is taken, and one sign more is refused."""

import pytest
from lxml import etree

from apps.upi import codec
from apps.upi.errors import InvalidElementError
from tests.upi.test_validation import message

IDENTITY = "Payer/Info/Identity"
IDENTIFIER = "Payees/Payee/Merchant/Identifier"
NAME = "Payees/Payee/Merchant/Name"
SCORE = "Txn/RiskScores/Score"
TAG = "Payer/Device/Tag[@name='{}']"


def padded(text: str, length: int) -> str:
    """Return a text of a length: an address and a URL keep their form."""
    user, at, handle = text.partition("@")
    if at:
        return user + "x" * (length - len(text)) + at + handle
    return text + text[-1] * (length - len(text))


@pytest.mark.parametrize(
    ("name", "path", "attribute", "text", "longest", "code"),
    [
        ("DEBIT",    "Head",         "msgId",          "a",           35,  "H06"),
        ("DEBIT",    "Head",         "orgId",          "N",           20,  "U52"),
        ("DEBIT",    "Txn",          "id",             "E",           35,  "T02"),
        ("DEBIT",    "Txn",          "note",           "n",           50,  "T03"),
        ("DEBIT",    "Txn",          "refId",          "r",           35,  "T04"),
        ("DEBIT",    "Txn",          "refUrl",         "https://a.b", 35,  "T05"),
        ("REVERSAL", "Txn",          "orgTxnId",       "o",           35,  "T09"),
        ("REVERSAL", "Txn",          "orgRespCode",    "U",           3,   "T11"),
        ("DEBIT",    "Txn",          "custRef",        "5",           12,  "T12"),
        ("DEBIT",    "Txn",          "umn",            "u@exbank",    70,  "T16"),
        ("DEBIT",    SCORE,          "provider",       "N",           20,  "S01"),
        ("DEBIT",    SCORE,          "type",           "T",           20,  "S02"),
        ("DEBIT",    SCORE,          "value",          "0",           5,   "S03"),
        ("DEBIT",    "Payer",        "addr",           "a@exbank",    255, "R02"),
        ("DEBIT",    "Payer",        "name",           "A",           99,  "R03"),
        ("DEBIT",    "Payer",        "seqNum",         "1",           3,   "R04"),
        ("DEBIT",    "Payer",        "code",           "0000",        4,   "R06"),
        ("DEBIT",    IDENTITY,       "verifiedName",   "A",           99,  "I04"),
        ("PAY",      TAG.format("LOCATION"),   "value", "M",          40,  "D06"),
        ("PAY",      TAG.format("IP"),         "value", "20",         39,  "D07"),
        ("PAY",      TAG.format("TYPE"),       "value", "M",          20,  "D08"),
        ("PAY",      TAG.format("ID"),         "value", "d",          35,  "D09"),
        ("PAY",      TAG.format("OS"),         "value", "A",          20,  "D10"),
        ("PAY",      TAG.format("APP"),        "value", "c",          20,  "D11"),
        ("PAY",      TAG.format("CAPABILITY"), "value", "5",          99,  "D11"),
        ("DEBIT",    "Payer/Ac/Detail[@name='ACNUM']", "value", "0",  30,  "A09"),
        ("DEBIT",    IDENTIFIER,     "subCode",        "5411",        4,   "PM1"),
        ("DEBIT",    IDENTIFIER,     "mid",            "M",           20,  "PM2"),
        ("DEBIT",    IDENTIFIER,     "sid",            "S",           20,  "PM3"),
        ("DEBIT",    IDENTIFIER,     "tid",            "T",           20,  "PM4"),
        ("DEBIT",    NAME,           "brand",          "B",           20,  "PM5"),
        ("DEBIT",    NAME,           "legal",          "L",           20,  "PM6"),
        ("DEBIT",    NAME,           "franchise",      "F",           20,  "PM7"),
        ("PAID",     "Resp",         "reqMsgId",       "r",           35,  "E02"),
        ("PAID",     "Resp/Ref",     "seqNum",         "1",           3,   "E08"),
        ("PAID",     "Resp/Ref",     "acNum",          "0",           30,  "E16"),
        ("PAID",     "Resp/Ref",     "code",           "5411",        4,   "E17"),
        ("OTP",      "Txn",          "note",           "n",           50,  "X03"),
        ("ACCOUNTS", "Link",         "value",          "91",          12,  "Y03"),
        ("MANDATE",  "Mandate",      "umn",            "u@exbank",    70,  "U07"),
    ],
)  # fmt: skip
def test_a_value_may_be_as_long_as_its_limit_and_no_longer(
    name, path, attribute, text, longest, code
):
    def decode(length: int):
        root = message(name)
        root.find(path).set(attribute, padded(text, length))
        return codec.decode(etree.tostring(root))

    decode(longest)
    with pytest.raises(InvalidElementError) as refused:
        decode(longest + 1)

    assert refused.value.ack_code == code


@pytest.mark.parametrize(
    ("amount", "is_taken"),
    [("9" * 15 + ".99", True), ("9" * 16 + ".99", False), ("0.01", True), ("0.00", False)],
)
def test_an_amount_has_eighteen_signs_at_most(amount, is_taken):
    root = message("DEBIT")
    for path in ("Payer/Amount", "Payees/Payee/Amount"):
        root.find(path).set("value", amount)

    if is_taken:
        assert codec.decode(etree.tostring(root)).payer.amount.as_rupees() == amount
    else:
        with pytest.raises(InvalidElementError) as refused:
            codec.decode(etree.tostring(root))
        assert refused.value.ack_code == "V03"


@pytest.mark.parametrize(
    ("name", "mode", "is_taken"),
    [
        ("DEBIT", "32", True), ("DEBIT", "33", False),
        ("PAID",  "24", True), ("PAID",  "25", False),
        ("CHECK", "14", True), ("CHECK", "15", False),
        ("COMPLAINT", "U1", True), ("CHECK", "U1", False),
    ],
)  # fmt: skip
def test_each_message_has_its_own_range_of_initiation_modes(name, mode, is_taken):
    root = message(name)
    root.find("Txn").set("initiationMode", mode)

    if is_taken:
        assert codec.decode(etree.tostring(root)).txn.initiation_mode == mode
    else:
        with pytest.raises(InvalidElementError) as refused:
            codec.decode(etree.tostring(root))
        assert refused.value.ack_code == "IM0"
