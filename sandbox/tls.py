"""The sandbox's end of mutual TLS: whoever it talks with shows a certificate, and so does it."""

import ssl
from pathlib import Path


def of_listener(folder: Path, *, name: str = "switch") -> ssl.SSLContext:
    """Return how one listens: a client without a certificate of the authority is nobody."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=folder / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    return _shown(context, folder, name)


def of_caller(folder: Path) -> ssl.SSLContext:
    """Return how the switch calls: it checks the bank's name, and shows its own certificate."""
    return _shown(ssl.create_default_context(cafile=folder / "ca.pem"), folder, "switch")


def _shown(context: ssl.SSLContext, folder: Path, name: str) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return context
