"""The tables of the parties: payer, payee, device, account, credentials, amount, merchant."""

from typing import Any

from lxml import etree

from apps.common.money import Money
from apps.upi.codec import kinds
from apps.upi.codec.credentials import CREDS, NEW_CRED
from apps.upi.codec.institutions import INSTITUTION
from apps.upi.codec.kinds import one_of, printable, text
from apps.upi.codec.shapes import (
    OTHER,
    Attribute,
    Child,
    Element,
    Flat,
    Many,
    One,
    Pair,
    Shape,
    children_of,
    pairs,
    read_value,
)
from apps.upi.contracts import (
    AccountAddress,
    Balance,
    Device,
    Info,
    MerchantBlock,
    Party,
    Split,
)
from apps.upi.errors import InvalidElementError, MalformedMessageError

CURRENCY = "INR"

_INFO = Shape(
    Info,
    children=(
        Flat(
            "Identity",
            (
                Attribute(
                    "type",
                    "identity_type",
                    one_of("PAN", "BANK", "AADHAAR", "ACCOUNT"),
                    "I03",
                    is_required=True,
                ),
                Attribute("verifiedName", "verified_name", kinds.NAME, "I04", is_required=True),
                Attribute("id", "identity_id", text("[A-Za-z0-9]{1,30}"), OTHER),
            ),
            missing_code="I02",
        ),
        Flat("Rating", (Attribute("verifiedAddress", "verified_address", kinds.TRUTH, "I05"),)),
    ),
)

_SIMPLE_PHONES = {"USDC", "USDB"}


class _DeviceShape(Shape):
    """A device, of which only simple phones name their telecom."""

    def read(self, element: Element, path: str) -> Device:
        """Build the device. Raises InvalidElementError, MalformedMessageError."""
        device: Device = super().read(element, path)
        if device.telecom is not None and device.type not in _SIMPLE_PHONES:
            raise InvalidElementError("D13", f"{path}.Tag.TELECOM")
        return device


_DEVICE = _DeviceShape(
    Device,
    children=(
        Pair(
            "Tag",
            pairs(
                Attribute("MOBILE", "mobile", text("[0-9]{12}"), "D04"),
                Attribute("GEOCODE", "geocode", text("[0-9.,+-]{1,15}"), "D05"),
                Attribute("LOCATION", "location", printable(1, 40), "D06"),
                Attribute("IP", "ip", text("[0-9A-Fa-f.:]{2,39}"), "D07"),
                Attribute("TYPE", "type", text("[A-Z]{1,20}"), "D08"),
                Attribute("ID", "id", text("[A-Za-z0-9._:-]{1,35}"), "D09"),
                Attribute("OS", "os", printable(1, 20), "D10"),
                Attribute("APP", "app", text("[A-Za-z0-9._-]{1,20}"), "D11"),
                # The list counts eight codes for nine tags; these two share one with us.
                Attribute("CAPABILITY", "capability", text("[0-9A-Za-z]{1,99}"), "D11"),
                Attribute("TELECOM", "telecom", printable(1, 99), "D12"),
            ),
            name_code="D03",
            value_code="D03",
            missing_code="D02",
        ),
    ),
)

_ACCOUNT = Shape(
    AccountAddress,
    children=(
        Pair(
            "Detail",
            pairs(
                Attribute("IFSC", "ifsc", kinds.IFSC, "A06", is_required=True),
                Attribute("ACTYPE", "account_type", kinds.ACCOUNT_TYPE, "A06", is_required=True),
                Attribute("ACNUM", "account_number", kinds.ACCOUNT, "A06", is_required=True),
            ),
            name_code="A04",
            value_code="A10",
            form_code="A09",
            missing_code="A03",
        ),
    ),
)
# Other ways of addressing are not for this bank; each has its own refusal.
_OTHER_ADDRESSING = {"AADHAAR": "A11", "MOBILE": "A13", "CARD": "A14"}


class _Ac:
    """The account: `<Ac addrType="ACCOUNT">` with its details."""

    tag = "Ac"
    is_repeated = False
    missing_code = ""

    def read(self, element: Element, values: dict[str, Any], path: str) -> None:
        """Read the account. Raises InvalidElementError for other ways of addressing."""
        kind = str(element.attrib.pop("addrType", ""))
        if kind != "ACCOUNT":
            raise InvalidElementError(_OTHER_ADDRESSING.get(kind, "A02"), f"{path}.addrType")
        values["ac"] = _ACCOUNT.read(element, path)

    def write(self, parent: Element, source: Any) -> None:
        """Write the account, if it is known."""
        if source.ac is not None:
            _ACCOUNT.write(etree.SubElement(parent, "Ac", addrType="ACCOUNT"), source.ac)


_SPLIT = Shape(
    Split,
    (
        Attribute(
            "name", "name", one_of("PURCHASE", "CASHBACK", "PARAMOUNT"), "V04", is_required=True
        ),
        Attribute("value", "value", kinds.MONEY, "V05", is_required=True),
    ),
)
_AMOUNT = Attribute("value", "amount", kinds.MONEY, "V03")


class _Amount:
    """The amount, in rupees and INR on the wire, and its parts."""

    tag = "Amount"
    is_repeated = False
    missing_code = ""
    split = Many("Split", "splits", _SPLIT)

    def read(self, element: Element, values: dict[str, Any], path: str) -> None:
        """Read a positive amount in INR."""
        currency = element.get("curr")
        if currency != CURRENCY:
            code = "V02" if currency is None else "M02"
            raise InvalidElementError(code, f"{path}.curr")
        if set(element.attrib) - {"value", "curr"}:
            raise MalformedMessageError(f"{path} has an attribute it may not have")
        amount: Money = read_value(_AMOUNT, element.get("value", ""), path)
        if not amount:
            raise InvalidElementError("V03", f"{path}.value")
        values["amount"] = amount
        for child in children_of(element, path):
            if child.tag != "Split":
                raise MalformedMessageError(f"{path} has a child it may not have")
            self.split.read(child, values, f"{path}.Split")

    def write(self, parent: Element, source: Any) -> None:
        """Write the amount, if there is one."""
        if source.amount is not None:
            value = source.amount.as_rupees()
            element = etree.SubElement(parent, "Amount", value=value, curr=CURRENCY)
            self.split.write(element, source)


def _merchant(type_code: str) -> Shape:
    return Shape(
        MerchantBlock,
        children=(
            Flat(
                "Identifier",
                (
                    Attribute("subCode", "sub_code", kinds.CODE_4, "PM1", is_required=True),
                    Attribute("mid", "mid", text("[A-Za-z0-9._-]{1,20}"), "PM2", is_required=True),
                    Attribute("sid", "sid", text("[A-Za-z0-9._-]{1,20}"), "PM3"),
                    Attribute("tid", "tid", text("[A-Za-z0-9._-]{1,20}"), "PM4"),
                    Attribute("merchantType", "merchant_type", one_of("SMALL", "LARGE"), type_code),
                    Attribute(
                        "merchantGenre", "merchant_genre", one_of("OFFLINE", "ONLINE"), OTHER
                    ),
                    Attribute(
                        "onBoardingType",
                        "on_boarding_type",
                        one_of("BANK", "AGGREGATOR", "NETWORK", "TPAP"),
                        OTHER,
                    ),
                ),
                missing_code="PM1",
            ),
            Flat(
                "Name",
                (
                    Attribute("brand", "brand", printable(1, 20), "PM5", is_required=True),
                    Attribute("legal", "legal", printable(1, 20), "PM6", is_required=True),
                    Attribute("franchise", "franchise", printable(1, 20), "PM7", is_required=True),
                ),
                missing_code="PM5",
            ),
            Flat(
                "Ownership",
                (
                    Attribute(
                        "type",
                        "ownership",
                        one_of("PROPRIETARY", "PARTNERSHIP", "PRIVATE", "PUBLIC", "OTHERS"),
                        "PM9",
                        is_required=True,
                    ),
                ),
                missing_code="PM8",
            ),
        ),
    )


MERCHANT = _merchant("PN1")
_PAYER_MERCHANT = _merchant("PN2")

_BALANCE = Shape(
    Balance,
    children=(
        Flat(
            "Data",
            (
                Attribute("code", "code", one_of("NPCI", "UIDAI"), "C12", is_required=True),
                Attribute("ki", "ki", text("[A-Za-z0-9]{1,20}"), "C03", is_required=True),
            ),
            text=Attribute("Data", "data", kinds.SECRET, "C10"),
            missing_code="C09",
        ),
    ),
)


def _party(codes: dict[str, str], *children: Child) -> Shape:
    return Shape(
        Party,
        (
            Attribute("addr", "addr", kinds.ADDRESS, codes["addr"], is_required=True),
            Attribute("name", "name", kinds.NAME, codes["name"]),
            Attribute("seqNum", "seq_num", kinds.SEQUENCE, codes["seqNum"], is_required=True),
            Attribute("type", "type", one_of("PERSON", "ENTITY"), codes["type"], is_required=True),
            Attribute("code", "code", kinds.CODE_4, codes["code"], is_required=True),
            Attribute("aadhaarConsent", "aadhaar_consent", kinds.YES_NO, OTHER),
        ),
        children,
    )


PAYER = _party(
    {"addr": "R02", "name": "R03", "seqNum": "R04", "type": "R05", "code": "R06"},
    One("Info", "info", _INFO),
    One("Device", "device", _DEVICE),
    _Ac(),
    CREDS,
    _Amount(),
    NEW_CRED,
    One("Merchant", "merchant", _PAYER_MERCHANT),
    One("Institution", "institution", INSTITUTION),
    One("Bal", "bal", _BALANCE),
)
PAYEE = _party(
    {"addr": "B03", "name": "B05", "seqNum": "B04", "type": "B06", "code": "B07"},
    One("Info", "info", _INFO),
    One("Device", "device", _DEVICE),
    _Ac(),
    _Amount(),
    One("Merchant", "merchant", MERCHANT),
)


class Payees:
    """The list of payees, of which UPI takes exactly one."""

    tag = "Payees"
    is_repeated = False
    missing_code = "B01"

    def read(self, element: Element, values: dict[str, Any], path: str) -> None:
        """Read the one payee."""
        found = list(children_of(element, path))
        if element.attrib or any(child.tag != "Payee" for child in found):
            raise MalformedMessageError(f"{path} has something it may not have")
        if len(found) != 1:
            raise InvalidElementError("B09" if found else "B02", f"{path}.Payee")
        values["payee"] = PAYEE.read(found[0], f"{path}.Payee")

    def write(self, parent: Element, source: Any) -> None:
        """Write the one payee."""
        PAYEE.write(etree.SubElement(etree.SubElement(parent, "Payees"), "Payee"), source.payee)
