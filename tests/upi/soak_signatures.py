"""
Our signatures against those of xmlsec1, Debian's program, over messages made by chance.

It verifies what we signed and refuses each with one byte changed; we do the same to what it signed.
"""

import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import hypothesis
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from hypothesis import HealthCheck, Phase

from apps.upi import codec, gate, signature
from apps.upi.errors import RefusedError
from hsm import signing
from tests.upi import every_message, wire

SEED = 20261122
BATCH = 50
PROGRAM = "/usr/bin/xmlsec1"
LETTERS = b"abcdefghijklmnopqrstuvwxyz0123456789"
ALGORITHMS = {
    "CanonicalizationMethod": "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
    "SignatureMethod": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "Transform": "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
    "DigestMethod": "http://www.w3.org/2001/04/xmlenc#sha256",
}
# Empty where xmlsec1 fills in what it finds.
TEMPLATE = (
    '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo>'
    '<CanonicalizationMethod Algorithm="{CanonicalizationMethod}"/>'
    '<SignatureMethod Algorithm="{SignatureMethod}"/><Reference URI=""><Transforms>'
    '<Transform Algorithm="{Transform}"/></Transforms><DigestMethod Algorithm="{DigestMethod}"/>'
    "<DigestValue/></Reference></SignedInfo><SignatureValue/>"
    "<KeyInfo><KeyValue/></KeyInfo></Signature>"
).format(**ALGORITHMS)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many messages of each signer were verified as they must be, and refused when changed."""

    ours_verified: int
    ours_refused: int
    theirs_verified: int
    theirs_refused: int


def bodies(count: int, *, seed: int) -> list[bytes]:
    """Return canonical messages of every kind, made by chance from a seed."""
    made: list[bytes] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(every_message.messages)
    def make(message):
        made.append(codec.encode(message))

    make()
    return made


def changed(signed: bytes, chance: random.Random) -> bytes:
    """
    Change one byte of what is signed, or of the signature itself.

    The new byte is a letter that the old one is not in either case: in a reference such as &#xD;
    the case says nothing. The last signs of a base64 text may say nothing either.
    """
    begin = signed.rindex(b"<Signature ")
    digest = signed.index(b"<DigestValue>", begin) + len(b"<DigestValue>")
    value = signed.index(b"<SignatureValue>", begin) + len(b"<SignatureValue>")
    at = chance.choices(
        [chance.randrange(begin), digest + chance.randrange(40), value + chance.randrange(300)],
        weights=[8, 1, 1],
    )[0]
    if signed[at : at + 1].isspace() and at > begin:
        at += 1
    others = bytes(letter for letter in LETTERS if letter not in signed[at : at + 1].lower())
    return signed[:at] + bytes([chance.choice(others)]) + signed[at + 1 :]


class Program:
    """xmlsec1, with one key of ours and one of its own, in a folder of its own."""

    def __init__(self, folder: Path, *, own_pem: bytes, private_pem: bytes) -> None:
        self._folder = folder
        (folder / "ours.pem").write_bytes(own_pem)
        (folder / "theirs.pem").write_bytes(private_pem)

    def verifies(self, name: str, body: bytes) -> bool:
        """Tell whether it finds our signature good."""
        (self._folder / name).write_bytes(body)
        return self._run("--verify", "--pubkey-pem", "ours.pem", name).returncode == 0

    def sign(self, name: str, body: bytes) -> bytes:
        """Return a message with its signature."""
        end = body.rindex(b"</")
        (self._folder / name).write_bytes(body[:end] + TEMPLATE.encode() + body[end:])
        signed = self._run("--sign", "--privkey-pem", "theirs.pem", name)
        assert signed.returncode == 0, signed.stderr
        return signed.stdout

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [PROGRAM, *arguments], cwd=self._folder, capture_output=True, check=False, timeout=60
        )


def run(count: int, *, seed: int = SEED) -> Tally:
    """Try as many messages as told, each four times. Raises AssertionError at the first wrong."""
    key = wire.new_key()
    own = wire.public_pem(signing.public_key(settings.HSM_SIGNING_KEY))
    messages = bodies(count, seed=seed)
    ours = [signed for batch in _batches(messages) for signed in signature.sign_many(batch)]
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        program = Program(Path(folder), own_pem=own, private_pem=wire.private_pem(key))
        names = [f"{number}.xml" for number in range(len(messages))]
        damaged = [changed(body, chance) for body in ours]
        _all(pool.map(program.verifies, names, ours), expected=True, of=ours)
        _all(pool.map(program.verifies, names, damaged), expected=False, of=damaged)
        theirs = list(pool.map(program.sign, names, messages))
    damaged = [changed(body, chance) for body in theirs]
    we = _verifier(key.public_key())
    _all(map(we, theirs), expected=True, of=theirs)
    _all(map(we, damaged), expected=False, of=damaged)
    return Tally(len(ours), len(ours), len(theirs), len(theirs))


def main(count: int) -> None:
    """Run outside the tests, beside a token: `python -m tests.upi.soak_signatures 1000`."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "upi_platform.settings.test")
    print(run(count))


def _batches(messages: Sequence[bytes]) -> Iterable[Sequence[bytes]]:
    return (messages[begin : begin + BATCH] for begin in range(0, len(messages), BATCH))


def _all(verdicts: Iterable[bool], *, expected: bool, of: Sequence[bytes]) -> None:
    for verdict, body in zip(verdicts, of, strict=True):
        assert verdict is expected, body


def _verifier(key: rsa.RSAPublicKey) -> Callable[[bytes], bool]:
    def verifies(body: bytes) -> bool:
        try:
            signature.verify(gate.parse(body), [key])
        except RefusedError:
            return False
        return True

    return verifies


if __name__ == "__main__":
    main(int(sys.argv[1]))
