"""Messages with one fault each, signed by the switch all the same: each is refused by its code."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import replace

from lxml import etree

from conformance import script
from conformance.case import Case, Role, Stage
from conformance.numbering import numbered
from conformance.script import STRANGER, Deal, say, side_of, word
from sandbox import codec, ids
from sandbox.codec import Element

_BLOCK = "2.0|bm90LWEtcmVhbC1ibG9jaw=="
_LONG = "1" * 300


def _deal(stage: Stage) -> Deal:
    return Deal(payer=side_of(stage, stage.payer), payee=STRANGER)


def _incoming(stage: Stage) -> Deal:
    return Deal(payer=STRANGER, payee=side_of(stage, stage.payee))


_MESSAGES: Mapping[str, tuple[Role, Callable[[Stage], Element]]] = {
    "DEBIT": (Role.REMITTER, lambda stage: script.debit(_deal(stage), block=_BLOCK)),
    "REVERSAL": (Role.REMITTER, lambda stage: script.reversal(_deal(stage), "DEBIT")),
    "CREDIT": (Role.BENEFICIARY, lambda stage: script.credit(_incoming(stage))),
    "AUTH": (Role.PAYEE_PSP, lambda stage: script.authorisation(_incoming(stage))),
    "CONFIRM": (
        Role.PAYEE_PSP,
        lambda stage: script.confirmation(_incoming(stage), "SUCCESS"),
    ),
    "CHECK": (Role.REMITTER, lambda stage: script.check(_deal(stage), "DEBIT")),
    "BEAT": (Role.PAYER_PSP, lambda _: script.heartbeat()),
}
# Code, message and fault. path@attribute=value sets, path@attribute removes, -path removes an
# element, *path doubles one.
_FAULTS = """
U52 DEBIT -Head
U52 DEBIT Head@orgId
U52 DEBIT Head@orgId=900009
H02 DEBIT Head@ver=3.0
H03 DEBIT Head@ts=2025-11-22T10:15:02
H03 DEBIT Head@ts=22/11/2025
H03 DEBIT Head@ts=2025-11-22T10:15:02+05:30
H06 DEBIT Head@msgId=
H06 DEBIT Head@msgId=LONG
HM1 DEBIT Meta/Tag@name=OTHER
HM2 DEBIT Meta/Tag@value=now
T03 DEBIT Txn@note=LONG
T04 DEBIT Txn@refId=LONG
T06 DEBIT Txn@ts=yesterday
T07 DEBIT Txn@type=STEAL
T08 REVERSAL Txn@orgTxnId
T09 REVERSAL Txn@orgTxnId=a b
T10 DEBIT Txn@orgTxnId=EXB1
T11 REVERSAL Txn@orgRespCode
T11 REVERSAL Txn@orgRespCode=U068
T12 DEBIT Txn@custRef
T12 DEBIT Txn@custRef=53261000012
T12 CREDIT Txn@custRef=5326100001234
T13 DEBIT Txn@subType
T13 REVERSAL Txn@subType=PAY
T14 DEBIT Txn@purpose
T14 CREDIT Txn@purpose=000
IM0 DEBIT Txn@initiationMode
IM0 DEBIT Txn@initiationMode=33
IM0 CHECK Txn@initiationMode=15
R01 DEBIT -Payer
R02 DEBIT Payer@addr=asha
R03 DEBIT Payer@name=LONG
R04 DEBIT Payer@seqNum=1000
R05 DEBIT Payer@type=ROBOT
R06 DEBIT Payer@code=000
R01 AUTH -Payer
B01 DEBIT -Payees
B02 DEBIT -Payees/Payee
B03 CREDIT Payees/Payee@addr=@exbank
B04 CREDIT Payees/Payee@seqNum=
B05 CREDIT Payees/Payee@name=
B06 CREDIT Payees/Payee@type
B07 CREDIT Payees/Payee@code=54110
B09 CREDIT *Payees/Payee
B02 AUTH -Payees/Payee
B03 AUTH Payees/Payee@addr=asha
I02 DEBIT -Payer/Info/Identity
I03 DEBIT Payer/Info/Identity@type=X
I04 DEBIT Payer/Info/Identity@verifiedName=
I05 DEBIT Payer/Info/Rating@verifiedAddress=yes
D03 DEBIT Payer/Device/Tag[@name='MOBILE']@name=FAX
D04 DEBIT Payer/Device/Tag[@name='MOBILE']@value=9800000001
A01 DEBIT -Payer/Ac
A01 CREDIT -Payees/Payee/Ac
A01 REVERSAL -Payer/Ac
A02 DEBIT Payer/Ac@addrType=IBAN
A04 DEBIT Payer/Ac/Detail@name=SWIFT
A09 DEBIT Payer/Ac/Detail[@name='IFSC']@value=EXBK1000001
A06 DEBIT -Payer/Ac/Detail[@name='ACNUM']
A11 DEBIT Payer/Ac@addrType=AADHAAR
A13 CREDIT Payees/Payee/Ac@addrType=MOBILE
A14 DEBIT Payer/Ac@addrType=CARD
C03 DEBIT Payer/Creds/Cred@type=FACE
C09 DEBIT -Payer/Creds/Cred/Data
C12 DEBIT Payer/Creds/Cred/Data@code=BANK
V01 DEBIT -Payer/Amount
V02 DEBIT Payer/Amount@curr
M02 DEBIT Payer/Amount@curr=USD
V03 DEBIT Payer/Amount@value=7.0
V03 DEBIT Payer/Amount@value=-7.00
V03 DEBIT Payer/Amount@value=1e2
V03 DEBIT Payer/Amount@value=0.00
V03 CREDIT Payees/Payee/Amount@value=07.00
M03 DEBIT Payer/Amount@value=7.01
M03 CREDIT Payees/Payee/Amount@value=7.01
M04 CREDIT -Payees/Payee/Amount
PM0 CREDIT Payees/Payee@type=ENTITY
E01 CONFIRM -TxnConfirmation
T12 CONFIRM Txn@custRef
T08 CHECK Txn@orgTxnId
T16 CHECK Txn@subType=MANDATE
X08 CHECK Txn@orgTxnDate
X09 CHECK Txn@orgTxnDate=2025-01-20T10:15:00+05:30
G01 BEAT -HbtMsg
Z03 BEAT Head@ts=now
X07 BEAT Txn@type=PAY
"""


def fault(root: Element, order: str) -> None:
    """Do to a message what a line of the table says."""
    sign, rest = order[0], order[1:]
    if sign in "-*":
        found = root.find(rest)
        assert found is not None, f"the message has {rest}"
        if sign == "*":
            found.addnext(etree.fromstring(etree.tostring(found)))
            return
        parent = found.getparent()
        assert parent is not None, f"{rest} is not the root"
        parent.remove(found)
        return
    # The last @ that is not inside brackets parts path and attribute.
    setting, _, bracket = order.rpartition("]")
    head, _, attribute = bracket.partition("@")
    path = f"{setting}]{head}" if setting else head
    name, is_set, value = attribute.partition("=")
    found = root.find(path)
    assert found is not None, f"the message has {path}"
    if is_set:
        found.set(name, value.replace("LONG", _LONG))
    else:
        found.attrib.pop(name)


def _play(stage: Stage, *, code: str, message: str, order: str) -> None:
    _, make = _MESSAGES[message]
    root = make(stage)
    fault(root, order)
    said = say(stage, root)
    stage.expect("HTTP", found=said["status"], wanted=200)
    stage.expect("the Ack", found=said["ack"], wanted=code)


def _unsigned(stage: Stage) -> None:
    said = say(stage, script.credit(_incoming(stage)), is_unsigned=True)
    stage.expect("the Ack", found=said["ack"], wanted="U05")


def _tampered(stage: Stage) -> None:
    stage.balance_before(stage.payee)
    deal = _incoming(stage)
    dearer = codec.rupees(deal.amount_paise * 100)
    changes = {"tamper_from": f'value="{deal.amount}"', "tamper_to": f'value="{dearer}"'}
    said = say(stage, script.credit(deal), **changes)
    stage.expect("the Ack", found=said["ack"], wanted="U15")
    stage.expect_moves({}, stage.payee)


def _other_path(stage: Stage) -> None:
    root = script.credit(_incoming(stage))
    said = say(stage, root, path=f"/upi/ReqPay/2.0/urn:txnid:{ids.new_id('CNF')}")
    stage.expect("the Ack", found=said["ack"], wanted="U06")


def _other_api(stage: Stage) -> None:
    deal = _incoming(stage)
    said = say(stage, script.credit(deal), path=f"/upi/ReqChkTxn/2.0/urn:txnid:{deal.id}")
    stage.expect("the Ack", found=said["ack"], wanted="U10")


def _other_version(stage: Stage) -> None:
    deal = _incoming(stage)
    said = say(stage, script.credit(deal), path=f"/upi/ReqPay/1.0/urn:txnid:{deal.id}")
    stage.expect("the Ack", found=said["ack"], wanted="H02")


def _not_xml(stage: Stage, text: str) -> None:
    path = f"/upi/ReqPay/2.0/urn:txnid:{ids.new_id('CNF')}"
    said = stage.control.send(text, path=path)
    stage.expect("HTTP", found=said["status"], wanted=200)
    stage.expect("the Ack", found=said["ack"], wanted="U05")


def _same_id_other_bytes(stage: Stage) -> None:
    root = script.authorisation(_incoming(stage))
    deal = Deal(payer=STRANGER, payee=side_of(stage, stage.payee))
    first = say(stage, root)
    stage.expect("the first", found=word(first), wanted="SUCCESS 00")
    other = script.authorisation(replace(deal, amount_paise=1))
    head, used = other.find("Head"), root.find("Head")
    assert head is not None, "every message has a Head"
    assert used is not None, "every message has a Head"
    head.set("msgId", used.get("msgId", ""))
    stage.expect("the second", found=say(stage, other)["ack"], wanted="U01")
    transaction = root.find("Txn")
    assert transaction is not None, "every message has a Txn"
    closed = replace(deal, id=transaction.get("id", ""), rrn=transaction.get("custRef", ""))
    say(stage, script.confirmation(closed, "FAILURE", "U30"))


_DOCUMENTS = {
    "nothing that is XML": "this is not XML",
    "a document type": '<!DOCTYPE x [<!ENTITY e "x">]><x/>',
    "an entity bomb": '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>',
    "another namespace": '<ReqPay xmlns="http://example.org/"/>',
    "an unclosed element": '<upi:ReqPay xmlns:upi="http://npci.org/upi/schema/">',
    "a comment": '<upi:ReqPay xmlns:upi="http://npci.org/upi/schema/"><!-- x --></upi:ReqPay>',
}


def _cases() -> list[Case]:
    made = []
    for line in _FAULTS.strip().splitlines():
        code, message, order = line.split(maxsplit=2)
        made.append(
            _case(
                _MESSAGES[message][0],
                f"{message} with {order}",
                functools.partial(_play, code=code, message=message, order=order),
                then=f"a negative Ack with {code}, and nothing is written",
                source="upi-protocol 2.3, 4.8",
            )
        )
    for name, text in _DOCUMENTS.items():
        made.append(
            _case(
                Role.BENEFICIARY,
                f"A body that is {name}",
                functools.partial(_not_xml, text=text),
                then="a negative Ack with U05, and the service goes on",
                source="upi-protocol 4.7, 5.2",
            )
        )
    singles = (
        (_unsigned, "A credit without a signature", "U05", "5.1"),
        (_tampered, "A credit changed after it was signed", "U15", "5.1"),
        (_other_path, "A credit under another Txn.id in the URL", "U06", "1.2"),
        (_other_api, "A credit under another API in the URL", "U10", "1.2"),
        (_other_version, "A credit under another version in the URL", "H02", "1.2"),
        (_same_id_other_bytes, "Another message under a used message id", "U01", "1.3"),
    )
    for play, title, code, source in singles:
        then = f"a negative Ack with {code}, and nothing moves"
        made.append(
            _case(Role.BENEFICIARY, title, play, then=then, source=f"upi-protocol {source}")
        )
    return made


def _case(role: Role, title: str, play: Callable[[Stage], None], *, then: str, source: str) -> Case:
    return Case(
        id="",
        role=role,
        title=title,
        given="the switch's own signature, unless it says otherwise",
        when="the message reaches the receiver",
        then=then,
        source=source,
        play=play,
    )


CASES: tuple[Case, ...] = tuple(numbered(_cases(), first=601))
