"""The other banks' customers as the wire shows them: payers with phones, payees with accounts."""

from sandbox import codec, world
from sandbox.codec import element


def person_of(address: str) -> world.Person | None:
    """Return the customer behind an address of another bank; None if there is none."""
    user, handle = address.lower().rpartition("@")[0], world.handle_of(address)
    if handle == world.MAGIC_HANDLE:
        user = "magic"
    for person in world.PEOPLE:
        if person.user == user and handle in world.organisation(person.org_id).handles:
            return person
    return None


def owner_of(ifsc: str, account: str) -> world.Person | None:
    """Return the customer who owns this account; None if there is none."""
    bank = world.member_of_ifsc(ifsc)
    for person in world.PEOPLE:
        if person.account_number == account and bank == world.member(person.org_id):
            return person
    return None


def payer_party(person: world.Person, address: str = "") -> codec.Element:
    """Build the Payer of a customer of another bank, with account and device."""
    return element(
        "Payer",
        _names(person, address),
        _identity(person),
        _device(person),
        _account(person),
    )


def payee_party(person: world.Person, amount: str, address: str = "") -> codec.Element:
    """Build the Payee of a merchant of another bank that asks for money."""
    made = element(
        "Payee",
        _names(person, address),
        _identity(person),
        _device(person),
        _account(person),
        element("Amount", {"value": amount, "curr": world.CURRENCY}),
    )
    if person.is_merchant:
        made.append(merchant(person))
    return made


def bare_party(name: str, address: str, amount: str) -> codec.Element:
    """Build a party of whom only the address is known."""
    return element(
        name,
        {"addr": address, "name": address, "seqNum": "1", "type": "PERSON", "code": "0000"},
        element("Amount", {"value": amount, "curr": world.CURRENCY}),
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
        | {"name": person.name, "type": party_type(person), "code": person.category_code},
        _identity(person),
        _account(person),
    )
    if amount is not None:
        made.append(element("Amount", codec.attributes(amount)))
    if person.is_merchant:
        made.append(merchant(person))
    return element("Payees", None, made)


def merchant(person: world.Person) -> codec.Element:
    """Describe a shop."""
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


def party_type(person: world.Person) -> str:
    """Return the wire's word for a person or a shop."""
    return "ENTITY" if person.is_merchant else "PERSON"


def _names(person: world.Person, address: str) -> dict[str, str]:
    return {
        "addr": address or person.address,
        "name": person.name,
        "seqNum": "1",
        "type": party_type(person),
        "code": person.category_code,
    }


def _identity(person: world.Person) -> codec.Element:
    identity = {
        "type": "ACCOUNT",
        "verifiedName": person.name,
        "id": person.account_number,
    }
    return element(
        "Info", None, element("Identity", identity), element("Rating", {"verifiedAddress": "TRUE"})
    )


def _device(person: world.Person) -> codec.Element:
    tags = device_tags(person).items()
    return element(
        "Device", None, *(element("Tag", {"name": name, "value": value}) for name, value in tags)
    )


def _account(person: world.Person) -> codec.Element:
    details = (
        ("IFSC", world.organisation(person.org_id).ifsc),
        ("ACTYPE", person.account_type),
        ("ACNUM", person.account_number),
    )
    return element(
        "Ac",
        {"addrType": "ACCOUNT"},
        *(element("Detail", {"name": name, "value": value}) for name, value in details),
    )
