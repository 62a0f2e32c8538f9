"""A scenario: a list of orders that is carried out step by step, and what became of each."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import NoReturn

from sandbox.control_body import Body, ProblemError, refuse
from sandbox.orders import Done, Orders

_STEPS_MAX = 10_000
_NAME_MARK = "$"


class StepFailedError(Exception):
    """A step waited for something else than what came."""


class Scenario:
    """
    One run of a list of steps; each step is an object with one order and, perhaps, a name.

    A later step refers to the payment of a step named "a" as "$a". The first step that is refused,
    or that waits in vain, ends the run.
    """

    def __init__(self, orders: Orders, steps: object) -> None:
        self._orders: Mapping[str, Callable[[Body], Awaitable[Done]]] = {
            "payment": orders.pay,
            "collect": orders.collect,
            "answer": orders.answer,
            "refund": orders.refund,
            "fault": orders.fault,
            "end_faults": orders.end_faults,
            "random_faults": orders.random_faults,
            "timers": orders.timers,
            "clock": orders.move_clock,
            "wait": orders.wait,
        }
        self._steps = _checked(steps, set(self._orders))
        self._names: dict[str, str] = {}
        self.results: list[Done] = []
        self.state = "RUNNING"

    async def run(self) -> None:
        """Carry out the steps."""
        for step in self._steps:
            order = next(name for name in step if name in self._orders)
            try:
                body = Body(dict(self._resolved(step[order])))
                done = await self._orders[order](body)
                _expect(step.get("expect", {}), done)
            except ProblemError as problem:
                self._fail(order, problem.code, problem.detail)
                return
            except StepFailedError as failure:
                self._fail(order, "unexpected", str(failure))
                return
            if "as" in step:
                self._names[str(step["as"])] = str(done.get("txn_id", ""))
            self.results.append({"order": order, "done": done})
        self.state = "DONE"

    def shown(self) -> Done:
        """Show how far the run is."""
        return {"state": self.state, "steps": len(self._steps), "results": self.results}

    def _fail(self, order: str, code: str, detail: str) -> None:
        self.results.append({"order": order, "code": code, "detail": detail})
        self.state = "FAILED"

    def _resolved(self, body: object) -> dict[str, object]:
        assert isinstance(body, dict), "the steps were checked"
        return {name: self._value(value) for name, value in body.items()}

    def _value(self, value: object) -> object:
        if isinstance(value, dict):
            return self._resolved(value)
        if isinstance(value, str) and value.startswith(_NAME_MARK):
            if value[1:] not in self._names:
                refuse("unknown_name", f"no step before this one is named {value[1:]}")
            return self._names[value[1:]]
        return value


class Scenarios:
    """Runs one scenario at a time."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._task: asyncio.Task[None] | None = None
        self.latest: Scenario | None = None

    def start(self, steps: object) -> Scenario:
        """Begin a run. Raises ProblemError if the steps are not in order or another one runs."""
        if self._task is not None and not self._task.done():
            refuse("busy", "a scenario is running", status=409)
        self.latest = Scenario(self._orders, steps)
        self._task = asyncio.create_task(self.latest.run())
        return self.latest

    async def close(self) -> None:
        """Stop where it stands."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


def _checked(steps: object, orders: set[str]) -> list[dict[str, object]]:
    if not isinstance(steps, list) or not 1 <= len(steps) <= _STEPS_MAX:
        _wrong(f"a scenario is a list of 1 to {_STEPS_MAX} steps")
    for place, step in enumerate(steps):
        if not isinstance(step, dict):
            _wrong(f"step {place} is no object")
        named = orders & set(step)
        if len(named) != 1 or set(step) - named - {"as", "expect"}:
            _wrong(f"step {place} must have one of {', '.join(sorted(orders))}")
        if not isinstance(step[named.pop()], dict) or not isinstance(step.get("expect", {}), dict):
            _wrong(f"step {place}: orders and expectations are objects")
    return steps


def _wrong(detail: str) -> NoReturn:
    refuse("invalid", detail)


def _expect(expected: object, done: Done) -> None:
    assert isinstance(expected, dict), "the steps were checked"
    for name, value in expected.items():
        if done.get(name) != value:
            raise StepFailedError(f"{name} is {done.get(name)!r}, not {value!r}")
