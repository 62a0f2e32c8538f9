"""The switch's own heartbeats: it asks the bank again and again whether it is alive."""

import asyncio
from dataclasses import dataclass

from sandbox import clock, messages
from sandbox.member import Answered, Member, Outcome
from sandbox.timers import Timers

INTERVAL_SECONDS_MAX = 3600
# Project profile: so many missed, and the bank counts as down.
MISSED_MAX = 3


@dataclass(slots=True)
class Heartbeats:
    """What the switch knows of the bank's life. It asks by itself once it is given an interval."""

    bank: Member
    timers: Timers
    every_seconds: float = 0
    missed: int = 0
    answered_at: str = ""
    _task: asyncio.Task[None] | None = None

    @property
    def is_up(self) -> bool:
        """Say whether the bank is there; one that was never asked counts as there."""
        return self.missed < MISSED_MAX

    async def set_interval(self, seconds: float) -> None:
        """Ask this often from now on; zero ends the asking."""
        await self.close()
        self.every_seconds = seconds
        if seconds:
            self._task = asyncio.create_task(self._run())

    async def beat(self) -> Outcome:
        """Ask once, and count the answer or its absence."""
        request = messages.heartbeat_request()
        outcome = await self.bank.ask(request, limit_seconds=self.timers.check_seconds)
        if isinstance(outcome, Answered):
            self.missed = 0
            self.answered_at = clock.iso(clock.now())
        else:
            self.missed += 1
        return outcome

    def shown(self) -> dict[str, object]:
        """Show the interval and what is known."""
        return {
            "every_seconds": self.every_seconds,
            "is_up": self.is_up,
            "missed": self.missed,
            "answered_at": self.answered_at,
        }

    async def close(self) -> None:
        """Ask no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        while True:
            await clock.sleep(self.timers.scaled(self.every_seconds))
            await self.beat()
