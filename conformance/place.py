"""Where the platform and the sandbox are, and the sandbox's control door."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox import keys, world

TIMEOUT_SECONDS = 90.0
# How long a word may take to arrive: a loaded machine is slow.
ARRIVAL_SECONDS = 45.0
_LOOK_SECONDS = 0.1
_WAIT_SECONDS_MAX = 55


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """
    Everything that a run needs to know of its surroundings.

    `phones` is the folder of the seed (`load.jsonl`, `merchant.json`), `keys` the folder in which
    public keys are exchanged; `platform_scale` is told, for the platform does not say it. Customers
    before `first_customer` are left alone: others have paid with them today.
    """

    public_url: str
    control_url: str
    phones: Path
    keys: Path
    platform_scale: float
    first_customer: int = 0

    def switch_key(self) -> rsa.RSAPublicKey:
        """Return the key to which phones encrypt credentials."""
        return self._key(world.SWITCH)

    def issuer_key(self) -> rsa.RSAPublicKey:
        """Return the key to which the switch encrypts credentials for the bank."""
        return self._key(world.BANK)

    def customers(self) -> list[dict[str, str]]:
        """Return the facts of the seed's crowd, one a customer."""
        lines = (self.phones / "load.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines[self.first_customer :]]

    def shop(self) -> dict[str, str]:
        """Return the facts of the seed's merchant."""
        facts: dict[str, str] = json.loads((self.phones / "merchant.json").read_text("utf-8"))
        return facts

    def _key(self, org_id: str) -> rsa.RSAPublicKey:
        return keys.load_public((self.keys / f"{org_id}.credential.pem").read_bytes())


@dataclass(frozen=True, slots=True)
class Control:
    """The sandbox's control door, for one thread."""

    url: str
    client: httpx.Client = field(repr=False)

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Call the door. Raises httpx.HTTPStatusError on a refusal."""
        response = self.client.request(method, self.url + path, json=body)
        response.raise_for_status()
        answer: dict[str, Any] = response.json() if response.content else {}
        return answer

    def scale(self) -> float:
        """Return the factor on the switch's time limits."""
        return float(self.call("GET", "/timers")["scale"])

    def fault(self, action: str, direction: str, transaction_id: str, **more: Any) -> None:
        """Order a fault for one message of a transaction and of its reversals and checks."""
        match = {"direction": direction, "txn_id": transaction_id}
        match |= {name: more.pop(name) for name in ("api", "type", "sub_type") if name in more}
        self.call("POST", "/faults", {"match": match, "action": action, **more})

    def payment(self, transaction_id: str) -> dict[str, Any] | None:
        """Return a payment as the switch ended it; None if it does not come to the switch."""
        deadline = time.monotonic() + ARRIVAL_SECONDS
        while True:
            path = f"/payments/{transaction_id}?wait={_WAIT_SECONDS_MAX}"
            response = self.client.get(self.url + path)
            if response.status_code == httpx.codes.NOT_FOUND:
                if time.monotonic() > deadline:
                    return None
                time.sleep(_LOOK_SECONDS)
                continue
            response.raise_for_status()
            shown: dict[str, Any] = response.json()
            if shown["status"] != "PENDING":
                return shown

    def journal(self, transaction_id: str) -> dict[str, Any]:
        """Return what the switch wrote down of a transaction."""
        return self.call("GET", f"/journal?txn_id={transaction_id}")

    def send(self, xml: str, **more: Any) -> dict[str, Any]:
        """Let the switch send a document; return HTTP status, Ack and answer."""
        return self.call("POST", "/messages", {"xml": xml, **more})


def wait_until(question: Callable[[], bool], *, seconds: float) -> bool:
    """Return whether a question was answered with yes in time."""
    deadline = time.monotonic() + seconds
    while not question():
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_SECONDS)
    return True
