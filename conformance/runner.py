"""Play cases beside each other: each lane has two customers of its own."""

import itertools
import queue
import random
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import httpx

from conformance.case import Case, Stage, Verdict
from conformance.people import Pool
from conformance.person import Person
from conformance.place import TIMEOUT_SECONDS, Control, Place

LANES = 12
_PEOPLE_OF_LANE = 2
# A customer pays twenty times a day and asks for the balance fifty times.
_CASES_OF_PEOPLE = 24


@dataclass(slots=True)
class _Lane:
    """Two customers with PINs, who pay in turns, and their connections."""

    place: Place
    control: Control
    client: httpx.Client
    people: list[Person]
    pool: Pool
    played: int = 0

    def play(self, case: Case) -> Verdict:
        """Play one case and judge it."""
        if self.played == _CASES_OF_PEOPLE:
            self.people, self.played = _people(self.pool, self.client, self.control), 0
        self.played += 1
        payer, payee = self.people
        self.people.reverse()
        players = list(self.people)

        def fresh() -> Person:
            players.append(self.pool.take(self.client))
            return players[-1]

        for person in players:
            person.phone.sent_ids.clear()
        stage = Stage(
            place=self.place,
            control=self.control,
            payer=payer,
            payee=payee,
            fresh=fresh,
        )
        begun = time.monotonic()
        error = ""
        try:
            case.play(stage)
        except Exception:  # noqa: BLE001 - a case that breaks is a case that fails; the rest go on
            error = traceback.format_exc(limit=-3)
            for person in self.people:
                person.known_paise = None
        sent = [each for person in players for each in person.phone.sent_ids]
        transaction_ids = list(dict.fromkeys(filter(None, stage.transaction_ids + sent)))
        seconds = time.monotonic() - begun
        return Verdict(case, stage.findings, transaction_ids, seconds, error=error)


def sample(cases: Sequence[Case], *, seed: int, size: int) -> list[Case]:
    """
    Return so many cases, drawn by a seed, in turn from each role.

    Only clean cases are drawn: those that leave nothing for anybody to settle.
    """
    # S311: a draw that can be repeated is what is wanted, not one that nobody can guess.
    draw = random.Random(seed)  # noqa: S311
    by_role: dict[str, list[Case]] = {}
    for case in cases:
        if case.is_clean and case.waits_seconds <= 2:  # noqa: PLR2004 - seconds
            by_role.setdefault(case.role, []).append(case)
    for drawn in by_role.values():
        draw.shuffle(drawn)
    turns = itertools.chain.from_iterable(itertools.zip_longest(*by_role.values()))
    return [case for case in turns if case is not None][:size]


def run(
    cases: Sequence[Case], place: Place, *, lanes: int, done: Callable[[Verdict], None]
) -> list[Verdict]:
    """Play the cases, the longest first, and return their verdicts in the order of the tables."""
    waiting: queue.SimpleQueue[Case] = queue.SimpleQueue()
    for case in sorted(cases, key=lambda case: -case.waits_seconds):
        waiting.put(case)
    pool = Pool(place)
    verdicts: dict[str, Verdict] = {}
    with ExitStack() as stack, ThreadPoolExecutor(lanes) as threads:
        opened = list(threads.map(lambda _: _open_lane(place, pool), range(lanes)))
        for lane in opened:
            stack.callback(lane.client.close)

        def work(lane: _Lane) -> None:
            while True:
                try:
                    case = waiting.get_nowait()
                except queue.Empty:
                    return
                verdict = lane.play(case)
                verdicts[case.id] = verdict
                done(verdict)

        list(threads.map(work, opened))
    return [verdicts[case.id] for case in cases]


def _open_lane(place: Place, pool: Pool) -> _Lane:
    client = httpx.Client(timeout=TIMEOUT_SECONDS)
    control = Control(place.control_url, client)
    return _Lane(place, control, client, _people(pool, client, control), pool)


def _people(pool: Pool, client: httpx.Client, control: Control) -> list[Person]:
    return pool.take_with_pins(_PEOPLE_OF_LANE, client, control, at_once=1)
