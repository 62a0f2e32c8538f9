"""The core-banking host: money moves once, is asked about, is undone, and a day ends."""

import csv
import io

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sandbox import pem
from tests.sandbox.conftest import HOST_OPENING as OPENING
from tests.sandbox.conftest import wait_until
from tests.sandbox.host_caller import BALANCE, CREDIT, DEBIT, RETURN, Caller


def dayfile(host, date):
    response = host.control.get(f"/dayfile/{date}")
    assert response.is_success, response.text
    return list(csv.DictReader(io.StringIO(response.text)))


def business_date(host):
    return host.control.get("/healthz").json()["business_date"]


def unwrapped(host, own):
    """Return what the host wrapped; None while it is not there, or for another key."""
    file = host.keys / "900001.host-mac.wrapped"
    digest = hashes.SHA1()
    try:
        return own.decrypt(
            file.read_bytes(), padding.OAEP(padding.MGF1(digest), digest, label=None)
        )
    except (FileNotFoundError, ValueError):
        return None


def test_money_moves_and_the_answer_says_what_is_left(host, caller, account):
    debited = caller.debit(account, 2_500)
    credited = caller.ask("0200", caller.request(CREDIT, account, 1_000))
    returned = caller.ask("0200", caller.request(RETURN, account, 2_500))
    asked = caller.ask("0200", caller.request(BALANCE, account, 0))

    assert (debited[39], debited[54]) == ("00", "1002356C000000097500")
    assert (credited[39], credited[54]) == ("00", "1002356C000000098500")
    assert (returned[39], returned[4]) == ("00", "000000002500")
    assert (asked[39], asked[54]) == ("00", "1002356C000000101000")
    assert host.balance(account) == OPENING + 1_000


def test_an_answer_names_its_request_and_the_business_day(host, caller, account):
    request = caller.request(DEBIT, account, 100)

    answer = caller.ask("0200", request)

    assert {number: answer[number] for number in (3, 4, 7, 11, 32, 37, 41, 48, 49)} == {
        number: request[number] for number in (3, 4, 7, 11, 32, 37, 41, 48, 49)
    }
    assert answer[15] == business_date(host)[5:].replace("-", "")
    assert len(answer[38]) == 6


@pytest.mark.parametrize(
    ("status", "processing", "paise", "code"),
    [
        ("ACTIVE",     DEBIT,  OPENING + 1, "51"),
        ("ACTIVE",     DEBIT,  0,           "12"),
        ("FROZEN",     DEBIT,  1,           "62"),
        ("FROZEN",     CREDIT, 1,           "62"),
        ("NO_DEBIT",   DEBIT,  1,           "62"),
        ("NO_DEBIT",   CREDIT, 1,           "00"),
        ("OVER_LIMIT", DEBIT,  1,           "61"),
        ("CLOSED",     CREDIT, 1,           "53"),
    ],
)  # fmt: skip
def test_an_account_that_may_not_is_declined_by_its_code(
    host, caller, status, processing, paise, code
):
    # The account's number is its caller's terminal.
    account = f"0011{caller.terminal}"
    host.open_account(account, status=status)

    answer = caller.ask("0200", caller.request(processing, account, paise))

    assert answer[39] == code
    assert host.balance(account) == OPENING + (paise if code == "00" else 0)


@pytest.mark.parametrize(
    ("_case", "code", "changes"),
    [
        ("no such account",     "14", {102: "009999999999"}),
        ("no account at all",   "30", {102: ""}),
        ("no RRN",              "30", {37: ""}),
        ("another currency",    "12", {49: "840"}),
        ("unknown processing",  "12", {3: "999999"}),
        ("enquiry of nothing",  "30", {3: "380000"}),
    ],
)  # fmt: skip
def test_a_request_that_cannot_be_served_is_refused(host, caller, account, _case, code, changes):
    request = caller.request(DEBIT, account, 100) | changes

    answer = caller.ask("0200", {number: value for number, value in request.items() if value})

    assert answer[39] == code
    assert host.balance(account) == OPENING


def test_the_same_request_again_is_told_what_was_said_before(host, caller, account):
    request = caller.request(DEBIT, account, 100)

    first, again, repeated = (caller.ask(mti, request) for mti in ("0200", "0200", "0201"))

    assert first == again == repeated
    assert host.balance(account) == OPENING - 100


def test_another_request_of_the_same_name_is_a_duplicate(host, caller, account):
    request = caller.request(DEBIT, account, 100)
    caller.ask("0200", request)

    answer = caller.ask("0200", request | {4: "000000000200"})

    assert answer[39] == "94"
    assert host.balance(account) == OPENING - 100


def test_a_host_that_recognises_no_repeats_does_it_again(host, caller, account):
    host.order("/settings", recognises_repeats=False)
    request = caller.request(DEBIT, account, 100)
    caller.ask("0200", request)

    caller.ask("0201", request)

    assert host.balance(account) == OPENING - 200
    assert caller.ask("0420", caller.reversal(request))[39] == "00"
    assert host.balance(account) == OPENING


@pytest.mark.parametrize("processing", [DEBIT, CREDIT, RETURN])
def test_what_is_reversed_is_undone_once_however_often_it_is_said(
    host, caller, account, processing
):
    request = caller.request(processing, account, 100)
    caller.ask("0200", request)
    reversal = caller.reversal(request)

    codes = [caller.ask(mti, reversal)[39] for mti in ("0420", "0421", "0421")]

    assert codes == ["00", "00", "00"]
    assert host.balance(account) == OPENING


def test_a_request_that_comes_after_its_reversal_is_refused(host, caller, account):
    request = caller.request(DEBIT, account, 100)

    assert caller.ask("0420", caller.reversal(request))[39] == "00"

    assert caller.ask("0200", request)[39] == "12"
    assert caller.ask("0201", request)[39] == "12"
    assert host.balance(account) == OPENING


def test_a_host_that_remembers_no_reversal_says_so_and_books_the_late_request(
    host, caller, account
):
    host.order("/settings", refuses_after_reversal=False)
    request = caller.request(DEBIT, account, 100)

    assert caller.ask("0420", caller.reversal(request))[39] == "21"

    assert caller.ask("0200", request)[39] == "00"
    assert host.balance(account) == OPENING - 100


def test_a_declined_original_is_reversed_without_money(host, caller, account):
    request = caller.request(DEBIT, account, OPENING + 1)
    assert caller.ask("0200", request)[39] == "51"

    assert caller.ask("0420", caller.reversal(request))[39] == "00"

    assert host.balance(account) == OPENING


@pytest.mark.parametrize("changes", [{4: "000000000200"}, {37: "999999999999"}])
def test_a_reversal_that_does_not_fit_its_original_undoes_nothing(host, caller, account, changes):
    request = caller.request(DEBIT, account, 100)
    caller.ask("0200", request)

    assert caller.ask("0420", caller.reversal(request) | changes)[39] == "12"

    assert host.balance(account) == OPENING - 100


def test_an_enquiry_says_what_became_of_the_original(host, caller, account):
    done = caller.request(DEBIT, account, 100)
    declined = caller.request(DEBIT, account, OPENING + 1)
    undone = caller.request(DEBIT, account, 100)
    never = caller.request(DEBIT, account, 100)
    for request in (done, declined, undone):
        caller.ask("0200", request)
    caller.ask("0420", caller.reversal(undone))

    answers = [caller.ask("0200", caller.enquiry(each)) for each in (done, declined, undone, never)]

    said = [(answer[39], answer.get(44)) for answer in answers]
    assert said == [("00", "00"), ("00", "51"), ("00", "12"), ("25", None)]
    assert answers[0][4] == done[4]


def test_a_reversal_after_the_cut_over_finds_its_original_of_the_day_before(host, caller, account):
    day = business_date(host)
    request = caller.request(DEBIT, account, 100)
    before = caller.ask("0200", request)
    next_day = host.order("/cutover")["business_date"]

    after = caller.ask("0420", caller.reversal(request))

    assert next_day > day
    assert (before[15], after[15]) == (day[5:].replace("-", ""), next_day[5:].replace("-", ""))
    assert (after[39], host.balance(account)) == ("00", OPENING)


def test_the_day_file_lists_what_was_posted_and_undone_on_its_day(host, caller, account):
    host.order("/cutover")
    day = business_date(host)
    kept, undone = (caller.request(DEBIT, account, paise) for paise in (100, 200))
    declined = caller.request(DEBIT, account, OPENING + 1)
    for request in (kept, undone, declined):
        caller.ask("0200", request)
    caller.ask("0420", caller.reversal(undone))
    assert host.control.get(f"/dayfile/{day}").json()["code"] == "day_open"
    host.order("/cutover")

    *rows, end = dayfile(host, day)

    of_account = [row for row in rows if row["account"] == account]
    assert [
        (row["kind"], row["stan"], row["rrn"], row["amount_paise"], row["sign"], row["response"])
        for row in of_account
    ] == [
        ("POSTED", kept[11], kept[37], "100", "D", "00"),
        ("POSTED", undone[11], undone[37], "200", "D", "00"),
        ("UNDONE", undone[11], undone[37], "200", "C", "00"),
    ]
    assert {(row["terminal"], row["sent_at"], row["upi_id"]) for row in of_account} == {
        (caller.terminal, kept[7], kept[48])
    }
    assert (end["kind"], end["business_date"], end["rows"]) == ("END", day, str(len(rows)))


def test_the_book_survives_a_host_that_is_killed(host, caller, account):
    request = caller.request(DEBIT, account, 100)
    first = caller.ask("0200", request)
    host.kill()
    host.start()

    with Caller(host.port, host.tls, host.mac_key, terminal=caller.terminal) as again:
        again.sign_on()
        assert again.ask("0201", request) == first
    assert host.balance(account) == OPENING - 100


def test_an_account_that_is_there_keeps_its_balance(host, account):
    response = host.control.post(
        "/accounts", json=[{"number": account, "balance_paise": 1, "status": "FROZEN"}]
    )

    assert (response.status_code, response.json()) == (200, {"opened": 0})
    found = host.control.get(f"/accounts/{account}").json()
    assert (found["balance_paise"], found["status"]) == (OPENING, "FROZEN")


def test_an_emptied_book_knows_neither_accounts_nor_requests(host, caller, account):
    request = caller.request(DEBIT, account, 100)
    caller.ask("0200", request)

    host.control.delete("/accounts").raise_for_status()

    assert host.control.get(f"/accounts/{account}").status_code == 404
    host.open_account(account, 50)
    assert caller.ask("0200", request)[39] == "51"
    assert host.balance(account) == 50


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/accounts", {"number": "1 2"}),
        ("/accounts", {"number": "12", "status": "GONE"}),
        ("/accounts", [{"number": "12"}, 5]),
        ("/faults", {"kind": "fire"}),
        ("/faults", {"kind": "late", "match": {"stan": "1"}}),
        ("/faults", {"kind": "unknown_code", "code": "ABC"}),
        ("/random_faults", {"seed": 1, "rates": {"black_hole": 0.1}}),
        ("/random_faults", {"seed": 1, "rates": {"late": 0.6, "held": 0.6}}),
        ("/settings", {"recognises_repeat": True}),
        ("/unasked", {"mti": "0420"}),
    ],
)
def test_a_wrong_order_is_refused(host, path, body):
    response = host.control.post(path, json=body)

    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert host.control.get("/faults").json()["faults"] == []


def test_the_journal_and_the_page_show_no_whole_account_number(host, caller, account):
    caller.debit(account, 100)

    shown = [row for row in host.journal() if row["fields"].get("41") == caller.terminal]

    assert [(row["direction"], row["fields"]["mti"]) for row in shown][-2:] == [
        ("in", "0200"),
        ("out", "0210"),
    ]
    assert shown[-1]["fields"]["102"] == "XXXXXXXX" + account[-4:]
    assert account not in str(shown)
    page = host.control.get("/")
    assert "text/html" in page.headers["content-type"]
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_the_mac_key_is_wrapped_for_each_key_that_the_bank_shows(host):
    for _ in range(2):
        own = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem.write(
            host.keys / "900001.host-transport.pem", pem.public_pem(own.public_key()), mode=0o644
        )

        wait_until(lambda own=own: unwrapped(host, own) == host.mac_key)


def test_nobody_reads_a_day_that_is_none(host):
    assert host.control.get("/dayfile/yesterday").status_code == httpx.codes.BAD_REQUEST
