"""
Certificates for the bank, the switch and the host on one machine: an authority, and one each.

The authority's key is forgotten at once, so that nobody can issue another certificate of this set.
"""

import datetime as dt
import ipaddress
from collections.abc import Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from apps.common import clock
from deploy.local import environment
from deploy.local.ports import HOST
from sandbox import world

AUTHORITY = "ca.pem"
# File name -> the organisation that the certificate is for.
ORGANISATIONS = {"receiver": world.BANK, "switch": world.SWITCH, "host": world.HOST}
LIFE = dt.timedelta(days=365)
# A set that ends sooner is replaced before anything is started with it.
REST_MIN = dt.timedelta(days=30)
_CLOCK_SKEW = dt.timedelta(minutes=5)


def environment_of(folder: Path) -> dict[str, str]:
    """Return the settings by which the platform's processes find the bank's certificate."""
    return {
        "UPI_TLS_CA": str(folder / AUTHORITY),
        "UPI_TLS_CERTIFICATE": str(folder / "receiver.pem"),
        "UPI_TLS_KEY": str(folder / "receiver.key"),
    }


def make(folder: Path) -> bool:
    """Make the set unless there is one that is valid long enough; return whether it was made."""
    now = clock.now()
    if _is_valid(folder, at=now + REST_MIN):
        return False
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _authority(authority_key, now=now)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    for name, organisation in ORGANISATIONS.items():
        key = ec.generate_private_key(ec.SECP256R1())
        unsigned = (
            _certificate(name, organisation, key, now=now)
            .issuer_name(authority.subject)
            .add_extension(issuer, critical=False)
        )
        _write(folder, name, unsigned.sign(authority_key, hashes.SHA256()), key)
    (folder / AUTHORITY).write_bytes(authority.public_bytes(Encoding.PEM))
    return True


def _is_valid(folder: Path, *, at: dt.datetime) -> bool:
    files = [folder / AUTHORITY, *(folder / f"{name}.pem" for name in ORGANISATIONS)]
    keys = [folder / f"{name}.key" for name in ORGANISATIONS]
    if not all(file.exists() for file in [*files, *keys]):
        return False
    certificates = [x509.load_pem_x509_certificate(file.read_bytes()) for file in files]
    return all(certificate.not_valid_after_utc > at for certificate in certificates)


def _authority(key: ec.EllipticCurvePrivateKey, *, now: dt.datetime) -> x509.Certificate:
    name = _name({NameOID.COMMON_NAME: "UPI sandbox authority"})
    usage = _usage(is_authority=True)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        _lasting(x509.CertificateBuilder(), now=now)
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )


def _certificate(
    name: str, organisation: str, key: ec.EllipticCurvePrivateKey, *, now: dt.datetime
) -> x509.CertificateBuilder:
    """Return a certificate that lacks its issuer: each end is a server and a client."""
    addresses = [x509.IPAddress(ipaddress.ip_address(HOST)), x509.DNSName("localhost")]
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    subject = _name({NameOID.ORGANIZATION_NAME: organisation, NameOID.COMMON_NAME: name})
    return (
        _lasting(x509.CertificateBuilder(), now=now)
        .subject_name(subject)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(is_authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(x509.SubjectAlternativeName(addresses), critical=False)
    )


def _lasting(builder: x509.CertificateBuilder, *, now: dt.datetime) -> x509.CertificateBuilder:
    return (
        builder.serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + LIFE)
    )


def _name(parts: Mapping[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(kind, text) for kind, text in parts.items()])


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


def _write(
    folder: Path, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> None:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    environment.write_private(folder / f"{name}.key", private.decode())
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
