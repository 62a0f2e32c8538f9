"""Sign links as the PSP of the payee."""

from dataclasses import replace

from django.conf import settings

from apps.upi.links import uri
from apps.upi.links.intent import Intent
from hsm import uri_signing


def sign_link(intent: Intent) -> str:
    """
    Return the link with our signature (upi-protocol 6.3); we vouch for the payee's name in it.

    Raises hsm.errors.HsmError.
    """
    assert intent.payee.handle in settings.UPI_HANDLES, "we sign for addresses of ours"
    text = uri.write(replace(intent, signer=settings.UPI_ORG_ID))
    return uri.with_signature(text, uri_signing.sign(settings.HSM_URI_KEYS[0], text.encode()))
