"""POST /upi/<Api>/<version>/urn:txnid:<id>: a message in, an Ack out."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from apps.common import clock
from apps.upi.acknowledgement import encode_ack
from apps.upi.services import receive
from apps.upi.services.receive import Arrival

_XML = "application/xml"


@csrf_exempt
@require_POST
def receive_message(request: HttpRequest, api: str, version: str, txn_id: str) -> HttpResponse:
    """Take one message; accepted or refused, the answer is HTTP 200 with an Ack."""
    arrival = Arrival(
        api=api,
        version=version,
        txn_id=txn_id,
        body=_body_of(request),
        received_at=clock.now(),
    )
    ack = receive.receive(arrival)
    return HttpResponse(encode_ack(ack), content_type=_XML)


def _body_of(request: HttpRequest) -> bytes:
    # What is announced as too large is not even read; the gate refuses it as empty.
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > settings.UPI_MESSAGE_BYTES_MAX:
        return b""
    return request.body
