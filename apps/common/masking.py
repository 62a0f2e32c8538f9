"""What people and logs see of personal data."""

import re
from collections.abc import MutableMapping
from typing import Any

_SHOWN = 4
_BRANCH = ".ifsc.npci"
# Fields of log events that are personal or secret whatever their value.
_HIDDEN = frozenset(
    {
        "pin",
        "otp",
        "credential",
        "pin_block",
        "block",
        "token",
        "password",
        "secret",
        "authorization",
    }
)
# Where a message's canonical bytes have an account's number: one of another bank may have letters,
# and any length, so that it does not look like one.
_ACCOUNT = re.compile(
    r'(?P<before>\bname="(?:ACNUM|CARDNUM)" value="|\b(?:acNum|accRefNumber)="|<Identity id=")'
    r'(?P<number>[^"]*)'
)
_PERSONAL = re.compile(
    r"(?P<address>\b[\w.\-]{1,255}@[A-Za-z][\w.]{1,63})|(?P<digits>(?<![\w.\-])[0-9]{9,18}(?![\w.\-]))"
)


def mask_account(number: str) -> str:
    """Show only the last four digits, such as XXXXXXXX7890."""
    return "X" * max(0, len(number) - _SHOWN) + number[-_SHOWN:]


def mask_mobile(number: str) -> str:
    """Show only the last four digits, such as XXXXXXXX0001."""
    return mask_account(number)


def mask_vpa(address: str) -> str:
    """Show two letters of the name, such as as***@exbank."""
    user, _, handle = address.partition("@")
    return f"{user[:2]}***@{handle}"


def mask_number_in(address: str) -> str:
    """Return an address as it is, but for the number in one that is an account of a branch."""
    user, _, handle = address.partition("@")
    return f"{mask_account(user)}@{handle}" if handle.endswith(_BRANCH) else address


def mask_message(body: str) -> str:
    """Mask accounts, addresses and telephones in a message of the wire."""
    return mask_text(_ACCOUNT.sub(_mask_account_match, body))


def mask_text(text: str) -> str:
    """Mask what looks like an address, a phone or an account number inside free text."""
    return _PERSONAL.sub(_mask_match, text)


def _mask_account_match(match: re.Match[str]) -> str:
    return match["before"] + mask_account(match["number"])


def _mask_match(match: re.Match[str]) -> str:
    return mask_vpa(match[0]) if match["address"] else mask_account(match[0])


def mask_event(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Mask a log event: named secrets go, addresses and long numbers keep their last part."""
    for name, value in event.items():
        if name in _HIDDEN:
            event[name] = "***"
        elif isinstance(value, str) and name not in {"timestamp", "rrn", "logger"}:
            event[name] = mask_text(value)
    return event
