"""Everything of the sandbox, put together: built at start, closed at the end."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from sandbox import clock, world
from sandbox import tls as mutual_tls
from sandbox.accounts import AccountRequests
from sandbox.book import Book
from sandbox.customers import Customers
from sandbox.faults import Faults
from sandbox.heartbeats import Heartbeats
from sandbox.inbox import Inbox
from sandbox.journal import Journal
from sandbox.keys import KeyFiles
from sandbox.machine import Machine
from sandbox.member import Member
from sandbox.merchants import Merchants
from sandbox.meta import MetaRequests
from sandbox.other_bank import OtherBank
from sandbox.receiver import Receiver
from sandbox.store import Store
from sandbox.timers import Timers
from sandbox.translation import Translator
from sandbox.wire import Exchanges, RemoteMember

# How far the clock had been moved, for the next start.
CLOCK_SETTING = "clock_ahead_seconds"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The parts that the two doors use."""

    store: Store
    keys: KeyFiles
    journal: Journal
    book: Book
    merchants: Merchants
    bank: RemoteMember
    others: dict[str, OtherBank]
    members: dict[str, Member]
    machine: Machine
    receiver: Receiver
    meta: MetaRequests
    customers: Customers
    faults: Faults
    timers: Timers
    inbox: Inbox
    heartbeats: Heartbeats

    async def open(self) -> None:
        """Open the other banks' accounts and go on with what the last stop left unfinished."""
        seconds = float(await self.journal.setting(CLOCK_SETTING) or 0)
        clock.set_ahead(dt.timedelta(seconds=seconds))
        await self.book.open()
        await self.merchants.open(self.keys)
        for payment in await self.journal.open_payments():
            self.machine.start(payment)

    async def close(self) -> None:
        """Stop everything; what waits for the journal is still written."""
        await self.heartbeats.close()
        await self.receiver.close()
        await self.machine.close()
        await self.bank.close()
        self.store.close()


def compose(
    *, data: Path, keys_directory: Path, bank_url: str, scale: float, tls: Path | None = None
) -> Sandbox:
    """Build the sandbox over its data folder; nothing runs yet."""
    keys = KeyFiles(data=data, exchange=keys_directory)
    store = Store(data / "switch.sqlite3")
    journal, book = Journal(store), Book(store)
    limits, faults, exchanges = Timers(scale), Faults(), Exchanges()
    bank = RemoteMember(
        org_id=world.BANK,
        url=bank_url,
        sign=keys.sign,
        exchanges=exchanges,
        journal=journal,
        faults=faults,
        timers=limits,
        tls=mutual_tls.of_caller(tls) if tls else None,
    )
    switch_key = keys.credential.used
    others = {
        each.org_id: OtherBank(
            each,
            book=book,
            issuer_key=keys.issuers[each.org_id],
            switch_key=switch_key,
            journal=journal,
            timers=limits,
        )
        for each in world.OTHER_BANKS
    }
    members: dict[str, Member] = {world.BANK: bank, **others}
    translator = Translator(keys)
    machine = Machine(members=members, translator=translator, journal=journal, timers=limits)
    merchants = Merchants(store)
    meta = MetaRequests(
        members=members,
        keys=keys,
        journal=journal,
        merchants=merchants,
        machine=machine,
        timers=limits,
    )
    receiver = Receiver(
        keys=keys,
        exchanges=exchanges,
        journal=journal,
        faults=faults,
        timers=limits,
        machine=machine,
        accounts=AccountRequests(members=members, translator=translator, timers=limits),
        meta=meta,
        bank=bank,
    )
    customers = Customers(machine=machine, journal=journal, switch_key=switch_key)
    return Sandbox(
        store, keys, journal, book, merchants, bank, others, members, machine, receiver, meta,
        customers, faults, limits, Inbox(), Heartbeats(bank, limits),
    )  # fmt: skip
