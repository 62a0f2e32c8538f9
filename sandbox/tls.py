"""The switch's end of mutual TLS: whoever it talks with shows a certificate, and so does it."""

import ssl
from pathlib import Path


def of_listener(folder: Path) -> ssl.SSLContext:
    """Return how the switch listens: a client without a certificate of its authority is nobody."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=folder / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    return _shown(context, folder)


def of_caller(folder: Path) -> ssl.SSLContext:
    """Return how the switch calls: it checks the bank's name, and shows its own certificate."""
    return _shown(ssl.create_default_context(cafile=folder / "ca.pem"), folder)


def _shown(context: ssl.SSLContext, folder: Path) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(folder / "switch.pem", folder / "switch.key")
    return context
