"""
Damaged messages without end for the receiver: each gets an Ack, none an error of ours.

`run` posts them wherever it is told to. `main` runs the test that counts the rows beside it, with
as many inputs as told: `python -m tests.upi.soak_fuzz 100000`, beside the servers of the tests.
"""

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from deploy.local import postgres
from tests.upi import wire

SEED = 20261122
INPUTS_VARIABLE = "UPI_FUZZ_INPUTS"
FIRST_VARIABLE = "UPI_FUZZ_FIRST"
TOKENS = [
    b"<", b">", b"&", b'"', b"'", b"/>", b"<!", b"<?", b"]]>", b"&#0;", b"&#xD800;", b"&lt;", b"\0",
    b"\xff", b"\xed\xa0\x80", b"\xf0\x9f\x92\xb8", b"xmlns=''", b"xmlns:upi='urn:x'", b" Id='1'",
    b"</Head>", b"<Head>", b"<Txn/>", b"<Signature/>", b"</upi:ReqPay>", b"2.0|", b"-1.00", b"1e9",
    "١".encode(), b"\r\n", b"\t", b" ", b"",
]  # fmt: skip
VALUES = ["", " ", "0", "-1", "1e9", "A" * 300, "é", "٣", "\u202e", "2099-99-99T00:00:00Z", "NPCI",
          "Y", "MANDATE", "31022026", "UPI-Mandate"]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Input:
    """What is posted, and where."""

    path: str
    body: bytes


@dataclass(slots=True)
class Tally:
    """How many inputs were accepted and refused."""

    accepted: int = 0
    refused: int = 0


def inputs(count: int, *, key: rsa.RSAPrivateKey, seed: int = SEED) -> Iterator[Input]:
    """Yield messages of every kind that chance has damaged: in turn signed, unsigned and signed."""
    chance = random.Random(seed)
    names = wire.unsigned_vectors()
    for number in range(count):
        root = wire.fresh(chance.choice(names))
        if number % 2:
            edit_at_random(root, chance)
            body = wire.sign(root, key)
        else:
            body = damage(wire.sign(root, key), chance)
        yield Input(_path(root), body)


def run(
    count: int,
    *,
    key: rsa.RSAPrivateKey,
    post: Callable[[str, bytes], tuple[int, str]],
    seed: int = SEED,
) -> Tally:
    """
    Post damaged messages; `post` returns the HTTP status and the code of the Ack.

    Raises AssertionError with the input for any status but 200.
    """
    tally = Tally()
    for each in inputs(count, key=key, seed=seed):
        status, err = post(each.path, each.body)
        assert status == 200, (status, each)
        if err:
            tally.refused += 1
        else:
            tally.accepted += 1
    return tally


def damage(body: bytes, chance: random.Random) -> bytes:
    """Cut, repeat, overwrite and insert where a broken line or a liar might."""
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


def edit_at_random(root: etree._Element, chance: random.Random) -> None:
    """Change a message that is validly signed afterwards, where a careless peer might."""
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


def main(count: int) -> int:
    """Run the test with as many inputs as told, a part on each core; return the worst verdict."""
    lanes = os.cpu_count() or 1
    share = -(-count // lanes)
    parts = [
        _start(lane, min(share, count - lane * share), first=lane * share)
        for lane in range(lanes)
        if lane * share < count
    ]
    return max(abs(part.wait()) for part in parts)


def _start(lane: int, count: int, *, first: int) -> "subprocess.Popen[bytes]":
    """Start a pytest of its own, on a database of its own."""
    names = ("DATABASE_URL", "DATABASE_OWNER_URL")
    changes = {name: postgres.at_database(os.environ[name], f"fuzz_{lane}") for name in names}
    changes |= {INPUTS_VARIABLE: str(count), FIRST_VARIABLE: str(first)}
    # Without the capture of logs, which would keep a line for each input in memory.
    options = ["-q", "-p", "no:logging", "-o", "timeout=0"]
    command = [sys.executable, "-m", "pytest", *options, "tests/upi/test_fuzz.py"]
    return subprocess.Popen(command, env={**os.environ, **changes})


def _path(root: etree._Element) -> str:
    api = root.tag.rpartition("}")[2]
    head, txn = root.find("Head"), root.find("Txn")
    version = head.get("ver", "2.0") if head is not None else "2.0"
    txn_id = txn.get("id", "x") if txn is not None else "x"
    return f"/upi/{api}/{quote(version or 'x')}/urn:txnid:{quote(txn_id or 'x')}"


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
