"""
A second reader of messages, which shares nothing with the first: expat, and rules of its own.

It reads a message as facts: where a text stands, in our names, and the text. `facts_of` says the
same of a decoded message, so that two readers that agree give the same facts.
"""

import dataclasses
import datetime as dt
import re
from collections import Counter
from decimal import Decimal
from enum import Enum
from xml.parsers import expat

from apps.common.money import Money
from apps.common.secret import Secret
from apps.upi.contracts import Message

Facts = dict[str, str]

_ROOT = "http://npci.org/upi/schema/ "
# What is not said by a field of ours: it is always the same.
_FIXED = {
    ("Amount", "curr"): "INR",
    ("Ac", "addrType"): "ACCOUNT",
    ("Signature", "id"): "MANDATE",
}


class Place(Enum):
    """Where what an element says belongs."""

    PARENT = "its parent's"
    ONE = "a part of its own"
    MANY = "one of a list of parts"


# Element, or parent/element, to the place and the name of the part.
_PLACES: dict[str, tuple[Place, str]] = {
    "Payees": (Place.PARENT, ""),
    "RiskScores": (Place.PARENT, ""),
    "Score": (Place.MANY, "risk_scores"),
    "Rules": (Place.PARENT, ""),
    "Rules/Rule": (Place.MANY, "rules"),
    "Recurrence/Rule": (Place.PARENT, ""),
    "Identity": (Place.PARENT, ""),
    "Rating": (Place.PARENT, ""),
    "Creds": (Place.PARENT, ""),
    "NewCred": (Place.PARENT, ""),
    "Creds/Cred": (Place.MANY, "creds"),
    "NewCred/Cred": (Place.MANY, "new_cred"),
    "Data": (Place.PARENT, ""),
    "Amount": (Place.PARENT, ""),
    "Split": (Place.MANY, "splits"),
    "Identifier": (Place.PARENT, ""),
    "Name": (Place.PARENT, ""),
    "Ownership": (Place.PARENT, ""),
    "Purpose": (Place.PARENT, ""),
    "Address": (Place.PARENT, ""),
    "Beneficiary": (Place.PARENT, ""),
    "Ref": (Place.MANY, "refs"),
    "AccountList": (Place.PARENT, ""),
    "Account": (Place.MANY, "account_list"),
    "CredsAllowed": (Place.MANY, "creds_allowed"),
    "keyList": (Place.PARENT, ""),
    "keyList/key": (Place.MANY, "key_list"),
    "Vae/key": (Place.MANY, "keys"),
    "keyValue": (Place.PARENT, ""),
    "PspList": (Place.PARENT, ""),
    "Psp": (Place.MANY, "psp_list"),
    "AccPvdList": (Place.PARENT, ""),
    "AccPvd": (Place.MANY, "acc_pvd_list"),
    "VersionSupported": (Place.PARENT, ""),
    "Version": (Place.MANY, "version_supported"),
    "VaeList": (Place.PARENT, ""),
    "Vae": (Place.MANY, "vae_list"),
    "RespMsg": (Place.PARENT, ""),
    "PenTxn": (Place.MANY, "pen_txns"),
    "FeatureSupported": (Place.PARENT, ""),
    "Validity": (Place.PARENT, ""),
    "Signature": (Place.PARENT, ""),
}
# Element and attribute to the field, where that is not the attribute's name in our spelling.
_FIELDS = {
    ("Identity", "type"): "identity_type",
    ("Identity", "id"): "identity_id",
    ("Amount", "value"): "amount",
    ("Amount", "rule"): "amount_rule",
    ("Ownership", "type"): "ownership",
    ("Institution/Name", "value"): "name",
    ("Purpose", "code"): "purpose_code",
    ("Purpose", "note"): "purpose_note",
    ("Beneficiary", "name"): "beneficiary_name",
    ("Recurrence/Rule", "value"): "rule_value",
    ("Recurrence/Rule", "type"): "rule_type",
    ("FeatureSupported", "value"): "feature_supported",
    ("Psp", "lastModifedTs"): "last_modified_ts",
    ("AccPvd", "lastModifedTs"): "last_modified_ts",
}
_LISTS = {"RespManageVae": "vae_refs", "RespComplaint": "complaint_refs"}
# Elements of names and values, by the field of each name.
_PAIRS = {
    "PAYREQSTART": "pay_req_start",
    "PAYREQEND": "pay_req_end",
    "ACTYPE": "account_type",
    "ACNUM": "account_number",
    "CARDDIGITS": "card_digits",
    "EXPDATE": "exp_date",
}
_TEXTS = {"Data": "data", "keyValue": "key_value", "Signature": "signature"}
_CAPITALS = re.compile(r"(?<=[a-z0-9])([A-Z])")
_TRUTHS = {"verified_address", "mandatory"}


def _spelled(name: str) -> str:
    return _CAPITALS.sub(r"_\1", name).lower()


class _Reader:
    def __init__(self) -> None:
        self.facts: Facts = {}
        self.api = ""
        self._open: list[tuple[str, str]] = []
        self._counts: Counter[str] = Counter()
        self._text: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if not self._open:
            assert name.startswith(_ROOT), name
            self.api = name.removeprefix(_ROOT)
            self._open.append((self.api, ""))
            return
        parent, path = self._open[-1]
        if "name" in attributes and name in {"Tag", "Detail"}:
            field = _PAIRS.get(attributes["name"], attributes["name"].lower())
            self._note(path, field, attributes["value"])
            self._open.append((name, path))
            return
        both = f"{parent}/{name}"
        place, part = _PLACES.get(both) or _PLACES.get(name) or (Place.ONE, _spelled(name))
        if name == "Ref":
            part = _LISTS.get(self.api, part)
        if place is Place.ONE:
            path = f"{path}{part}."
        elif place is Place.MANY:
            number = self._counts[f"{path}{part}"]
            self._counts[f"{path}{part}"] += 1
            path = f"{path}{part}[{number}]."
        for attribute, value in attributes.items():
            if (name, attribute) in _FIXED:
                assert value == _FIXED[name, attribute], attribute
                continue
            field = _FIELDS.get((both, attribute)) or _FIELDS.get((name, attribute))
            self._note(path, field or _spelled(attribute), value)
        self._open.append((name, path))
        self._text.clear()

    def end(self, name: str) -> None:
        _, path = self._open.pop()
        if name in _TEXTS:
            self._note(path, _TEXTS[name], "".join(self._text))
        else:
            assert not "".join(self._text).strip(" \t\r\n"), name
        self._text.clear()

    def data(self, text: str) -> None:
        self._text.append(text)

    def _note(self, path: str, field: str, value: str) -> None:
        key = f"{path}{field}"
        assert key not in self.facts, key
        self.facts[key] = _plain(value)


def _plain(text: str) -> str:
    """Write instants in one manner; everything else is compared letter by letter."""
    if re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", text):
        return dt.datetime.fromisoformat(text).astimezone(dt.UTC).isoformat()
    return text


def read(body: bytes) -> tuple[str, Facts]:
    """Return the name of a message and everything that it says."""
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.data
    parser.Parse(body, True)
    return reader.api, reader.facts


def facts_of(message: Message) -> Facts:
    """Return everything that a decoded message says."""
    facts: Facts = {}
    _collect(message, "", facts)
    return facts


def _collect(part: object, path: str, facts: Facts) -> None:
    is_mandate = getattr(part, "type", "") == "UPI-Mandate"
    for field in dataclasses.fields(part):
        name, value = field.name, getattr(part, field.name)
        if value is None or (is_mandate and value == "" and name in {"code", "ki"}):
            continue
        if isinstance(value, tuple):
            for number, each in enumerate(value):
                _collect(each, f"{path}{name}[{number}].", facts)
        elif dataclasses.is_dataclass(value) and not isinstance(value, Money | Secret):
            _collect(value, f"{path}{name}.", facts)
        else:
            facts[f"{path}{name}"] = _written(name, value)


def _written(name: str, value: object) -> str:
    match value:
        case Money():
            return f"{Decimal(value.paise) / 100:.2f}"
        case Secret():
            return _plain(value.reveal())
        case bool():
            return str(value).upper() if name in _TRUTHS else "NY"[value]
        case dt.datetime():
            return value.astimezone(dt.UTC).isoformat()
        case dt.date():
            return f"{value:%d%m%Y}"
        case _:
            return _plain(str(value))
