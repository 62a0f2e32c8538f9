"""
The table of the institution behind a foreign inward remittance.

The source names the codes PI1 to PJ9 and says that each checks one thing of the element; which is
which it leaves open. Ours follow the order of upi-protocol 2.3.
"""

from apps.upi.codec.kinds import one_of, printable
from apps.upi.codec.shapes import Attribute, Flat, One, Shape
from apps.upi.contracts import Institution, Originator

_ORIGINATOR = Shape(
    Originator,
    (
        Attribute("name", "name", printable(1, 50), "PJ0", is_required=True),
        Attribute("type", "type", one_of("INDIVIDUAL", "COMPANY"), "PJ1", is_required=True),
        Attribute("refNo", "ref_no", printable(1, 35), "PJ2", is_required=True),
    ),
    (
        Flat(
            "Address",
            (
                Attribute("location", "location", printable(1, 40), "PJ4", is_required=True),
                Attribute("city", "city", printable(1, 40), "PJ5", is_required=True),
                Attribute("country", "country", printable(1, 40), "PJ6", is_required=True),
                Attribute("geocode", "geocode", printable(1, 20), "PJ7", is_required=True),
            ),
            missing_code="PJ3",
        ),
    ),
)

INSTITUTION = Shape(
    Institution,
    (
        Attribute("type", "type", one_of("MTO", "BANK"), "PI1", is_required=True),
        Attribute("route", "route", one_of("MTSS", "RDA"), "PI2", is_required=True),
    ),
    (
        Flat(
            "Name",
            (
                Attribute("value", "name", printable(1, 100), "PI4", is_required=True),
                Attribute("acNum", "ac_num", printable(1, 50), "PI5", is_required=True),
            ),
            missing_code="PI3",
        ),
        Flat(
            "Purpose",
            (
                Attribute("code", "purpose_code", printable(1, 50), "PI7", is_required=True),
                Attribute("note", "purpose_note", printable(1, 50), "PI8", is_required=True),
            ),
            missing_code="PI6",
        ),
        One("Originator", "originator", _ORIGINATOR, missing_code="PI9"),
        Flat(
            "Beneficiary",
            (Attribute("name", "beneficiary_name", printable(1, 50), "PJ9", is_required=True),),
            missing_code="PJ8",
        ),
    ),
)
