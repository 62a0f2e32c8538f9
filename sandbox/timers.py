"""The switch's time limits, and the one scale that shortens them all."""

from dataclasses import dataclass

# Time limits at the switch in force since 16 June 2025 (OC214).
LEG_SECONDS = 15
CHECK_SECONDS = 10
REVERSAL_SECONDS = 10
VALIDATION_SECONDS = 10
# Project profile: the limit of an Ack is not published.
ACK_CONNECT_SECONDS = 3
ACK_READ_SECONDS = 5
ANSWER_RESEND_AFTER_SECONDS = (2, 5)
# A shortened Ack limit must still leave a loaded machine time to answer.
_ACK_SECONDS_MIN = 2

SCALE_MIN = 0.001
SCALE_MAX = 10


@dataclass(slots=True)
class Timers:
    """How long the switch waits. A changed scale counts for every wait that begins after it."""

    scale: float = 1.0

    def scaled(self, seconds: float) -> float:
        """Return how long this many seconds of the rules are on this switch."""
        return seconds * self.scale

    @property
    def leg_seconds(self) -> float:
        """How long a bank has to answer a debit, a credit or an authorisation."""
        return self.scaled(LEG_SECONDS)

    @property
    def check_seconds(self) -> float:
        """How long a status check may take."""
        return self.scaled(CHECK_SECONDS)

    @property
    def validation_seconds(self) -> float:
        """How long a PSP has to say who is behind an address."""
        return self.scaled(VALIDATION_SECONDS)

    @property
    def reversal_seconds(self) -> float:
        """How long a bank has to answer a reversal."""
        return self.scaled(REVERSAL_SECONDS)

    @property
    def ack_connect_seconds(self) -> float:
        """How long to wait for a connection."""
        return max(self.scaled(ACK_CONNECT_SECONDS), _ACK_SECONDS_MIN)

    @property
    def ack_read_seconds(self) -> float:
        """How long to wait for an Ack."""
        return max(self.scaled(ACK_READ_SECONDS), _ACK_SECONDS_MIN)

    @property
    def resend_after_seconds(self) -> list[float]:
        """When to send an answer again that was not acked."""
        return [self.scaled(seconds) for seconds in ANSWER_RESEND_AFTER_SECONDS]
