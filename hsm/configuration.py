"""The settings of the token, read once a process."""

import functools
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from hsm.profile import SOFTHSM, Profile


@dataclass(frozen=True, slots=True)
class Configuration:
    """Which module and token, how to log in, and the keys the bank uses today."""

    module: Path
    token_label: str
    user_pin: str = field(repr=False)
    so_pin: str = field(repr=False)
    signing_key: str
    issuer_key: str
    pin_key: str
    mac_key: str
    # The first signs links; those after it are good for what they signed before a rotation.
    uri_keys: tuple[str, ...]
    # For core banking's host: its MAC key, and ours for which the host wraps that.
    host_mac_key: str
    host_transport_key: str
    # Whether the bank cannot work without the host's MAC key: its money is kept by such a host.
    needs_host_mac: bool
    profile: Profile = SOFTHSM

    @property
    def key_labels(self) -> tuple[str, ...]:
        """Return the labels of the keys that the bank makes for itself and works with."""
        return (
            *(self.signing_key, self.issuer_key, self.pin_key, self.mac_key),
            *self.uri_keys,
        )

    @property
    def needed_labels(self) -> tuple[str, ...]:
        """Return the labels of the keys that must be there for the bank to work."""
        return (*self.key_labels, *([self.host_mac_key] if self.needs_host_mac else ()))

    @property
    def named_labels(self) -> frozenset[str]:
        """Return the labels of all keys that the settings name, needed today or not."""
        return frozenset({*self.key_labels, self.host_mac_key, self.host_transport_key})


@functools.cache
def configuration() -> Configuration:
    """Return the settings of this process. Raises AttributeError if one is not declared."""
    return Configuration(
        module=Path(settings.PKCS11_MODULE),
        token_label=settings.PKCS11_TOKEN_LABEL,
        user_pin=settings.PKCS11_USER_PIN,
        so_pin=settings.PKCS11_SO_PIN,
        signing_key=settings.HSM_SIGNING_KEY,
        issuer_key=settings.HSM_ISSUER_KEY,
        pin_key=settings.HSM_PIN_KEY,
        mac_key=settings.HSM_MAC_KEY,
        uri_keys=tuple(settings.HSM_URI_KEYS),
        host_mac_key=settings.HSM_HOST_MAC_KEY,
        host_transport_key=settings.HSM_HOST_TRANSPORT_KEY,
        needs_host_mac=settings.HSM_HOST_MAC_IS_NEEDED,
    )
