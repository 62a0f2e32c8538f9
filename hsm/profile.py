"""What one vendor's PKCS#11 module can do, and by which numbers; modules differ."""

from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from pkcs11 import MGF, Mechanism

_HASHES: dict[Mechanism, hashes.HashAlgorithm] = {
    Mechanism.SHA_1: hashes.SHA1(),  # noqa: S303
    Mechanism.SHA256: hashes.SHA256(),
}


@dataclass(frozen=True, slots=True)
class Profile:
    """The mechanisms and limits of one make of module."""

    name: str
    signature: Mechanism
    # By an EC key, over a digest that was made outside.
    digest_signature: Mechanism
    mac: Mechanism
    block_mac: Mechanism
    key_wrap: Mechanism
    # SHA-256 where the module can; both ends of a block must agree on it.
    oaep_hash: Mechanism
    oaep_mask: MGF
    # Whether a private wrapping key can be marked trusted, so that nothing else wraps a PIN.
    marks_private_keys_trusted: bool
    sessions_max: int
    # Calls made at once for one batch: C calls release the interpreter lock.
    threads: int

    def oaep(self) -> padding.OAEP:
        """Return the padding as who encrypts outside the token must use it."""
        digest = _HASHES[self.oaep_hash]
        return padding.OAEP(padding.MGF1(digest), digest, label=None)

    def oaep_parameters(self) -> tuple[Mechanism, MGF, None]:
        """Return the same for the token."""
        return self.oaep_hash, self.oaep_mask, None


# Tried on SoftHSM 2.6.1. It knows OAEP with SHA-1 only (there OAEP needs no collision resistance),
# has no ECDSA that digests by itself, and keeps trusted keys in clear. Threads beyond the two cores
# of a small machine gain nothing.
SOFTHSM = Profile(
    name="SoftHSM v2",
    signature=Mechanism.SHA256_RSA_PKCS,
    digest_signature=Mechanism.ECDSA,
    mac=Mechanism.SHA256_HMAC,
    block_mac=Mechanism.AES_CMAC,
    key_wrap=Mechanism.AES_KEY_WRAP,
    oaep_hash=Mechanism.SHA_1,
    oaep_mask=MGF.SHA1,
    marks_private_keys_trusted=False,
    sessions_max=32,
    threads=2,
)
