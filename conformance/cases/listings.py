"""Whose an address is and which accounts a mobile number has: asked by others, and by our apps."""

import time
from typing import Any

from conformance.case import Role, Stage
from conformance.numbering import cases_of
from conformance.place import ARRIVAL_SECONDS

_LOOK_SECONDS = 0.1
_OUR_BRANCH = "EXBK0000001"


def _told(stage: Stage, path: str, body: dict[str, str]) -> dict[str, Any]:
    told = stage.control.call("POST", path, body)
    stage.transaction_ids.append(told.get("txn_id", ""))
    return told


def _asked(stage: Stage, path: str, body: dict[str, str]) -> str:
    told = _told(stage, path, body)
    return f"{told['outcome']} {told.get('result', '')} {told.get('code', '')}".strip()


def _verified(stage: Stage, address: str) -> dict[str, Any]:
    """Let the payer's app ask whose an address is, and wait for the answer."""
    shown = stage.payer.phone.verify(address)
    deadline = time.monotonic() + ARRIVAL_SECONDS
    while shown["finality"] != "final" and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
        shown = stage.payer.phone.verification(shown["id"])
    return shown


def known_to_others(stage: Stage) -> None:
    """Another bank that asks whose an address of ours is hears it."""
    found = _asked(stage, "/valadd", {"addr": stage.payee.vpa})
    stage.expect("the answer", found=found, wanted="ANSWERED SUCCESS")


def shop_to_others(stage: Stage) -> None:
    """Another bank that asks about a merchant of ours hears that it is one."""
    told = _told(stage, "/valadd", {"addr": stage.place.shop()["vpa"]})
    stage.expect("the answer", found=told.get("result"), wanted="SUCCESS")
    stage.expect("it is a merchant", found=told.get("is_merchant"), wanted=True)


def unknown_to_others(stage: Stage) -> None:
    """Another bank that asks about an address that nobody has is refused."""
    found = _asked(stage, "/valadd", {"addr": "nobody.has.this@exbank"})
    stage.expect("the answer", found=found, wanted="ANSWERED FAILURE ZH")


def accounts_to_others(stage: Stage) -> None:
    """Another PSP that asks for the accounts of a mobile number hears of them, masked."""
    mobile = stage.payee.phone.handset.mobile
    told = _told(stage, "/listaccount", {"mobile": mobile, "ifsc": _OUR_BRANCH})
    stage.expect("the answer", found=told.get("result"), wanted="SUCCESS")
    stage.expect("how many", found=len(told.get("accounts", [])), wanted=1)


def no_accounts_to_others(stage: Stage) -> None:
    """A mobile number without accounts has none."""
    found = _asked(stage, "/listaccount", {"mobile": "919611111111", "ifsc": _OUR_BRANCH})
    stage.expect("the answer", found=found, wanted="ANSWERED FAILURE XH")


def verified_abroad(stage: Stage) -> None:
    """An app sees the name that the other bank vouches for, before paying."""
    shown = _verified(stage, "store1@smplbank")
    stage.expect("the status", found=shown["status"], wanted="verified")
    stage.expect("the name", found=shown["verified_name"], wanted="EXAMPLE STORE")
    stage.expect("the kind", found=shown["kind"], wanted="ENTITY")


def unknown_abroad(stage: Stage) -> None:
    """An app is told that nobody has an address of the other bank."""
    shown = _verified(stage, "nobody.has.this@smplbank")
    stage.expect("the status", found=shown["status"], wanted="failed")
    stage.expect("the code", found=shown["upi_code"], wanted="ZH")


def verified_at_home(stage: Stage) -> None:
    """An address of ours is known without asking anybody."""
    shown = stage.payer.phone.verify(stage.payee.vpa)
    stage.expect("the status", found=shown["status"], wanted="verified")


CASES = (
    *cases_of(
        Role.PAYEE_PSP,
        (
            (known_to_others, "2.4", True),
            (shop_to_others, "2.4", True),
            (unknown_to_others, "2.4, 4.4", True),
        ),
        given="addresses of this bank",
        when="another bank asks with ReqValAdd",
        first=501,
    ),
    *cases_of(
        Role.REMITTER,
        ((accounts_to_others, "2.4, 8", True), (no_accounts_to_others, "4.5", True)),
        given="accounts of this bank",
        when="another PSP asks with ReqListAccount",
        first=501,
    ),
    *cases_of(
        Role.PAYER_PSP,
        (
            (verified_abroad, "2.4", True),
            (unknown_abroad, "2.4, 4.4", True),
            (verified_at_home, "2.4", True),
        ),
        given="an app that is about to pay",
        when="it asks whose an address is",
        first=501,
    ),
)
