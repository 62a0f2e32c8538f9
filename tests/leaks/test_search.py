"""The search itself: a canary that is planted in any medium, in any form, is found."""

import base64
import json
import secrets
import uuid
from urllib.parse import quote

import psycopg
import pytest
from confluent_kafka import Producer
from psycopg import sql
from redis import Redis

from tests.leaks import canaries, search
from tests.leaks.canaries import Pattern
from tests.leaks.planting import block_of, made_up
from tests.leaks.plugin import Recorder
from tests.leaks.servers import kafka_contents, redis_contents

DATABASE = "leaks_planted"
# Rows too short to be compressed, and so many that most pages of the WAL end inside one.
ROWS = 100
ROW_BYTES = 1500


@pytest.fixture
def canary() -> canaries.Canaries:
    return made_up()[0]


def raw_of(canary) -> bytes:
    return base64.b64decode(block_of(canary).partition("|")[2])


def pin_of(canary) -> str:
    return next(iter(canary.pins))


def clear_of(canary) -> bytes:
    return next(iter(canary.pin_blocks))


PLANTED = {
    "a block":                       lambda c: block_of(c).encode(),
    "in JSON":                       lambda c: block_of(c).replace("/", "\\/").encode(),
    "in a URL":                      lambda c: quote(block_of(c), safe="").encode(),
    "half a block":                  lambda c: block_of(c)[len(block_of(c)) // 2 :].encode(),
    "in lines of 76":                lambda c: base64.encodebytes(raw_of(c)),
    "its text in hex":               lambda c: block_of(c).encode().hex().encode(),
    "its text in base64":            lambda c: base64.b64encode(block_of(c).encode()),
    "its text in base64, shifted":   lambda c: base64.b64encode(b"{" + block_of(c).encode()),
    "its text in base64, shifted 2": lambda c: base64.b64encode(b'{"' + block_of(c).encode()),
    "its bytes":                     raw_of,
    "its bytes in hex":              lambda c: raw_of(c).hex().encode(),
    "its bytes in upper hex":        lambda c: raw_of(c).hex().upper().encode(),
    "its bytes in base64, shifted":  lambda c: base64.b64encode(b"x" + raw_of(c)),
    "a part of its bytes":           lambda c: base64.b64encode(raw_of(c)[1:]),
    "base64 for URLs":               lambda c: base64.urlsafe_b64encode(raw_of(c)),
    "the PIN block's bytes":         clear_of,
    "the PIN block in hex":          lambda c: clear_of(c).hex().encode(),
    "the PIN block in upper hex":    lambda c: clear_of(c).hex().upper().encode(),
    "the PIN block in base64":       lambda c: base64.b64encode(clear_of(c)),
    "the PIN block in longer base64": lambda c: base64.b64encode(b"12" + clear_of(c) + b"3456"),
    "the PIN block in a URL":        lambda c: quote(base64.b64encode(b"1" + clear_of(c))).encode(),
    "a long PIN":                    lambda c: b"paid with " + pin_of(c).encode(),
    "a long PIN in base64":          lambda c: base64.b64encode(b'{"pin":' + pin_of(c).encode()),
    "a long PIN in hex":             lambda c: pin_of(c).encode().hex().encode(),
    "a long PIN, packed":            lambda c: bytes.fromhex("0c" + pin_of(c)),
}  # fmt: skip


@pytest.mark.parametrize("form", PLANTED)
def test_a_canary_is_found_in_every_form(tmp_path, canary, form):
    noise = secrets.token_bytes(50_000)
    file = tmp_path / "planted.bin"
    file.write_bytes(noise + b" " + PLANTED[form](canary) + b" " + noise)

    assert search.for_patterns(canary.patterns(), [file]) != []
    assert search.for_patterns(made_up()[0].patterns(), [file]) == []


def test_more_files_than_fit_one_command_are_all_searched(tmp_path, canary, monkeypatch):
    monkeypatch.setattr(search, "FILES_MAX", 2)
    files = [tmp_path / f"{number}.bin" for number in range(5)]
    for file in files:
        file.write_text(block_of(canary))

    found = search.for_patterns(canary.patterns(), files)

    assert {leak.place for leak in found} == {str(file) for file in files}


def test_a_leak_is_told_without_giving_the_canary_away(tmp_path, canary):
    file = tmp_path / "planted.bin"
    file.write_text(f"{block_of(canary)} {pin_of(canary)}")

    (told,) = search.by_place(search.for_patterns(canary.patterns(), [file]))

    assert str(file) in told
    assert pin_of(canary) not in told
    assert block_of(canary)[4:-8] not in told


@pytest.mark.parametrize(
    ("_case", "text", "is_leak"),
    [
        ("JSON",               '{"pin": "274913"}',                            True),
        ("JSON in JSON",       r'{"body": "{\"otp\": \"274913\"}"}',           True),
        ("a log field",        "event=verify pin=274913",                      True),
        ("a sentence",         "the PIN is 274913.",                           True),
        ("the text message",   "274913 is the OTP to set the UPI PIN",         True),
        ("a Python value",     "Login(secret='274913')",                       True),
        ("another PIN",        '{"pin": "274914"}',                            False),
        ("a fraction",         "pin_verified at 18:09:12.274913Z",             False),
        ("a longer number",    "pin=2749135",                                  False),
        ("an identifier",      "pin=274913ab",                                 False),
        ("a number of a row",  '{"amount_paise": 274913, "id": 274913}',       False),
        ("another word",       "shopping: 274913",                             False),
    ],
)  # fmt: skip
def test_a_short_pin_counts_beside_a_word_for_one(tmp_path, _case, text, is_leak):
    file = tmp_path / "planted.bin"
    file.write_text(text)

    found = search.for_short_pins(frozenset({b"274913"}), [file])

    assert bool(found) is is_leak


@pytest.mark.parametrize(
    ("_case", "text", "is_leak"),
    [
        ("alone",                   "001287654321",                             True),
        ("in JSON",                 '["SAVINGS", "001287654321"]',              True),
        ("masked",                  "XXXXXXXX4321",                             False),
        ("inside a longer number",  "9001287654321",                            False),
        ("the end of a UUID",       "018f2c3e-7b1a-7c3d-9e4f-001287654321",     False),
        ("a fraction",              "0.001287654321",                           False),
    ],
)  # fmt: skip
def test_an_account_number_is_known_by_its_form(tmp_path, _case, text, is_leak):
    file = tmp_path / "planted.bin"
    file.write_text(text)

    assert bool(search.for_account_numbers([file])) is is_leak


@pytest.fixture
def planted(recording):
    """A database to plant canaries in; it goes away again."""
    name = sql.Identifier(DATABASE)
    with psycopg.connect(recording.cluster.url("postgres"), autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        server.execute(sql.SQL("CREATE DATABASE {}").format(name))
        with psycopg.connect(recording.cluster.url(DATABASE), autocommit=True) as connection:
            yield connection
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def in_dump(recording, made) -> set[str]:
    dump = recording.cluster.dump(DATABASE, to=recording.folder / "planted.sql")
    patterns = [pattern for each in made for pattern in each.patterns()]
    return {leak.canary for leak in search.for_patterns(patterns, [dump])}


def in_wal(recording, made, *, since) -> set[str]:
    patterns = [pattern for each in made for pattern in each.patterns()]
    wal = recording.cluster.wal(since=since)
    return {leak.canary for leak in search.for_patterns(patterns, [], wal=wal)}


def names(made) -> set[str]:
    return {next(canaries.block_patterns(block_of(each))).canary for each in made}


def plant(connection, made, *, table="kept", filler=""):
    kind = "UNLOGGED" if table == "unlogged" else ""
    connection.execute(f"CREATE {kind} TABLE {table} (content text)")
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {table} VALUES (%s)", [[filler + block_of(each)] for each in made]
        )


def test_a_row_is_found_in_the_dump_and_in_the_wal(recording, planted):
    made = made_up()
    since = recording.cluster.wal_segment()

    plant(planted, made)

    assert in_dump(recording, made) == names(made)
    assert in_wal(recording, made, since=since) == names(made)


def test_what_goes_on_over_the_end_of_a_page_is_found_in_the_wal(recording, planted):
    rows = [secrets.token_hex(ROW_BYTES // 2) for _ in range(ROWS)]
    whole = [Pattern(row.encode(), f"row {number}", "text") for number, row in enumerate(rows)]
    since = recording.cluster.wal_segment()

    planted.execute("CREATE TABLE long AS SELECT unnest(%s::text[])", [rows])

    found = search.for_patterns(whole, [], wal=recording.cluster.wal(since=since))
    assert {leak.canary for leak in found} == {pattern.canary for pattern in whole}


def test_a_row_that_is_gone_is_found_in_the_wal(recording, planted):
    made = made_up()
    since = recording.cluster.wal_segment()

    plant(planted, made)
    planted.execute("DROP TABLE kept")

    assert in_dump(recording, made) == set()
    assert in_wal(recording, made, since=since) == names(made)


def test_a_row_that_is_compressed_is_found_in_the_wal(recording, planted):
    made = made_up(count=8)
    since = recording.cluster.wal_segment()

    plant(planted, made, filler="<Detail name='ACTYPE' value='SAVINGS'/>" * 200)
    sizes = planted.execute("SELECT max(pg_column_size(content)) FROM kept").fetchone()

    assert sizes[0] < 2000
    assert in_wal(recording, made, since=since) == names(made)


def test_an_unlogged_row_is_neither_in_the_dump_nor_in_the_wal(recording, planted):
    made = made_up()
    since = recording.cluster.wal_segment()

    plant(planted, made, table="unlogged")

    assert in_dump(recording, made) == set()
    assert in_wal(recording, made, since=since) == set()


@pytest.mark.parametrize(
    "write",
    [
        lambda client, key, text: client.set(key, text),
        lambda client, key, text: client.rpush(key, "other", text),
        lambda client, key, text: client.sadd(key, text),
        lambda client, key, text: client.zadd(key, {text: 1}),
        lambda client, key, text: client.hset(key, "field", text),
        lambda client, key, text: client.xadd(key, {"field": text}),
    ],
    ids=["string", "list", "set", "sorted set", "hash", "stream"],
)
def test_a_redis_key_is_found_in_every_database(recording, canary, write):
    key, files = f"planted:{uuid.uuid4()}", [recording.folder / "planted.redis"]

    with Redis.from_url(recording.place.redis_url, db=7) as client:
        write(client, key, block_of(canary))
        redis_contents(recording.place.redis_url, to=files[0])
        client.delete(key)

    assert search.for_patterns(canary.patterns(), files) != []


def test_a_redis_key_that_is_gone_is_found_all_the_same(recording, canary):
    with Redis.from_url(recording.place.redis_url) as client:
        client.set(f"planted:{uuid.uuid4()}", block_of(canary), px=1)

    folder = recording.place.directory.data("redis")
    files = [file for file in folder.rglob("*") if file.is_file()]

    assert search.for_patterns(canary.patterns(), files) != []


@pytest.mark.kafka
def test_a_kafka_message_is_found(recording, canary):
    addresses, file = recording.place.kafka_addresses, recording.folder / "planted.kafka"
    producer = Producer({"bootstrap.servers": addresses, "compression.type": "gzip"})
    document = json.dumps({"pin_block": block_of(canary)})

    producer.produce("leaks.planted", key=str(uuid.uuid4()), value=document)
    producer.flush(20)

    kafka_contents(addresses, to=file)
    assert search.for_patterns(canary.patterns(), [file]) != []


def test_what_a_test_prints_is_kept_for_the_search(recording, canary):
    report = pytest.TestReport(
        nodeid="tests/any.py::test_any",
        location=("tests/any.py", 1, "test_any"),
        keywords={},
        outcome="passed",
        longrepr=None,
        when="call",
        sections=[("Captured stdout call", f"printed {block_of(canary)}")],
    )

    Recorder(recording).pytest_runtest_logreport(report)

    assert search.for_patterns(canary.patterns(), [recording.output]) != []
