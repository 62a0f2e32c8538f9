"""POST /upi/<Api>/<version>/urn:txnid:<id>: a message in, an Ack out."""

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from apps.common import clock
from apps.upi import gate, peer, shedding
from apps.upi.acknowledgement import encode_ack
from apps.upi.services import receive
from apps.upi.services.receive import Arrival

log = structlog.get_logger(__name__)

_XML = "application/xml"
_RETRY_AFTER_SECONDS = "2"
_TOO_MANY = 429


@csrf_exempt
@require_POST
def receive_message(request: HttpRequest, api: str, version: str, txn_id: str) -> HttpResponse:
    """
    Take one message; accepted or refused, the answer is HTTP 200 with an Ack.

    403 to whoever is not the switch; 429 to questions that come in a flood and, with a negative
    Ack, to a PSP that has asked too often; 503 when nobody can say whether the message was taken.
    """
    if not peer.is_switch(request):
        log.warning("peer_refused", api=api)
        return HttpResponse(status=403)
    with shedding.place_for(api) as is_free:
        if not is_free:
            # Before it is read: what is shed must cost nothing.
            log.warning("question_shed", api=api)
            wait = str(shedding.RETRY_AFTER_SECONDS)
            return HttpResponse(status=_TOO_MANY, headers={"Retry-After": wait})
        return _take(request, api, version, txn_id)


def _take(request: HttpRequest, api: str, version: str, txn_id: str) -> HttpResponse:
    try:
        body = _body_of(request, bytes_max=gate.bounds_of(api).bytes_max)
    except UnreadablePostError:
        log.warning("message_broke_off", api=api)
        return HttpResponse(status=408)
    arrival = Arrival(api=api, version=version, txn_id=txn_id, body=body, received_at=clock.now())
    try:
        verdict = receive.receive(arrival)
    except (OperationalError, InterfaceError) as error:
        # No Ack of either sign: nobody knows whether the message was taken, so it must come again.
        log.warning("message_not_taken", error=type(error).__name__)
        return HttpResponse(status=503, headers={"Retry-After": _RETRY_AFTER_SECONDS})
    response = HttpResponse(encode_ack(verdict.ack), content_type=_XML)
    if verdict.retry_after_seconds is not None:
        response.status_code = _TOO_MANY
        response.headers["Retry-After"] = str(verdict.retry_after_seconds)
    return response


def _body_of(request: HttpRequest, *, bytes_max: int) -> bytes:
    # What is announced as too large is not even read; the gate refuses it as empty.
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > bytes_max:
        return b""
    # Not `body`, which is bounded for people's forms.
    return request.read(int(length))
