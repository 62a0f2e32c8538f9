"""Who is who in the sandbox world: organisations, banks, and the other banks' customers."""

import re
from dataclasses import dataclass

SWITCH = "NPCI"
SWITCH_PREFIX = "NPC"
BANK = "900001"
# The bank's own core-banking host, which has its own door and book.
HOST = "EXBHOST"
OTHER_BANK = "900002"
SECOND_BANK = "900003"
CURRENCY = "INR"
PERSON_CODE = "0000"

# The key index that the phones' blocks carry, and those that the issuers' blocks carry.
SWITCH_KEY_INDEX = "20261101"


@dataclass(frozen=True, slots=True)
class Organisation:
    """A bank that is a member of the switch: its ids, handles and branch code."""

    org_id: str
    name: str
    prefix: str
    bank_code: str
    handles: tuple[str, ...]
    ifsc: str
    issuer_key_index: str


@dataclass(frozen=True, slots=True)
class Person:
    """A customer of another bank as the sandbox is born with him; his phone knows his PIN."""

    user: str
    name: str
    account_number: str
    account_type: str
    mobile: str
    pin: str
    opening_paise: int
    category_code: str = "0000"
    org_id: str = OTHER_BANK

    @property
    def is_merchant(self) -> bool:
        """Say whether this is a shop and no person."""
        return self.category_code != PERSON_CODE

    @property
    def address(self) -> str:
        """Return the customer's payment address."""
        return f"{self.user}@{organisation(self.org_id).handles[0]}"


# An account in the place of a name (upi-protocol 3.6); the switch resolves it itself.
_ACCOUNT_ADDRESS = re.compile(r"([A-Za-z0-9]{1,30})@([A-Za-z]{4}0[A-Za-z0-9]{6})\.ifsc\.npci")

MEMBERS = (
    Organisation(BANK, "Example Bank", "EXB", "EXB", ("exbank",), "EXBK0000001", "20261101"),
    Organisation(
        OTHER_BANK, "Sample Bank", "SMP", "SMP", ("smplbank", "sandbox"), "SMPL0000002", "20261101"
    ),
    Organisation(
        SECOND_BANK, "Second Bank", "SEC", "SEC", ("secondbank",), "SECD0000003", "20261101"
    ),
)
OTHER_BANKS = tuple(each for each in MEMBERS if each.org_id != BANK)

MAGIC_HANDLE = "sandbox"
MAGIC_ACCOUNT = "009876599999"
# As what a magic customer collects: persons may not.
MAGIC_SHOP_CODE = "5411"

PEOPLE = (
    Person("ravi", "RAVI KUMAR", "009876500001", "SAVINGS", "919800000101", "1357", 5_000_000),
    Person("meera", "MEERA IYER", "009876500002", "SAVINGS", "919800000102", "246810", 5_000_000),
    Person("broke", "BROKE BHARAT", "009876500003", "SAVINGS", "919800000103", "1111", 0),
    Person("store1", "EXAMPLE STORE", "009876543210", "CURRENT", "919800000104", "9753", 0, "5411"),
    Person("magic", "SANDBOX PAYEE", MAGIC_ACCOUNT, "SAVINGS", "919800000105", "8642", 10**11),
    Person(
        "kiran", "KIRAN DAS", "003333300001", "SAVINGS", "919800000201", "1470", 5_000_000,
        org_id=SECOND_BANK,
    ),
    Person(
        "store2", "SECOND STORE", "003333300002", "CURRENT", "919800000202", "9630", 0, "5812",
        SECOND_BANK,
    ),
)  # fmt: skip


def organisation(org_id: str) -> Organisation:
    """Return the member bank of this organisation id, which is one."""
    return next(each for each in MEMBERS if each.org_id == org_id)


def member(org_id: str) -> Organisation | None:
    """Return the member bank of this organisation id, if there is one."""
    return next((each for each in MEMBERS if each.org_id == org_id), None)


def member_of_handle(handle: str) -> Organisation | None:
    """Return the member bank that answers for a handle, the part of an address after the @."""
    return next((each for each in MEMBERS if handle in each.handles), None)


def member_of_ifsc(ifsc: str) -> Organisation | None:
    """Return the member bank of a branch: its first four letters are the bank's."""
    return next((each for each in MEMBERS if each.ifsc[:4] == ifsc[:4]), None)


def account_of(address: str) -> tuple[str, str] | None:
    """Return the branch and the account number that an address names; None if it names neither."""
    found = _ACCOUNT_ADDRESS.fullmatch(address)
    return None if found is None else (found[2].upper(), found[1])


def handle_of(address: str) -> str:
    """Return the handle of a payment address, in lower case; empty if there is none."""
    return address.lower().rpartition("@")[2] if "@" in address else ""
