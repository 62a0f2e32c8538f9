"""The PIN page on a phone of another bank's customer: it makes the credential of a payment."""

from sandbox import codec, credentials, world
from sandbox.codec import element
from sandbox.own_keys import OwnKey


def pin_credentials(
    payer: codec.Element,
    *,
    transaction_id: str,
    amount: str,
    payee: str,
    pin: str,
    switch_key: OwnKey,
) -> codec.Element:
    """Return the Creds with a PIN that is tied to what this payer saw, and to his phone."""
    binding = credentials.DeviceBinding(
        transaction_id=transaction_id,
        amount=amount,
        payer=payer.get("addr", ""),
        payee=payee,
        mobile=codec.device_tag(payer, "MOBILE"),
        device_id=codec.device_tag(payer, "ID"),
        app_id=codec.device_tag(payer, "APP"),
    )
    data = element("Data", {"code": world.SWITCH, "ki": switch_key.key_index})
    data.text = credentials.make_device_block(
        pin, sub_type="MPIN", binding=binding, switch_key=switch_key.public
    )
    return element("Creds", None, element("Cred", {"type": "PIN", "subType": "MPIN"}, data))


def entered(pin: str, *, is_wrong: bool) -> str:
    """Return the digits that the customer types: his PIN, or surely another."""
    if not is_wrong:
        return pin
    return "0" * len(pin) if pin != "0" * len(pin) else "1" * len(pin)
