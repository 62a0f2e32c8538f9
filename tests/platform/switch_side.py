"""The switch's side of the running receiver: its certificate, its signing key, and what it left."""

import json
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree

from apps.ledger.models import Transfer
from apps.messaging.models import OutboxEvent
from apps.payments.models import LegKey, Transaction
from apps.upi.models import Exchange, ExchangeRepeat, MessageLog, PinBlock
from deploy.local.platform import Platform
from tests.upi import wire
from tests.upi.hostile import Post


def proof(folder: Path, name: str = "", *, authority: Path | None = None) -> ssl.SSLContext:
    """Return how a client speaks TLS that trusts a folder's authority and shows a certificate."""
    context = ssl.create_default_context(cafile=(authority or folder) / "ca.pem")
    if name:
        context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return context


@dataclass
class SwitchSide:
    """POSTs to the receiver as the switch does: over mutual TLS, signed by its key."""

    certificates: Path
    port: int
    key: rsa.RSAPrivateKey = field(repr=False)
    client: httpx.Client = field(repr=False)

    @classmethod
    def of(cls, platform: Platform) -> Self:
        root = platform.directory.root
        pem = (root / "switch" / "NPCI.signing.private.pem").read_bytes()
        key = load_pem_private_key(pem, password=None)
        assert isinstance(key, rsa.RSAPrivateKey)
        port = json.loads((root / "ports.json").read_text())["receiver"]
        context = proof(root / "tls", "switch")
        client = httpx.Client(verify=context, timeout=60, base_url=f"https://127.0.0.1:{port}")
        return cls(root / "tls", port, key, client)

    def send(self, root: etree._Element) -> etree._Element:
        """Sign and post a message, and return its Ack."""
        body = wire.sign(root, self.key)
        return self.post(Post(wire.path_of(body), body))

    def post(self, post: Post) -> etree._Element:
        """Post bytes and return the Ack, which every verdict is."""
        headers = {"Content-Type": "application/xml"}
        response = self.client.post(post.path, content=post.body, headers=headers)
        assert response.status_code == 200
        return etree.fromstring(response.content)


def verdicts(txn_id: str) -> list[tuple[str, str]]:
    """Return how each message about a transaction was taken, in the order of time."""
    entries = MessageLog.objects.filter(txn_id=txn_id, direction="IN").order_by("pk")
    return [(entry.outcome, entry.ack_code) for entry in entries]


def security_events(txn_id: str) -> list[tuple[str, str]]:
    """Return the code and the owner of each security event about a transaction."""
    events = OutboxEvent.objects.filter(type="upi.security.refused", subject=txn_id)
    return [(event.data["ack_code"], event.data["owner"]) for event in events.order_by("sequence")]


def traces(txn_id: str) -> dict[str, int]:
    """Return what a transaction left beyond the log and the events; what is nowhere is left out."""
    found = {
        "exchange": Exchange.objects.filter(txn_id=txn_id).count(),
        "repeat": ExchangeRepeat.objects.filter(exchange__txn_id=txn_id).count(),
        "transaction": Transaction.objects.filter(pk=txn_id).count(),
        "leg": LegKey.objects.filter(transaction_id=txn_id).count(),
    }
    return {name: count for name, count in found.items() if count}


def money() -> tuple[int, int]:
    """Return how many transfers there are, and how many PIN blocks are held."""
    return Transfer.objects.count(), PinBlock.objects.count()
