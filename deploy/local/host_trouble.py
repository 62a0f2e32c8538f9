"""Let the core-banking host misbehave while payments are played: by chance, dark, hung up."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from deploy.local import console, host_accounts

# Shares of all messages: together about one in ten. What is done in part is not among them but is
# ordered for debits and credits: a return that was is owed, is never cancelled, and so ends by a
# person's hand alone.
RATES = {
    "timeout_applied": 0.015, "timeout_not_applied": 0.015, "late": 0.01, "held": 0.01,
    "duplicate": 0.01, "crossed_stan": 0.005, "other_amount": 0.005, "other_rrn": 0.005,
    "other_account": 0.005, "bad_mac": 0.005, "no_mac": 0.002, "garbage": 0.002, "torn": 0.003,
    "reset": 0.005, "one_byte_segments": 0.005,
}  # fmt: skip
# Some come within our patience of 4.5 s, some after it.
_LATE_SECONDS = 8.0
_PAUSE_SECONDS = (6.0, 14.0)
# Longer than one answer's patience, shorter than what marks the host down for good.
_DARK_SECONDS = (2.0, 7.0)
_IN_PART = ("000000", "210000")
# Each may leave an answer that fits no call, or an approval of what was cancelled.
_STRAY = frozenset({"crossed_stan", "other_amount", "other_rrn", "other_account", "late", "held"})
_LOOK_SECONDS = 0.25
_SECONDS = 10.0
_JOIN_SECONDS = 60.0
_BLACK_HOLE, _PARTIAL, _LINKS = "black_hole", "partial", "links_broken"


@dataclass(slots=True)
class Trouble:
    """What was ordered of the host and what came of it, by kind; `error` ended it too early."""

    orders: Counter[str] = field(default_factory=Counter)
    met: Counter[str] = field(default_factory=Counter)
    error: Exception | None = None


@contextmanager
def trouble(values: Mapping[str, str], *, seed: int) -> Iterator[Trouble]:
    """
    Trouble the host for as long as the switch has faults by chance, at most for the block.

    Nothing is done where our books are core banking. The recorder ends the switch's faults when all
    is paid and looks at balances afterwards, so this ends with them. When the block fails, its
    error is the one that is raised; else what went wrong in here.
    """
    told = Trouble()
    if values.get("CORE_BANKING") != host_accounts.ISO8583:
        yield told
        return
    switch = f"{values['SWITCH_CONTROL_URL']}/random_faults"
    stopped = threading.Event()
    thread = threading.Thread(
        target=_make,
        args=(values["CORE_BANKING_CONTROL_URL"], told, stopped),
        kwargs={"seed": seed, "is_wanted": lambda: _has_chance(switch)},
        name="host-trouble",
    )
    thread.start()
    try:
        yield told
    finally:
        stopped.set()
        thread.join(_JOIN_SECONDS)
        for line in figures(told):
            console.say(line)
        if told.error is not None:
            console.complain(f"host: its trouble ended early: {told.error!r}")
    if told.error is not None:
        raise told.error
    assert not thread.is_alive(), "every request of the thread has a bound"


def strays(told: Trouble) -> int:
    """Return how many answers of the host may be open questions to a person, at most."""
    # Of what was done in part the movement's answer is one, and the enquiry's another.
    return sum(told.met[kind] for kind in _STRAY) + 2 * told.met[_PARTIAL]


def figures(told: Trouble) -> list[str]:
    """Return what was met and ordered as lines for a person; none if there is no host."""
    named = (("messages that met a fault", told.met), ("ordered", told.orders))
    return [
        f"host, {what}: " + ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items()))
        for what, counts in named
        if counts
    ]


def _make(
    host: str,
    told: Trouble,
    stopped: threading.Event,
    *,
    seed: int,
    is_wanted: Callable[[], bool],
) -> None:
    """Wait for the faults to begin, make trouble, and clean up: one thread, so nothing is after."""
    with httpx.Client(base_url=host, timeout=_SECONDS) as client:
        try:
            while not is_wanted():
                if stopped.wait(_LOOK_SECONDS):
                    return
            chance = {"seed": seed, "rates": RATES, "seconds": _LATE_SECONDS}
            client.post("/random_faults", json=chance).raise_for_status()
            _order(client, told, stopped, seed=seed, is_wanted=is_wanted)
        # BLE001: a thread has nobody above it; its starter raises this.
        except Exception as error:  # noqa: BLE001
            told.error = error
        finally:
            _end(client, told)


def _order(
    client: httpx.Client,
    told: Trouble,
    stopped: threading.Event,
    *,
    seed: int,
    is_wanted: Callable[[], bool],
) -> None:
    # S311: a run that can be repeated is what is wanted, not one that nobody can guess.
    draw = random.Random(f"{seed}/host")  # noqa: S311
    while True:
        for _ in range(int(draw.uniform(*_PAUSE_SECONDS) / _LOOK_SECONDS)):
            if stopped.wait(_LOOK_SECONDS) or not is_wanted():
                return
        kind = draw.choice((_BLACK_HOLE, _PARTIAL, _LINKS))
        told.orders[kind] += 1
        if kind == _LINKS:
            client.delete("/links").raise_for_status()
            continue
        order: dict[str, object] = {"kind": kind}
        if kind == _BLACK_HOLE:
            order["seconds"] = draw.uniform(*_DARK_SECONDS)
        else:
            order["match"] = {"mti": "0200", "processing_code": draw.choice(_IN_PART)}
        client.post("/faults", json=order).raise_for_status()


def _end(client: httpx.Client, told: Trouble) -> None:
    """Keep what was met and end every fault; the first error stays the one that is told."""
    try:
        shown = client.get("/faults").raise_for_status().json()
        told.met.update(shown["by_chance"])
        for each in shown["faults"]:
            told.met[each["kind"]] += each["hits"]
    except httpx.HTTPError as error:
        told.error = told.error or error
    try:
        client.delete("/faults").raise_for_status()
    except httpx.HTTPError as error:
        told.error = told.error or error


def _has_chance(url: str) -> bool:
    shown = httpx.get(url, timeout=_SECONDS).raise_for_status().json()
    return any(shown["rates"].values())
