"""
What bare RSA operations cost: by the token to sign and unwrap, in memory to verify.

Run as `python -m tests.benchmarks.rsa SECONDS OPERATION:TIMES…`, so that each process has a core of
its own; `measure` starts them. Nothing but the operation is in the loop: no XML, no database.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from pkcs11 import KeyType, Mechanism, MechanismFlag, ObjectClass

from hsm import keys, signing
from hsm.configuration import configuration
from hsm.sessions import pool

ROOT = Path(__file__).resolve().parents[2]
CORES = os.cpu_count() or 1
# As long as the SignedInfo of a message.
SIGNED_BYTES = 700


@dataclass(frozen=True)
class Cost:
    """How often a second all cores do a mix of operations, and what one mix takes of one core."""

    per_second: float
    cpu_ms: float


def measure(environment: Mapping[str, str], mix: Mapping[str, float], *, seconds: float) -> Cost:
    """Do a mix of operations again and again on every core, with the platform's own token."""
    words = [f"{name}:{times}" for name, times in mix.items()]
    command = [sys.executable, "-m", "tests.benchmarks.rsa", str(seconds), *words]
    values = {**os.environ, **environment}
    started = [
        subprocess.Popen(command, env=values, cwd=ROOT, stdout=subprocess.PIPE)
        for _ in range(CORES)
    ]
    told = []
    for process in started:
        output, _ = process.communicate()
        assert process.returncode == 0, "the raw operations failed"
        told.append(json.loads(output))
    done = sum(each["rounds"] for each in told)
    return Cost(
        per_second=sum(each["rounds"] / each["seconds"] for each in told),
        cpu_ms=sum(each["cpu_seconds"] for each in told) / done * 1000,
    )


def operations() -> Mapping[str, Callable[[Any], None]]:
    """Return each operation, given a session of the token."""
    chosen = configuration()
    profile = chosen.profile
    data = bytes(SIGNED_BYTES)
    signature = signing.sign(chosen.signing_key, data)
    public = signing.public_key(chosen.signing_key)
    oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)
    wrapped = signing.public_key(chosen.issuer_key).encrypt(bytes(32), oaep)

    def sign(session: Any) -> None:
        session.key(chosen.signing_key, keys.SIGNING).sign(data, mechanism=profile.signature)

    def unwrap(session: Any) -> None:
        session.key(chosen.issuer_key, keys.ISSUER).unwrap_key(
            ObjectClass.SECRET_KEY,
            KeyType.AES,
            wrapped,
            mechanism=Mechanism.RSA_PKCS_OAEP,
            mechanism_param=(profile.oaep_hash, profile.oaep_mask, None),
            capabilities=MechanismFlag.UNWRAP | MechanismFlag.VERIFY,
        ).destroy()

    def verify(_session: Any) -> None:
        public.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())

    return {"sign": sign, "unwrap": unwrap, "verify": verify}


def main() -> None:
    """Do the mix for so long, and print how often and what it took."""
    django.setup()
    seconds = float(sys.argv[1])
    known = operations()
    mix = [(known[name], float(times)) for name, _, times in map(_cut, sys.argv[2:])]
    owed = [0.0] * len(mix)

    def work(session: Any) -> tuple[int, float, float]:
        rounds, begun, cpu = 0, time.perf_counter(), time.process_time()
        while time.perf_counter() < begun + seconds:
            for place, (operate, times) in enumerate(mix):
                # A mix may hold 5.02 of something: the rest is carried over.
                owed[place] += times
                while owed[place] >= 1:
                    operate(session)
                    owed[place] -= 1
            rounds += 1
        return rounds, time.perf_counter() - begun, time.process_time() - cpu

    rounds, spent, cpu_seconds = pool.run(work)
    print(json.dumps({"rounds": rounds, "seconds": spent, "cpu_seconds": cpu_seconds}))


def _cut(word: str) -> tuple[str, str, str]:
    return word.partition(":")


if __name__ == "__main__":
    main()
