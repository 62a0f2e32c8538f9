"""How codes count: as technical or as business declines, after the published list of codes."""

from typing import Any

from conformance.case import Stage

# upi-protocol 4.1 to 4.7. A compound such as U30~Z9 counts by its inner code.
_TECHNICAL = (
    "B6 HS IR UB X7 XU Y1 ZC ZJ"
    " U08 U09 U18 U20 U26 U28 U51 U53 U54 U57 U67 U68 U78 U90"
)  # fmt: skip
_BUSINESS = (
    "AM B1 B3 CA DF DT LC MB PS RA S0 SA TM UX X1 X6 XB XC XE XF XG XH XI XK XM XO XQ XS XW XX YB"
    " YD YF YG YH Z5 Z6 Z8 Z9 ZA ZB ZD ZE ZG ZH ZI ZM ZN ZO ZP ZY U03 U16 U17 U52 U69"
)  # fmt: skip
# The list leaves their class open.
_OPEN = "S96 U29"
CLASSES = {
    code: kind
    for kind, codes in (("TD", _TECHNICAL), ("BD", _BUSINESS), ("", _OPEN))
    for code in codes.split()
}
_NAMES = {"TD": "a technical decline", "BD": "a business decline", "": "a decline of no class"}


def class_of(code: str) -> str:
    """Return TD, BD, or nothing where the list leaves it open; empty for an empty code."""
    return CLASSES[code.rpartition("~")[2]] if code else ""


def named(code: str) -> str:
    """Return a code with its class, for a case's text."""
    return f"{code}, {_NAMES[class_of(code)]}"


def code_of(shown: dict[str, Any]) -> str:
    """Return the UPI code with which something failed; empty if it did not."""
    failure = shown["failure"] or {}
    return str(failure.get("upi_code", ""))


def expect_code(stage: Stage, shown: dict[str, Any], code: str, *, who: str = "the app") -> None:
    """Hold the code that somebody is shown against the case's, and its class against the list."""
    stage.expect(f"{who}'s code", found=code_of(shown), wanted=code)
    if code:
        failure = shown["failure"] or {}
        found = failure.get("class") or ""
        stage.expect(f"{who}'s class of it", found=found, wanted=class_of(code))
