"""Who is at the other end of a connection, by the certificate that he showed."""

import ssl
from itertools import chain

from django.conf import settings
from django.http import HttpRequest

# Under this name gunicorn hands over the connection itself.
_CONNECTION = "gunicorn.socket"


def is_switch(request: HttpRequest) -> bool:
    """
    Say whether the connection is the switch's; anybody's is when the wire is plain HTTP.

    The handshake has checked that the certificate is the authority's; what is left is whose it is.
    """
    if not settings.UPI_TLS_CA:
        return True
    connection = request.META.get(_CONNECTION)
    if not isinstance(connection, ssl.SSLSocket):
        return False
    subject = (connection.getpeercert() or {}).get("subject", ())
    return ("organizationName", settings.UPI_SWITCH_ORG_ID) in chain.from_iterable(subject)
