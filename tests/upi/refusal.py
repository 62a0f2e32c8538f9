"""What a refusal looks like, from outside and in the database."""

from collections.abc import Callable

from lxml import etree

from apps.messaging.models import OutboxEvent
from apps.upi.models import MessageLog
from tests.upi import routes, wire
from tests.upi.conftest import Answered, Door

TRACE = {"upi_message_log": 1, "messaging_outboxevent": 1}
FORM, CHECKSUM, INTEGRITY = "U05", "U15", "U55"


def refused(answered: Answered, changes: Callable[[], dict[str, int]], code: str) -> None:
    assert answered.status == 200
    assert answered.err == code
    assert answered.ack.findtext("errorMessages/errorCd") == code
    assert answered.ack.findtext("errorMessages/errorDtl")
    assert changes() == TRACE
    assert routes.received == []
    entry = MessageLog.objects.latest("pk")
    assert (entry.outcome, entry.ack_code) == ("REFUSED", code)
    event = OutboxEvent.objects.latest("sequence")
    assert event.type == "upi.security.refused"
    assert (event.data["message_log_id"], event.data["ack_code"]) == (str(entry.pk), code)
    assert event.data["owner"] == "operations"


def signed(door: Door, name: str = "DEBIT") -> etree._Element:
    return etree.fromstring(wire.sign(wire.fresh(name), door.key))


def post(door: Door, root: etree._Element) -> Answered:
    return door.post(etree.tostring(root, encoding="UTF-8"))
