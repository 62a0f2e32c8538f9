"""The switch's credential room: opens a phone's block, checks it, and makes one for the issuer."""

import contextlib

from sandbox import codec, credentials, world
from sandbox.credentials import BlockRefusedError, IssuerBinding, Opened
from sandbox.keys import KeyFiles, KeyMissingError
from sandbox.payment import Payment


class MismatchError(Exception):
    """The block is not one of this message or of this device; the code says which."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Translator:
    """Turns device blocks into issuer blocks. The secret lives inside one call."""

    def __init__(self, keys: KeyFiles) -> None:
        self._keys = keys

    def for_debit(self, payment: Payment) -> tuple[str, str]:
        """
        Return the issuer's block and key index for a payment's debit.

        Raises MismatchError.
        """
        binding = IssuerBinding(
            "ReqPay",
            "DEBIT",
            payment.transaction_id,
            payment.amount,
            payment.payer_address,
            payment.payee_address,
        )
        return self.translate(payment.credential, binding=binding, payer=payment.payer)

    def translate(
        self, block: str, *, binding: IssuerBinding, payer: codec.Element
    ) -> tuple[str, str]:
        """
        Return the issuer's block and key index for a block that came with this payer.

        Raises MismatchError: U14 (not for this switch), U54 (another payment), U66 (another
        device), U28 (an issuer that cannot be reached).
        """
        account = codec.account_detail(payer, "ACNUM")
        issuer = world.member_of_ifsc(codec.account_detail(payer, "IFSC"))
        if issuer is None:
            raise MismatchError("U28")
        device = tuple(codec.device_tag(payer, name) for name in ("MOBILE", "ID", "APP"))
        try:
            issuer_key = self._keys.issuer_key(issuer.org_id)
        except KeyMissingError as error:
            raise MismatchError("U28") from error
        opened = self._opened(block)
        _check(opened, binding, device)
        made = credentials.make_issuer_block(
            opened.secret,
            binding=binding,
            bank_code=issuer.bank_code,
            account=account,
            issuer_key=issuer_key,
        )
        return made, issuer.issuer_key_index

    def _opened(self, block: str) -> Opened:
        for key in self._keys.credential.accepted():
            with contextlib.suppress(BlockRefusedError):
                return credentials.open_device_block(block, key.private)
        raise MismatchError("U14")


def _check(opened: Opened, binding: IssuerBinding, device: tuple[str, ...]) -> None:
    shown = opened.binding
    if (shown.transaction_id, shown.amount) != (binding.transaction_id, binding.amount):
        raise MismatchError("U54")
    if (shown.payer.lower(), shown.payee.lower()) != (binding.payer.lower(), binding.payee.lower()):
        raise MismatchError("U54")
    if (shown.mobile, shown.device_id, shown.app_id) != device:
        raise MismatchError("U66")
