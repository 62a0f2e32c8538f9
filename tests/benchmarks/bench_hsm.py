# ruff: noqa: E402 - Django is set up before its settings are read
"""
Measure PINs and signed messages against the bare RSA operation inside each.

The unwrap is the floor of a verification: what is above it is the MAC, two AES wraps, three
objects, and Python. The token's signature is the floor of a signed message: above it are a digest
and some text. All have the same number of threads; rounds alternate, and the medians count.
"""

import base64
import os
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "upi_platform.settings.test")

import django

django.setup()

from pkcs11 import KeyType, Mechanism, MechanismFlag, ObjectClass

from apps.upi import signature
from hsm import ceremony, keys, pin, signing
from hsm.configuration import configuration
from hsm.pin import PinBinding
from hsm.sessions import pool
from tests.benchmarks import conditions
from tests.benchmarks.report import Row, report
from tests.hsm import credentials
from tests.upi import wire

CALLS = conditions.count(1500, quick=300)
ROUNDS = 3
CORES = os.cpu_count() or 1
THREADS = (1, CORES)
BINDING = PinBinding("ReqPay", "DEBIT", "EXB" + "a" * 32, "149.50", "asha@exbank", "ravi@smplbank")
OWNER = {"bank_code": "EXB", "account": "50100012345678"}


def per_second(work, *, threads):
    begun = time.perf_counter()
    if threads == 1:
        for _ in range(CALLS):
            work()
    else:
        with ThreadPoolExecutor(threads) as executor:
            list(executor.map(lambda _: work(), range(CALLS)))
    return CALLS / (time.perf_counter() - begun)


def unwrap(wrapped):
    profile = configuration().profile

    def work(session):
        session.key(configuration().issuer_key, keys.ISSUER).unwrap_key(
            ObjectClass.SECRET_KEY,
            KeyType.AES,
            wrapped,
            mechanism=Mechanism.RSA_PKCS_OAEP,
            mechanism_param=(profile.oaep_hash, profile.oaep_mask, None),
            capabilities=MechanismFlag.UNWRAP | MechanismFlag.VERIFY,
        ).destroy()

    pool.run(work)


def medians(contenders):
    """Return the median rate of each, by name and threads."""
    rates = {(name, threads): [] for name in contenders for threads in THREADS}
    for _ in range(ROUNDS):
        for (name, threads), measured in rates.items():
            measured.append(per_second(contenders[name], threads=threads))
    return {key: statistics.median(measured) for key, measured in rates.items()}


def main():
    ceremony.init_token()
    for label in configuration().key_labels:
        ceremony.create_key(label)
    issuer_key = configuration().issuer_key
    where = {"key_index": issuer_key.removeprefix("issuer-"), "binding": BINDING, **OWNER}
    content = BINDING.text().decode()
    block = credentials.text(
        credentials.parts(signing.public_pem(issuer_key), "428761", content, **OWNER)
    )
    wrapped = base64.b64decode(block)[2 : 2 + keys.RSA_BITS // 8]
    verifier = pin.make_verifier(block, **where)
    message = wire.vector("06_RespPay_DEBIT")

    rates = medians(
        {
            "unwrap": lambda: unwrap(wrapped),
            "verify": lambda: pin.verify(block, verifier=verifier, **where),
            "sign": lambda: signing.sign(configuration().signing_key, bytes(700)),
            "message": lambda: signature.sign(message),
        }
    )

    rows = []
    for threads, suffix in ((CORES, ""), (1, "_one_thread")):
        verified, unwrapped = rates["verify", threads], rates["unwrap", threads]
        rows.append(Row(f"pin_verify{suffix}", verified, "/s", unwrapped))
        signed, bare = rates["message", threads], rates["sign", threads]
        rows.append(Row(f"signatures{suffix}", signed, "/s", bare))
    report(
        f"PINs against the bare unwrap, messages against the bare signature, {CORES} threads", rows
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
