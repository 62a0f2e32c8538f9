"""Two thousand damaged messages: each gets an Ack, none an error of ours, none an effect."""

import random

import pytest

from apps.upi.models import Exchange, MessageLog
from tests.upi import routes, wire

INPUTS = 2000
SEED = 20261122
TOKENS = [
    b"<", b">", b"&", b'"', b"'", b"/>", b"<!", b"<?", b"]]>", b"&#0;", b"&#xD800;", b"&lt;", b"\0",
    b"\xff", b"\xed\xa0\x80", b"\xf0\x9f\x92\xb8", b"xmlns=''", b"xmlns:upi='urn:x'", b" Id='1'",
    b"</Head>", b"<Head>", b"<Txn/>", b"<Signature/>", b"</upi:ReqPay>", b"2.0|", b"-1.00", b"1e9",
    "١".encode(), b"\r\n", b"\t", b" ", b"",
]  # fmt: skip


def damage(body: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(body)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(damaged) or 1)
        until = min(len(damaged), at + chance.choice([0, 1, 1, 4, 40, 400]))
        match chance.randrange(4):
            case 0:
                damaged[at:until] = chance.choice(TOKENS)
            case 1:
                damaged[at:until] = bytes(chance.randrange(256) for _ in range(until - at))
            case 2:
                damaged[at:at] = damaged[at:until]
            case _:
                del damaged[at:until]
    return bytes(damaged)


@pytest.mark.parametrize("is_signed", [False, True], ids=["damaged", "damaged, then signed"])
def test_damaged_messages_are_acked_or_refused_but_never_an_error(door, is_signed, settings):
    settings.MESSAGING_CHECK_EVENTS = False
    chance = random.Random(SEED)
    names = sorted(wire.INBOUND)
    statuses, accepted = set(), 0

    for _ in range(INPUTS // 2):
        root = wire.fresh(chance.choice(names))
        if is_signed:
            edit_at_random(root, chance)
            body = wire.sign(root, door.key)
        else:
            body = damage(wire.sign(root, door.key), chance)
        answered = door.post(body, path=_path(root))
        statuses.add(answered.status)
        accepted += answered.err == ""

    assert statuses == {200}
    assert len(routes.received) <= accepted
    assert Exchange.objects.count() == accepted
    assert MessageLog.objects.filter(direction="IN").count() == INPUTS // 2


def _path(root) -> str:
    api = root.tag.rpartition("}")[2]
    head, txn = root.find("Head"), root.find("Txn")
    version = head.get("ver", "2.0") if head is not None else "2.0"
    txn_id = txn.get("id", "x") if txn is not None else "x"
    return f"/upi/{api}/{version or 'x'}/urn:txnid:{txn_id or 'x'}"


VALUES = ["", " ", "0", "-1", "1e9", "A" * 300, "é", "٣", "\u202e", "2099-99-99T00:00:00Z", "NPCI"]


def edit_at_random(root, chance: random.Random) -> None:
    """Change a validly signed message where a careless peer might."""
    elements = [element for element in root.iter() if element is not root]
    element = chance.choice(elements)
    match chance.randrange(4):
        case 0 if element.attrib:
            element.set(chance.choice(sorted(element.attrib)), chance.choice(VALUES))
        case 1 if element.attrib:
            del element.attrib[chance.choice(sorted(element.attrib))]
        case 2:
            element.getparent().remove(element)
        case _:
            element.text = chance.choice(VALUES)
