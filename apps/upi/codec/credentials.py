"""The tables of credentials: encrypted blocks, challenges and mandates' signatures."""

from typing import Any

from apps.upi.codec import kinds
from apps.upi.codec.kinds import one_of, text
from apps.upi.codec.shapes import Attribute, Element, Flat, Many, Shape, Wrapped
from apps.upi.contracts import Credential
from apps.upi.errors import InvalidElementError

_MANDATE = "UPI-Mandate"
_TYPES = ("PIN", "OTP", "CARD", "AADHAAR", "PreApproved", _MANDATE)
_CHALLENGE_TYPES = ("Challenge",)


class _Data(Flat):
    """The encrypted block; a code and a key index that are not there read as empty."""

    def read(self, element: Element, values: dict[str, Any], path: str) -> None:
        """Read the attributes and the text."""
        super().read(element, values, path)
        for attribute in self.attributes:
            values[attribute.field] = values[attribute.field] or ""

    def write(self, parent: Element, source: Any) -> None:
        """Write the block, without what is empty."""
        super().write(parent, source)
        written = parent[-1].attrib
        for attribute in self.attributes:
            if not written[attribute.name]:
                del written[attribute.name]


class _CredentialShape(Shape):
    """A credential, whose code and key index only a mandate's signature may lack."""

    def read(self, element: Element, path: str) -> Credential:
        """Build the credential. Raises InvalidElementError, MalformedMessageError."""
        credential: Credential = super().read(element, path)
        if credential.type != _MANDATE:
            prefix = self.attributes[0].code[0]
            if not credential.code:
                raise InvalidElementError(f"{prefix}12", f"{path}.Data.code")
            if not credential.ki:
                raise InvalidElementError(f"{prefix}03", f"{path}.Data.ki")
        return credential


def _credential(prefix: str, types: tuple[str, ...]) -> Shape:
    sub_types = text("[A-Za-z0-9-]{1,20}")
    return _CredentialShape(
        Credential,
        (
            Attribute("type", "type", one_of(*types), f"{prefix}03", is_required=True),
            Attribute("subType", "sub_type", sub_types, f"{prefix}03", is_required=True),
        ),
        (
            _Data(
                "Data",
                (
                    Attribute("code", "code", one_of("NPCI", "UIDAI"), f"{prefix}12"),
                    Attribute("ki", "ki", text("[A-Za-z0-9]{1,20}"), f"{prefix}03"),
                ),
                text=Attribute("Data", "data", kinds.SECRET, f"{prefix}10"),
                missing_code=f"{prefix}09",
            ),
        ),
    )


CREDS = Wrapped("Creds", Many("Cred", "creds", _credential("C", _TYPES)), empty_code="C02")
NEW_CRED = Wrapped("NewCred", Many("Cred", "new_cred", _credential("N", _TYPES)), empty_code="N02")
CHALLENGE = Wrapped(
    "Creds",
    Many("Cred", "creds", _credential("C", _CHALLENGE_TYPES)),
    empty_code="C02",
    missing_code="C01",
)
