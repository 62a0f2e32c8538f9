"""The customers of the seed, each given out once."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx

from conformance.person import Person
from conformance.place import Control, Place


class NotEnoughCustomersError(Exception):
    """The seed has too few customers for what is to be played."""


@dataclass(slots=True)
class Pool:
    """Hands out customers, to several threads."""

    place: Place
    _left: Iterator[dict[str, str]] = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._left = iter(self.place.customers())

    def take(self, client: httpx.Client) -> Person:
        """Return a customer whom nobody has, logged in. Raises NotEnoughCustomersError."""
        with self._lock:
            facts = next(self._left, None)
        if facts is None:
            message = "seed more customers: manage.py seed_demo --customers N"
            raise NotEnoughCustomersError(message)
        person = Person.of(facts, place=self.place, client=client)
        person.log_in()
        return person

    def take_with_pins(
        self, count: int, client: httpx.Client, control: Control, *, at_once: int
    ) -> list[Person]:
        """Return so many customers, each with a PIN set through the wire."""

        def ready(_: int) -> Person:
            person = self.take(client)
            status = person.register_pin(control)
            assert status == "succeeded", f"{person.vpa} could not set a PIN: {status}"
            return person

        with ThreadPoolExecutor(at_once) as threads:
            return list(threads.map(ready, range(count)))
