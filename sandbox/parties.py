"""The other bank's customers as the wire shows them: payers with phones, payees with accounts."""

from sandbox import codec, world
from sandbox.codec import element

_BANK = next(each for each in world.MEMBERS if each.org_id == world.OTHER_BANK)


def person_of(address: str) -> world.Person | None:
    """Return the customer behind an address of the other bank; None if there is none."""
    user = address.lower().rpartition("@")[0]
    if world.handle_of(address) == world.MAGIC_HANDLE:
        user = "magic"
    return next((each for each in world.PEOPLE if each.user == user), None)


def payer_party(person: world.Person) -> codec.Element:
    """Build the Payer of a customer of the other bank, with account and device."""
    return element(
        "Payer",
        {
            "addr": f"{person.user}@smplbank",
            "name": person.name,
            "seqNum": "1",
            "type": _party_type(person),
            "code": person.category_code,
        },
        _identity(person),
        element(
            "Device",
            None,
            *(
                element("Tag", {"name": name, "value": value})
                for name, value in device_tags(person).items()
            ),
        ),
        _account(person),
    )


def device_tags(person: world.Person) -> dict[str, str]:
    """Return the tags of a customer's phone."""
    return {
        "MOBILE": person.mobile,
        "GEOCODE": "19.0760,72.8777",
        "LOCATION": "Mumbai,Maharashtra",
        "IP": "203.0.113.10",
        "TYPE": "MOB",
        "ID": f"sandbox{person.mobile}",
        "OS": "Android 14",
        "APP": "in.smplbank.app",
        "CAPABILITY": "5200000200010004000639292929292",
    }


def resolved(payee: codec.Element, person: world.Person) -> codec.Element:
    """Answer an address with the account behind it, the amount as it came."""
    amount = payee.find("Amount")
    made = element(
        "Payee",
        codec.attributes(payee)
        | {"name": person.name, "type": _party_type(person), "code": person.category_code},
        _identity(person),
        _account(person),
    )
    if amount is not None:
        made.append(element("Amount", codec.attributes(amount)))
    if person.category_code != "0000":
        made.append(_merchant(person))
    return element("Payees", None, made)


def _identity(person: world.Person) -> codec.Element:
    identity = {
        "type": "ACCOUNT",
        "verifiedName": person.name,
        "id": person.account_number,
    }
    return element(
        "Info", None, element("Identity", identity), element("Rating", {"verifiedAddress": "TRUE"})
    )


def _account(person: world.Person) -> codec.Element:
    details = (
        ("IFSC", _BANK.ifsc),
        ("ACTYPE", person.account_type),
        ("ACNUM", person.account_number),
    )
    return element(
        "Ac",
        {"addrType": "ACCOUNT"},
        *(element("Detail", {"name": name, "value": value}) for name, value in details),
    )


def _merchant(person: world.Person) -> codec.Element:
    identifier = {
        "subCode": person.category_code,
        "mid": "MID0001",
        "sid": "STORE01",
        "tid": "TID00001",
        "merchantType": "SMALL",
        "merchantGenre": "OFFLINE",
        "onBoardingType": "BANK",
    }
    names = {"brand": "Example Store", "legal": "Example Store", "franchise": "Example Store"}
    return element(
        "Merchant",
        None,
        element("Identifier", identifier),
        element("Name", names),
        element("Ownership", {"type": "PRIVATE"}),
    )


def _party_type(person: world.Person) -> str:
    return "PERSON" if person.category_code == "0000" else "ENTITY"
