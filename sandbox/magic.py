"""Magic customers @sandbox: addresses, and amounts, that say how their bank will behave."""

import re
from dataclasses import dataclass, replace

from sandbox import world

# Codes by which a payee's PSP declines an address, before any money moves.
_PSP_CODES = {
    "RA", "SA", "UX", "X1", "YG", "ZB", "ZE", "ZG", "ZH",
}  # fmt: skip
# The switch's own families of codes: nobody is asked, the switch ends the payment itself.
_SWITCH_CODE = re.compile(r"[US]\d\d|UP1|M16")
_CODE = re.compile(r"[A-Z0-9]{2,3}")
_SECONDS_MAX = 600
# The score in the published examples, and the highest that the form allows.
_RISK, _RISK_HIGH = "00030", "99999"
_RISK_MAX = int(_RISK_HIGH)
_PAISE = 100
_DECLINED_BY_CUSTOMER = "ZA"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """
    How the payee's side of a payment behaves.

    A code declines at the switch, at the PSP or at the bank. A silent credit is neither done nor
    answered. `reversal_code` answers the reversal of a credit (None: by the book; empty: silence).
    `risk` is the score that the switch gives the payment.
    """

    switch_code: str = ""
    psp_code: str = ""
    credit_code: str = ""
    is_credit_silent: bool = False
    reversal_code: str | None = None
    credit_delay_seconds: float = 0
    verdict_delay_seconds: float = 0
    is_final_doubled: bool = False
    risk: str = _RISK


@dataclass(frozen=True, slots=True)
class PayerBehaviour:
    """
    How a magic payer answers a collect request, and its bank the debit.

    An answer code declines the request; a silent payer lets it expire. `risk` is the score that the
    switch gives what he pays.
    """

    answer_code: str = ""
    is_answer_silent: bool = False
    debit_code: str = ""
    is_debit_silent: bool = False
    is_pin_wrong: bool = False
    risk: str = _RISK


_PLAIN = Behaviour()
_TIMEOUT = Behaviour(is_credit_silent=True, reversal_code="NC")
_DEEMED = Behaviour(is_credit_silent=True, reversal_code="")
_NAMED = {
    "success": _PLAIN,
    "approve": _PLAIN,
    "timeout": _TIMEOUT,
    "deemed": _DEEMED,
    "reversal-fail": Behaviour(is_credit_silent=True, reversal_code="96"),
    "duplicate": Behaviour(is_final_doubled=True),
}
# The last two digits of an amount in paise decide where the address says nothing else.
_AMOUNTS = {
    51: Behaviour(switch_code="U30~Z9"),
    55: Behaviour(switch_code="U30~ZM"),
    68: _TIMEOUT,
    77: Behaviour(risk=_RISK_HIGH),
    91: _DEEMED,
}
_NAMED_PAYERS = {
    "approve": PayerBehaviour(),
    "success": PayerBehaviour(),
    "decline": PayerBehaviour(answer_code=_DECLINED_BY_CUSTOMER),
    "silent": PayerBehaviour(is_answer_silent=True),
}
_PAYER_AMOUNTS = {
    51: PayerBehaviour(debit_code="Z9"),
    55: PayerBehaviour(is_pin_wrong=True),
    68: PayerBehaviour(is_debit_silent=True),
    77: PayerBehaviour(risk=_RISK_HIGH),
}


def behaviour(address: str, amount_paise: int = 0) -> Behaviour | None:
    """Return how this payee behaves; None if it is a @sandbox address that means nothing."""
    if world.handle_of(address) != world.MAGIC_HANDLE:
        return _PLAIN
    name = address.lower().rpartition("@")[0]
    if name in _NAMED:
        named = _NAMED[name]
        return _AMOUNTS.get(amount_paise % _PAISE, named) if named is _PLAIN else named
    verb, _, argument = name.partition(".")
    if verb == "fail" and _CODE.fullmatch(argument.upper()):
        return _failing(argument.upper())
    if argument.isascii() and argument.isdigit():
        return _measured(verb, int(argument))
    return None


def payer_behaviour(address: str, amount_paise: int) -> PayerBehaviour | None:
    """Return how this payer behaves; None if no @sandbox address says anything about it."""
    if world.handle_of(address) != world.MAGIC_HANDLE:
        return None
    name = address.lower().rpartition("@")[0]
    if name in _NAMED_PAYERS:
        named = _NAMED_PAYERS[name]
        is_plain = named == PayerBehaviour()
        return _PAYER_AMOUNTS.get(amount_paise % _PAISE, named) if is_plain else named
    verb, _, argument = name.partition(".")
    if verb == "decline" and _CODE.fullmatch(argument.upper()):
        return PayerBehaviour(answer_code=argument.upper())
    if verb == "risk" and _is_risk(argument):
        return PayerBehaviour(risk=argument.zfill(len(_RISK)))
    return None


def risk(*, payer: str, payee: str, amount_paise: int) -> str:
    """Return the score of a payment: what the payee's address or amount says, else the payer's."""
    of_payee = behaviour(payee, amount_paise) or _PLAIN
    of_payer = payer_behaviour(payer, amount_paise)
    if of_payee.risk != _RISK or of_payer is None:
        return of_payee.risk
    return of_payer.risk


def _is_risk(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) <= _RISK_MAX


def _failing(code: str) -> Behaviour:
    if code in _PSP_CODES:
        return Behaviour(psp_code=code)
    if _SWITCH_CODE.fullmatch(code):
        return Behaviour(switch_code=code)
    return Behaviour(credit_code=code)


def _measured(verb: str, number: int) -> Behaviour | None:
    if verb == "slow" and number <= _SECONDS_MAX * 1000:
        return Behaviour(credit_delay_seconds=number / 1000)
    if verb == "late-success" and number <= _SECONDS_MAX:
        return Behaviour(verdict_delay_seconds=number)
    if verb == "late-fail" and number <= _SECONDS_MAX:
        return Behaviour(credit_code="XI", verdict_delay_seconds=number)
    if verb == "risk" and number <= _RISK_MAX:
        return replace(_PLAIN, risk=f"{number:05d}")
    return None
