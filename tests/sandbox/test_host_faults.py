"""Every fault of the core-banking host, and what of the money it leaves moved."""

import pytest

from sandbox.host_faults import BY_CHANCE, Kind
from tests.sandbox.conftest import HOST_OPENING as OPENING
from tests.sandbox.conftest import wait_until
from tests.sandbox.host_caller import BALANCE, DEBIT, ClosedError, read

PAISE = 200


@pytest.fixture
def fault(host, account):
    """Order a fault for this test's own account."""
    return lambda kind, **order: host.fault(kind, match={"account": account}, **order)


def answered(caller, request):
    """Return the answer, MAC and all, as it came."""
    caller.send(caller.framed("0200", request))
    message = caller.receive_raw()
    _, fields, mac = read(message)
    return fields, mac, mac == caller.mac(message[: len(message) - len(mac)])


@pytest.mark.parametrize(("kind", "left"), [("timeout_applied", 200), ("timeout_not_applied", 0)])
def test_no_answer_comes_whether_it_was_done_or_not(host, caller, account, fault, kind, left):
    fault(kind)
    request = caller.request(DEBIT, account, PAISE)

    caller.send(caller.framed("0200", request))

    # The request was taken before the echo, and the echo is what is answered.
    assert caller.hears_nothing_before_an_echo()
    wait_until(lambda: host.balance(account) == OPENING - left)


def test_a_late_answer_lets_others_pass_and_its_money_is_moved_at_once(
    host, caller, account, fault
):
    fault("late", seconds=1)
    request = caller.request(DEBIT, account, PAISE)

    echo = caller.named() | {70: "301"}

    caller.send(caller.framed("0200", request) + caller.framed("0800", echo))

    assert caller.receive()[0] == "0810"
    wait_until(lambda: host.balance(account) == OPENING - PAISE)
    assert caller.receive()[1][39] == "00"


def test_a_held_request_comes_after_its_reversal_and_is_refused(host, caller, account, fault):
    fault("held", seconds=1)
    request = caller.request(DEBIT, account, PAISE)
    reversal = caller.reversal(request)

    caller.send(caller.framed("0200", request) + caller.framed("0420", reversal))

    heard = [caller.receive() for _ in range(2)]
    assert [(mti, answer[39]) for mti, answer in heard] == [("0430", "00"), ("0210", "12")]
    assert host.balance(account) == OPENING


def test_an_answer_comes_twice(host, caller, account, fault):
    fault("duplicate")
    request = caller.request(DEBIT, account, PAISE)

    caller.send(caller.framed("0200", request))

    assert caller.receive() == caller.receive()
    assert host.balance(account) == OPENING - PAISE


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        ("crossed_stan", {11: "500002"}),
        ("other_amount", {4: "000000000100"}),
        ("other_rrn", {37: "200000000000"}),
    ],
)
def test_an_answer_differs_from_its_request(host, caller, account, fault, kind, changed):
    fault(kind)
    request = caller.request(DEBIT, account, PAISE)
    assert (request[11], request[37]) == ("000002", "000000000002")

    caller.send(caller.framed("0200", request))

    mti, answer = caller.receive()
    assert (mti, answer[39]) == ("0210", "00")
    assert {number: answer[number] for number in (4, 11, 37)} == {
        number: request[number] for number in (4, 11, 37)
    } | changed
    assert host.balance(account) == OPENING - PAISE


def test_an_answer_names_another_account(host, caller, account, fault):
    fault("other_account")

    answer = caller.ask("0200", caller.request(DEBIT, account, PAISE))

    assert (answer[39], answer[102]) == ("00", account[::-1])
    assert host.balance(account) == OPENING - PAISE


def test_a_partial_approval_moves_half_and_is_undone_as_a_whole(host, caller, account, fault):
    fault("partial", count=1)
    request = caller.request(DEBIT, account, PAISE)

    answer = caller.ask("0200", request)

    assert (answer[39], answer[4]) == ("00", "000000000100")
    assert host.balance(account) == OPENING - PAISE // 2
    assert caller.ask("0200", caller.enquiry(request))[4] == "000000000100"
    assert caller.ask("0420", caller.reversal(request))[39] == "00"
    assert host.balance(account) == OPENING


@pytest.mark.parametrize("kind", ["bad_mac", "other_mac", "no_mac"])
def test_an_answer_s_mac_is_not_its_own(host, caller, account, fault, kind):
    fault(kind)

    fields, mac, is_right = answered(caller, caller.request(DEBIT, account, PAISE))

    assert (fields[39], len(mac), is_right) == ("00", 0 if kind == "no_mac" else 8, False)
    assert host.balance(account) == OPENING - PAISE


def test_a_black_hole_answers_nothing_and_does_nothing_until_it_is_ended(host, caller, account):
    host.fault("black_hole", match={"terminal": caller.terminal})
    request = caller.request(DEBIT, account, PAISE)
    caller.send(caller.framed("0200", request))
    caller.send(caller.framed("0800", caller.named() | {70: "301"}))
    wait_until(lambda: host.control.get("/faults").json()["faults"][0]["hits"] == 2)

    host.control.delete("/faults")

    assert caller.hears_nothing_before_an_echo()
    assert host.balance(account) == OPENING
    assert caller.ask("0200", request)[39] == "00"


@pytest.mark.parametrize(("is_done", "left"), [(False, 0), (True, 200)])
def test_an_unknown_code_says_nothing_of_the_money(host, caller, account, fault, is_done, left):
    fault("unknown_code", code="ZQ", applied=is_done)

    answer = caller.debit(account, PAISE)

    assert answer[39] == "ZQ"
    assert host.balance(account) == OPENING - left


def test_an_answer_has_control_bytes_and_the_journal_stays_readable(host, caller, account, fault):
    fault("control_bytes")

    answer = caller.debit(account, PAISE)

    assert answer[44].startswith("\x00\x1c\r\n")
    row = next(row for row in reversed(host.journal()) if row["fault"] == "control_bytes")
    assert row["fields"]["44"] == answer[44]


def test_an_answer_has_a_pin_block_and_the_journal_has_not(host, caller, account, fault):
    fault("pin_block")

    caller.send(caller.framed("0200", caller.request("000000", account, PAISE)))

    assert bytes.fromhex("0123456789ABCDEF") in caller.receive_raw()
    row = next(row for row in reversed(host.journal()) if row["fault"] == "pin_block")
    assert "52" not in row["fields"]


def test_an_answer_is_noise_in_a_frame(host, caller, account, fault):
    fault("garbage")
    caller.send(caller.framed("0200", caller.request(DEBIT, account, PAISE)))

    noise = caller.receive_raw()

    assert not noise.startswith(b"0210")
    assert caller.network("301")[0] == "0810"
    assert host.balance(account) == OPENING - PAISE


def test_an_answer_comes_byte_by_byte(host, caller, account, fault):
    fault("one_byte_segments")

    assert caller.debit(account, PAISE)[39] == "00"


@pytest.mark.parametrize("kind", ["torn", "reset"])
def test_a_link_ends_in_or_before_the_answer_and_the_money_is_moved(
    host, caller, account, fault, kind
):
    fault(kind)
    caller.send(caller.framed("0200", caller.request(DEBIT, account, PAISE)))

    with pytest.raises(ClosedError):
        caller.receive()

    assert host.balance(account) == OPENING - PAISE


def test_an_order_fits_the_messages_it_names_and_no_more_than_its_count(host, caller, account):
    match = {"account": account, "mti": "0200", "processing_code": DEBIT}
    host.fault("unknown_code", match=match, count=2)

    balance = caller.ask("0200", caller.request(BALANCE, account, 0))
    codes = [caller.debit(account, 1)[39] for _ in range(3)]

    assert (balance[39], codes) == ("00", ["ZZ", "ZZ", "00"])
    (shown,) = host.control.get("/faults").json()["faults"]
    assert (shown["hits"], shown["account"]) == (2, "XXXXXXXX" + account[-4:])


def test_chance_gives_the_same_faults_to_the_same_seed(host, caller, account):
    def fates():
        host.order("/random_faults", seed=7, rates={"other_rrn": 0.3, "crossed_stan": 0.3})
        for _ in range(20):
            caller.send(caller.framed("0200", caller.request(DEBIT, account, 1)))
            caller.receive()
        return [row["fault"] for row in host.journal(after) if row["direction"] == "out"]

    after = len(host.journal())
    first = fates()
    after = len(host.journal())

    assert fates() == first
    assert {*first} == {"", "other_rrn", "crossed_stan"}
    assert sum(host.control.get("/faults").json()["by_chance"].values()) == 20 - first.count("")


def test_every_kind_can_be_ordered_and_nearly_all_come_by_chance(host):
    for kind in Kind:
        host.fault(kind, match={"terminal": "NOBODY"})
    host.order("/random_faults", seed=1, rates=dict.fromkeys(BY_CHANCE, 0.01))

    assert {row["kind"] for row in host.control.get("/faults").json()["faults"]} == {*Kind}


def test_the_host_speaks_unasked(host, caller):
    for mti in ("0800", "0200", "0210"):
        host.order("/unasked", mti=mti, stan="777777")

        heard, fields = caller.receive()
        assert (heard, fields[11]) == (mti, "777777")
