"""
What can go wrong between us and the token.

HsmError
├── HsmUnavailableError      the token does not answer; nothing is known about the question
│   └── TokenUnfitError      it holds a wrong key, so we do not ask it
├── KeyMissingError          the token has no key of that label
├── KeyUnfitError            a key has attributes, a size or a twin that it must not have
├── KeyInUseError            the bank works with this key today, so it is not ended
├── WrappedKeyRefusedError   what a counterparty wrapped is not a key for us
├── PinBlockMalformedError   the block does not have the form of a block
└── PinBlockRefusedError     the block cannot be opened, or is bound to other content
"""


class HsmError(Exception):
    """The token, or what we asked of it, is not as it must be."""

    code = "hsm_error"


class HsmUnavailableError(HsmError):
    """The token is away, busy or broken: a technical fault, never an answer."""

    code = "hsm_unavailable"


class TokenUnfitError(HsmUnavailableError):
    """The token holds a key that is not as it must be: nothing is asked of it until that ends."""

    code = "hsm_token_unfit"


class KeyMissingError(HsmError):
    """The token answers, and has no key of that label."""

    code = "hsm_key_missing"


class KeyUnfitError(HsmError):
    """A key could be misused as it stands, so it is not used at all."""

    code = "hsm_key_unfit"


class KeyInUseError(HsmError):
    """The settings name this key: work with another one first."""

    code = "hsm_key_in_use"


class WrappedKeyRefusedError(HsmError):
    """What a counterparty wrapped cannot be opened with our key, or holds no key of the kind."""

    code = "hsm_wrapped_key_refused"


class PinBlockMalformedError(HsmError):
    """A PIN block is missing, cut, padded or not of our profile's form."""

    code = "pin_block_malformed"


class PinBlockRefusedError(HsmError):
    """A well-formed PIN block is not for this key, or not for this message."""

    code = "pin_block_refused"
