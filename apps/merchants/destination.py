"""
Where webhooks may go: a public address, looked up once, checked, and connected to as checked.

A merchant's URL is the merchant's to choose, and would otherwise let them call our own network
through us: by odd spellings of 127.0.0.1, by names that lead inside, by names that change.
"""

import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from apps.merchants.errors import ForbiddenDestinationError, HttpsRequiredError, InvalidUrlError

URL_SIGNS_MAX = 2048
ADDRESSES_MAX = 16
_PORTS = frozenset({443, 8443})
_DEFAULT_PORTS = {"https": 443, "http": 80}
_URL = re.compile(r"[!-~]{1,2048}")
# The last label of a public name is never a number; getaddrinfo would read such a "name" as an
# address (2130706433, 0177.0.0.1, 127.1 and 0x7f.1 are all 127.0.0.1).
_NAME = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]"
)
# RFC 6052 and RFC 8215: IPv4 addresses behind a translator, which Python calls global.
_TRANSLATED = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Destination:
    """A URL taken apart, its form checked."""

    is_tls: bool
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """Return what the header Host says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = _DEFAULT_PORTS["https" if self.is_tls else "http"]
        return host if self.port == default else f"{host}:{self.port}"


def read_url(url: str) -> Destination:
    """
    Take a webhook's URL apart.

    Raises InvalidUrlError, HttpsRequiredError, ForbiddenDestinationError.
    """
    parts = _split(url)
    if parts.scheme != "https" and not settings.WEBHOOK_ALLOW_PRIVATE:
        raise HttpsRequiredError(field="url")
    host = (parts.hostname or "").rstrip(".")
    port = parts.port or _DEFAULT_PORTS[parts.scheme]
    if not settings.WEBHOOK_ALLOW_PRIVATE:
        if port not in _PORTS:
            raise InvalidUrlError("A webhook's port is 443 or 8443", field="url")
        _check_host(host)
    query = f"?{parts.query}" if parts.query else ""
    return Destination(
        is_tls=parts.scheme == "https", host=host, port=port, target=f"{parts.path or '/'}{query}"
    )


def look_up(destination: Destination) -> list[Address]:
    """
    Return the addresses of a destination, looked up this once; whoever connects uses these.

    Raises ForbiddenDestinationError if any of them is not public, OSError if there are none.
    """
    found = socket.getaddrinfo(destination.host, destination.port, type=socket.SOCK_STREAM)
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    if not settings.WEBHOOK_ALLOW_PRIVATE and not all(is_public(each) for each in addresses):
        raise ForbiddenDestinationError(field="url")
    return addresses[:ADDRESSES_MAX]


def is_public(address: Address) -> bool:
    """Return whether an address is on the internet and nowhere else."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        is_tunnel = address.sixtofour is not None or address.teredo is not None
        if is_tunnel or any(address in network for network in _TRANSLATED):
            return False
    return address.is_global and not address.is_multicast


def _split(url: str) -> SplitResult:
    if not _URL.fullmatch(url):
        raise InvalidUrlError(field="url")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise InvalidUrlError(field="url") from error
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise InvalidUrlError(field="url")
    if "@" in parts.netloc or "#" in url or "\\" in url:
        raise InvalidUrlError(field="url")
    return parts


def _check_host(host: str) -> None:
    """Refuse what can be seen to be private without asking anybody."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if not _NAME.fullmatch(host):
            raise ForbiddenDestinationError(field="url") from None
        return
    if not is_public(address):
        raise ForbiddenDestinationError(field="url")
