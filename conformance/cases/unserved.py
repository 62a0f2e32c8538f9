"""Messages that this bank does not serve: each is refused politely, by one code."""

import functools
from collections.abc import Callable, Iterator

from conformance import script
from conformance.case import Case, Role, Stage
from conformance.numbering import numbered
from conformance.script import say
from sandbox.codec import Element

_ILLEGAL = "U10"
_NOT_PUBLIC = {
    "ReqValCust": Role.REMITTER,
    "ReqBalChk": Role.REMITTER,
    "ReqQrVal": Role.PAYEE_PSP,
    "ReqMapperConfirmation": Role.PAYEE_PSP,
    "ReqActivation": Role.PAYER_PSP,
    "ReqDelegate": Role.PAYER_PSP,
    "ReqVoucher": Role.PAYER_PSP,
    "ReqNothingKnown": Role.PAYER_PSP,
}
_LATER: dict[str, tuple[Role, Callable[[], Element]]] = {
    "ReqAuthMandate": (Role.PAYER_PSP, functools.partial(script.mandate, "ReqAuthMandate")),
    "ReqMandate": (Role.REMITTER, functools.partial(script.mandate, "ReqMandate")),
    "ReqComplaint": (Role.REMITTER, script.complaint),
}


def _cases() -> Iterator[Case]:
    for api, role in _NOT_PUBLIC.items():
        make = functools.partial(script.bare, api)
        yield _case(api, role, make, given="a message whose form is not public")
    for api, (role, made) in _LATER.items():
        yield _case(api, role, made, given="a well-formed message whose flow this bank has not")


def _case(api: str, role: Role, make: Callable[[], Element], *, given: str) -> Case:
    return Case(
        id="",
        role=role,
        title=f"{api} is not served",
        given=given,
        when=f"the switch sends {api}",
        then=f"a negative Ack with {_ILLEGAL}, and the service goes on",
        source="upi-protocol 2.1, 4.7",
        play=functools.partial(_play, make=make),
    )


def _play(stage: Stage, *, make: Callable[[], Element]) -> None:
    said = say(stage, make())
    stage.expect("HTTP", found=said["status"], wanted=200)
    stage.expect("the Ack", found=said["ack"], wanted=_ILLEGAL)


CASES: tuple[Case, ...] = tuple(numbered(_cases(), first=971))
