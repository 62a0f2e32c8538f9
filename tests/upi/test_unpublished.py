"""A message whose form is not public gets a negative Ack with a sentence, and changes nothing."""

import pytest
from lxml import etree

from apps.upi.codec import unpublished
from tests.upi import wire
from tests.upi.refusal import refused


@pytest.mark.parametrize("name", unpublished.REFUSALS)
def test_a_message_without_a_public_form_is_refused_by_its_name(door, changes, name):
    root = etree.Element(f"{{{wire.UPI}}}Req{name}", nsmap={"upi": wire.UPI})
    root.extend(wire.fresh("19_ReqHbt"))
    root.find("Txn").set("type", name)

    answered = door.send(root)

    refused(answered, changes, unpublished.REFUSAL_CODE)
    assert answered.ack.findtext("errorMessages/errorDtl") == unpublished.REFUSALS[name]
