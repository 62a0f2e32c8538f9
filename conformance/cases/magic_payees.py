"""Payments to the other bank: every way in which its side, or the switch, ends them."""

from collections.abc import Iterator

from conformance.case import Case, Role
from conformance.cases.payment import (
    DEEMED,
    PAID,
    REVERSED,
    Ending,
    Row,
    failed,
)
from conformance.declines import named
from conformance.numbering import numbered

# Why the payee's PSP declines an address (upi-protocol 4.2 and 4.4).
_PSP = {
    "RA": "payer and payee are one account",
    "SA": "the account's kind may not be paid",
    "UX": "the address has expired",
    "X1": "the merchant did not answer in time",
    "YG": "the merchant errs at its PSP",
    "ZB": "the merchant is not valid",
    "ZE": "the PSP does not allow the address",
    "ZG": "the owner restricts the address",
    "ZH": "the address is unknown",
}
# Why the payee's bank declines a credit (upi-protocol 4.1).
_BANK = {
    "B3": "the account may not be paid so",
    "B6": "the details do not match",
    "CA": "compliance at the acquirer",
    "DF": "the RRN is a duplicate",
    "LC": "the bank's pool account cannot pay",
    "MB": "the account went with a merger",
    "PS": "the account would hold too much",
    "UB": "the bank errs inside",
    "X6": "the merchant is not valid",
    "X7": "the merchant cannot be reached",
    "XC": "the transaction is not valid",
    "XE": "the amount is not valid",
    "XG": "the format is wrong",
    "XI": "the account does not exist",
    "XK": "the function is not offered",
    "XM": "the card has expired",
    "XO": "there is no such card",
    "XQ": "the cardholder may not",
    "XS": "the card is restricted",
    "XU": "the bank's cut-off is in progress",
    "XW": "compliance is violated",
    "XX": "there is no financial address",
    "Y1": "the core bank is offline",
    "YB": "the card was lost",
    "YD": "the bank does not honour it",
    "YF": "the account is frozen",
    "YH": "the merchant errs at its bank",
    "Z5": "the beneficiary's credentials are wrong",
    "ZC": "the bank is unavailable",
    "ZD": "validation fails",
    "ZI": "fraud is suspected",
    "ZJ": "the bank's node is offline",
    "ZN": "the merchant may not use the function",
    "ZO": "the customer may not use the function",
    "ZP": "the bank is not live for this type",
    "ZY": "the account is dormant",
}
# What the switch itself ends a payment with (upi-protocol 4.7).
_SWITCH = ("U03", "U08", "U09", "U16", "U17", "U20", "U28", "U29", "U52", "U78", "U90", "S96")


def _rows() -> Iterator[Row]:
    for code, reason in _PSP.items():
        yield _declined(
            code,
            given=f"the payee's PSP refuses: {reason}",
            ending=failed(f"U19~{code}"),
            source="upi-protocol 1.6, 4.4",
        )
    for code, reason in _BANK.items():
        yield _declined(
            code,
            given=f"the payee's bank declines the credit: {reason}",
            ending=failed(f"U31~{code}", entries=REVERSED),
            source="upi-protocol 1.6, 4.1",
        )
    for code in _SWITCH:
        yield _declined(
            code,
            given=f"the switch ends the payment with {code}",
            ending=failed(code),
            source="upi-protocol 4.7",
        )
    yield from _others()


def _declined(code: str, *, given: str, ending: Ending, source: str) -> Row:
    told = "the money comes back" if ending.entries == REVERSED else "no money moves"
    return Row(
        role=Role.PAYER_PSP,
        title=f"A payment declined with {ending.code}",
        given=given,
        then=f"the app shows it failed with {named(ending.code)}, and {told}",
        source=source,
        payee=f"fail.{code.lower()}@sandbox",
        ending=ending,
    )


_ABROAD = Ending(status="succeeded", switch="SUCCESS", payer=-1, entries=PAID)


def _others() -> Iterator[Row]:
    table = (
        ("success@sandbox", "the payee's bank credits", _ABROAD, "1.4", 0.0, True),
        ("ravi@smplbank", "a person of the other bank is paid", _ABROAD, "1.4", 0.0, True),
        ("store1@smplbank", "a merchant of the other bank is paid", _ABROAD, "1.4", 0.0, True),
        ("RAVI@SMPLBANK", "the address is typed in capitals", _ABROAD, "6.1", 0.0, True),
        ("duplicate@sandbox", "the final answer comes twice", _ABROAD, "1.6", 0.0, True),
        ("slow.2000@sandbox", "the payee's bank answers late, in time", _ABROAD, "1.6", 2.0, True),
        ("late-success.3@sandbox", "the switch tells the end late", _ABROAD, "1.6", 3.0, True),
        ("nobody.here@smplbank", "nobody has the address", failed("U19~ZH"), "4.4", 0.0, True),
        ("who@sandbox", "the address means nothing", failed("U19~ZH"), "4.4", 0.0, True),
        (
            "late-fail.3@sandbox",
            "the switch tells a failure late",
            failed("U31~XI", entries=REVERSED),
            "1.6", 3.0, True,
        ),
        (
            "timeout@sandbox",
            "the payee's bank never answers and says NC",
            failed("U68", entries=REVERSED),
            "1.6, 4.3", 15.0, True,
        ),
        ("deemed@sandbox", "credit and reversal stay unanswered", DEEMED, "1.6", 25.0, True),
        ("reversal-fail@sandbox", "the credit's reversal fails with 96", DEEMED, "4.3", 15.0, True),
    )  # fmt: skip
    for payee, given, ending, source, waits_seconds, is_clean in table:
        yield Row(
            role=Role.PAYER_PSP,
            title=f"A payment to {payee}",
            given=given,
            then=f"the app shows {ending.status}"
            + (f" with {named(ending.code)}" if ending.code else ""),
            source=f"upi-protocol {source}",
            payee=payee,
            ending=ending,
            waits_seconds=waits_seconds,
            is_clean=is_clean,
        )


CASES: tuple[Case, ...] = tuple(numbered((row.case() for row in _rows()), first=1))
