"""Where the network's word about our merchants arrives."""

from apps.merchants.services import announce
from apps.upi.contracts import Received, RespManageVae


def receive_announcement_answer(received: Received[RespManageVae]) -> None:
    """Take which of our merchants the network lists now."""
    announce.take_answer(received)
