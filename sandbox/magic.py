"""Magic payees @sandbox: addresses whose names say how their bank will behave."""

import re
from dataclasses import dataclass

from sandbox import world

# Codes by which a payee's PSP declines an address, before any money moves.
_PSP_CODES = {
    "RA", "SA", "UX", "X1", "YG", "ZB", "ZE", "ZG", "ZH",
}  # fmt: skip
# The switch's own families of codes: nobody is asked, the switch ends the payment itself.
_SWITCH_CODE = re.compile(r"[US]\d\d|UP1|M16")
_CODE = re.compile(r"[A-Z0-9]{2,3}")
_SECONDS_MAX = 600


@dataclass(frozen=True, slots=True)
class Behaviour:
    """
    How the payee's side of a payment behaves.

    A code declines at the switch, at the PSP or at the bank. A silent credit is neither done nor
    answered. `reversal_code` answers the reversal of a credit (None: by the book; empty: silence).
    """

    switch_code: str = ""
    psp_code: str = ""
    credit_code: str = ""
    is_credit_silent: bool = False
    reversal_code: str | None = None
    credit_delay_seconds: float = 0
    verdict_delay_seconds: float = 0
    is_final_doubled: bool = False


_PLAIN = Behaviour()
_NAMED = {
    "success": _PLAIN,
    "timeout": Behaviour(is_credit_silent=True, reversal_code="NC"),
    "deemed": Behaviour(is_credit_silent=True, reversal_code=""),
    "reversal-fail": Behaviour(is_credit_silent=True, reversal_code="96"),
    "duplicate": Behaviour(is_final_doubled=True),
}


def behaviour(address: str) -> Behaviour | None:
    """Return how this payee behaves; None if it is a @sandbox address that means nothing."""
    if world.handle_of(address) != world.MAGIC_HANDLE:
        return _PLAIN
    name = address.lower().rpartition("@")[0]
    if name in _NAMED:
        return _NAMED[name]
    verb, _, argument = name.partition(".")
    if verb == "fail" and _CODE.fullmatch(argument.upper()):
        return _failing(argument.upper())
    if argument.isascii() and argument.isdigit():
        return _timed(verb, int(argument))
    return None


def _failing(code: str) -> Behaviour:
    if code in _PSP_CODES:
        return Behaviour(psp_code=code)
    if _SWITCH_CODE.fullmatch(code):
        return Behaviour(switch_code=code)
    return Behaviour(credit_code=code)


def _timed(verb: str, number: int) -> Behaviour | None:
    if verb == "slow" and number <= _SECONDS_MAX * 1000:
        return Behaviour(credit_delay_seconds=number / 1000)
    if verb == "late-success" and number <= _SECONDS_MAX:
        return Behaviour(verdict_delay_seconds=number)
    if verb == "late-fail" and number <= _SECONDS_MAX:
        return Behaviour(credit_code="XI", verdict_delay_seconds=number)
    return None
