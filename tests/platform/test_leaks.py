"""
After a whole run, PINs and PIN blocks are found nowhere, account numbers only in the database.

The search covers what every test of the run did with credentials, in whichever process. It also
makes payments of its own, with PINs so long that no other digits are taken for them.
"""

import secrets
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from deploy.local.demo import acts
from deploy.local.demo.page import Page
from tests.leaks import canaries, media, refused, search

pytestmark = [pytest.mark.platform, pytest.mark.timeout(600), pytest.mark.last_of_all]

# What this module makes by itself; fewer mean that the canaries were not noted.
BLOCKS_MIN = 40
PIN_BLOCKS_MIN = 8
LONG_PINS_MIN = 6
PAYMENTS = 3
REFUSALS_MIN = 30
# A minute of life, the seconds until a sweeper removes what is over, and a slow machine.
PURGED_SECONDS_MAX = 120
PLATFORM = "platform"
NUMBERS = "SELECT number FROM accounts_bank_account"
HAS_NUMBERS = "SELECT to_regclass('accounts_bank_account') IS NOT NULL"
PIN_BLOCKS = "SELECT credentials::text FROM upi_pin_block"


@dataclass(frozen=True, slots=True)
class Run:
    """What the search is for, and what it is in."""

    known: canaries.Canaries = field(repr=False)
    pages: list[Path]
    media: media.Media


class Quiet(Page):
    """A page that prints nothing; what does not hold ends the run."""

    def __init__(self) -> None:
        super().__init__()
        self._console.quiet = True

    def expect(self, promise: str, *, found: object, wanted: object) -> None:
        assert found == wanted, promise


def long_pin() -> str:
    return f"{10**11 + secrets.randbelow(9 * 10**11)}"


@pytest.fixture(scope="module")
def pages(stage, recording) -> list[Path]:
    """Play every kind of payment and of account request; return the pages of refusals."""
    page = Quiet()
    stage.customers = {
        name: replace(customer, pin=long_pin()) for name, customer in stage.customers.items()
    }
    ravi, meera = stage["ravi"], stage["meera"]
    stage.set_pins(page)
    for play in (acts.on_us, acts.to_the_other_bank, acts.from_the_other_bank, acts.purchase):
        play(stage, page)
    acts.credit_request_lost(stage, page)
    statuses = [ravi.pay(meera.vpa, 1_00)["status"] for _ in range(PAYMENTS)]
    statuses.append(ravi.pay(meera.vpa, 1_00, pin=long_pin())["status"])
    meera.phone.balance(meera.account_id, pin=meera.pin)
    later = long_pin()
    meera.phone.change_pin(meera.account_id, present=meera.pin, new=later)
    statuses.append(meera.pay(ravi.vpa, 1_00, pin=later)["status"])
    assert statuses == ["succeeded"] * PAYMENTS + ["failed", "succeeded"]
    return _pages(stage, recording)


def _pages(stage, recording) -> list[Path]:
    ((number,), *_) = recording.cluster.rows(PLATFORM, NUMBERS)
    answers = refused.ask(stage, stage["asha"], account=number)
    assert len(answers) >= REFUSALS_MIN
    # A refused message has HTTP 200 too, and says so in its Ack.
    assert [answer.text for answer in answers if not refused.is_refusal(answer)] == []
    documents = [stage.client.get(stage.public_url + path) for path in ("/docs", "/docs/openapi")]
    assert [document.status_code for document in documents] == [200, 200]
    found = []
    for place, answer in enumerate([*answers, *documents]):
        file = recording.folder / f"page-{place}.txt"
        file.write_bytes(repr(answer.headers).encode() + b"\n" + answer.content)
        found.append(file)
    return found


@pytest.fixture(scope="module")
def run(pages, recording, tmp_path_factory) -> Run:
    return Run(
        known=canaries.read(recording.canary_file),
        pages=pages,
        media=media.collect(recording, temporary=tmp_path_factory.getbasetemp()),
    )


def refuse(leaks: list[search.Leak]) -> None:
    """Fail, place by place, if there is a leak; what is printed gives no canary away."""
    places = search.by_place(leaks)
    if places:
        pytest.fail("\n".join(places), pytrace=False)


def test_the_run_has_canaries_and_traces_to_search(run):
    assert len(run.known.blocks) >= BLOCKS_MIN
    assert len(run.known.pin_blocks) >= PIN_BLOCKS_MIN
    assert len(run.known.long_pins) >= LONG_PINS_MIN
    assert {"platform.sql", "upi.sql"} <= {dump.name for dump in run.media.dumps}
    assert {"receiver.log", "payments.log", "worker.log", "redis.txt", "kafka.txt"} <= {
        file.name for file in run.media.texts if file.stat().st_size
    }
    assert any("appendonly" in str(file) for file in run.media.texts)


def test_no_pin_and_no_pin_block_is_in_dumps_wal_redis_kafka_or_files(run, recording):
    wal = recording.cluster.wal(since=recording.wal_since)

    leaks = search.for_patterns(run.known.patterns(), run.media.files, wal=wal)

    refuse(leaks)


def test_no_short_pin_stands_beside_a_word_for_one(run):
    files = [*run.media.texts, *run.media.dumps, *run.pages]

    refuse(search.for_short_pins(run.known.short_pins, files))


def test_no_page_of_the_platform_says_a_pin_a_block_or_an_account_number(run):
    patterns = [*run.known.patterns(), *canaries.account_patterns(run.known.accounts)]

    refuse(search.for_patterns(patterns, run.pages))
    refuse(search.for_account_numbers(run.pages))


def test_no_account_number_is_outside_the_database_and_its_wal(run, recording):
    cluster = recording.cluster
    numbers = run.known.accounts | {
        number
        for database in cluster.databases()
        if cluster.rows(database, HAS_NUMBERS) == [(True,)]
        for (number,) in cluster.rows(database, NUMBERS)
    }

    patterns = canaries.account_patterns(numbers)
    refuse(search.for_patterns(patterns, run.media.texts))
    refuse(search.for_account_numbers(run.media.texts))


def test_dumps_leave_out_the_pin_blocks_on_their_way_and_nothing_else(run):
    assert {table for tables in run.media.unlogged.values() for table in tables} == {
        "upi_pin_block"
    }


def test_no_pin_block_stays_longer_than_its_minute(run, recording):
    stored = recording.folder / "stored.txt"
    until = time.monotonic() + PURGED_SECONDS_MAX
    leaks = None
    # What an answer of ours carries is there for its repeats, though the answer was acked.
    while leaks is None or (leaks and time.monotonic() < until):
        rows = recording.cluster.rows(PLATFORM, PIN_BLOCKS)
        stored.write_text("\n".join(text for (text,) in rows))
        leaks = search.for_patterns(run.known.patterns(), [stored])
        time.sleep(1 if leaks else 0)

    refuse(leaks)
