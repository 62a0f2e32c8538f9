"""Where questions about our addresses arrive, and the answers to ours about others'."""

from apps.upi.contracts import Received, ReqValAdd, RespPendingMsg, RespValAdd
from apps.vpa.services import verify, vouch


def receive_verification(received: Received[ReqValAdd]) -> None:
    """Take the question whose an address of ours is."""
    vouch.answer(received)


def receive_verification_answer(received: Received[RespValAdd]) -> None:
    """Take the answer whose another PSP's address is."""
    verify.take_answer(received)


def receive_pending_answer(received: Received[RespPendingMsg]) -> None:
    """Take which collects wait for an address; the log keeps the message for whoever asked."""
    del received
