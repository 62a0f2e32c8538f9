"""What the meta messages tell of other banks' customers: who an address is, which accounts."""

from sandbox import codec, parties, world
from sandbox.codec import element

_DIGITS_SHOWN = 4
_CREDENTIALS = (("PIN", "MPIN"), ("OTP", "SMS"))


def describe(response: codec.Element, person: world.Person) -> None:
    """Write into a Resp who is behind an address."""
    bank = world.organisation(person.org_id)
    for name, value in (
        ("maskName", person.name),
        ("code", person.category_code),
        ("type", parties.party_type(person)),
        ("IFSC", bank.ifsc),
        ("IIN", ""),
        ("pType", "UPIMANDATE"),
        ("accType", person.account_type),
    ):
        response.set(name, value)
    if person.is_merchant:
        response.append(parties.merchant(person))
    response.append(element("FeatureSupported", {"value": "01"}))


def accounts_of(mobile: str, bank: world.Organisation) -> codec.Element | None:
    """List the accounts of a mobile number at a bank; None if there are none."""
    found = [
        _account(person, bank)
        for person in world.PEOPLE
        if person.mobile == mobile and person.org_id == bank.org_id
    ]
    return element("AccountList", None, *found) if found else None


def _account(person: world.Person, bank: world.Organisation) -> codec.Element:
    number = person.account_number
    values = {
        "accType": person.account_type,
        "accRefNumber": number,
        "maskedAccnumber": number[-_DIGITS_SHOWN:].rjust(len(number), "X"),
        "ifsc": bank.ifsc,
        "mmid": f"{bank.org_id}1",
        "name": person.name,
        "aeba": "N",
        "mbeba": "Y",
    }
    lengths = {"MPIN": str(len(person.pin)), "SMS": "6"}
    allowed = (
        {"type": kind, "subType": sub_type, "dType": "Numeric", "dLength": lengths[sub_type]}
        for kind, sub_type in _CREDENTIALS
    )
    return element("Account", values, *(element("CredsAllowed", each) for each in allowed))
