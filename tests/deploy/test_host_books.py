"""What the long run says when the host's book and ours differ, and that it misses nothing."""

import dataclasses
import json

import pytest

from deploy.local.host_books import Base, Books, Line, Movement, differences

ASHA, RAVI = "001100000001", "001100000002"
ONE, TWO = ("EXBUPI01", 1, "1123160000"), ("EXBUPI01", 2, "1123160001")
DEBIT = Line("POSTED", ONE, "632700000001", "000000", "EXB1", ASHA, -700)
CREDIT = Line("POSTED", TWO, "632700000002", "210000", "EXB2", RAVI, 500)
OURS = [
    Movement(ONE, "DEBIT", "POSTED", "EXB1", "632700000001", 700, ASHA, -700),
    Movement(TWO, "CREDIT", "POSTED", "EXB2", "632700000002", 500, RAVI, 500),
]
BASE = Base(mirror_paise=0, accounts={ASHA: 1000, RAVI: 1000}, business_date="2026-11-23")
AGREED = Books([DEBIT, CREDIT], OURS, {ASHA: 300, RAVI: 1500}, -200)


def with_lines(*lines, asha=300, ravi=1500):
    return dataclasses.replace(AGREED, lines=lines, accounts={ASHA: asha, RAVI: ravi})


def changed(index, **changes):
    ours = list(OURS)
    ours[index] = dataclasses.replace(ours[index], **changes)
    return dataclasses.replace(AGREED, movements=ours)


def test_books_that_agree_have_no_difference():
    assert differences(BASE, AGREED) == []


def test_a_call_that_was_undone_is_one_that_never_moved_money():
    undone = dataclasses.replace(DEBIT, kind="UNDONE", paise=700)
    declined = dataclasses.replace(OURS[0], state="DECLINED", booked_paise=None)
    now = Books([DEBIT, undone, CREDIT], [declined, OURS[1]], {ASHA: 1000, RAVI: 1500}, 500)

    assert differences(BASE, now) == []


OTHER = ("EXBUPI01", 3, "1123160002")
AGAIN = dataclasses.replace(CREDIT, paise=500)
BACK = dataclasses.replace(DEBIT, kind="UNDONE", paise=700)
MORE = dataclasses.replace(CREDIT, paise=600)
LESS = dataclasses.replace(DEBIT, paise=-800)


@pytest.mark.parametrize(
    ("_case", "now", "said"),
    [
        ("a call too many",  with_lines(DEBIT, CREDIT, dataclasses.replace(DEBIT, key=OTHER),
                                        asha=-400),                 "no call of ours"),
        ("a call twice",     with_lines(DEBIT, CREDIT, AGAIN, ravi=2000), "more than once"),
        ("a call too few",   with_lines(DEBIT, ravi=1000),          "0 paise at the host, 500"),
        ("one undone",       with_lines(DEBIT, BACK, CREDIT, asha=1000), "0 paise at the host, -7"),
        ("another account",  with_lines(DEBIT, dataclasses.replace(CREDIT, account=ASHA),
                                        asha=800, ravi=1000),       "account is"),
        ("another RRN",      with_lines(DEBIT, dataclasses.replace(CREDIT, rrn="1")), "RRN is"),
        ("a balance alone",  with_lines(DEBIT, CREDIT, asha=299),   f"account {ASHA}"),
        ("declined, posted", changed(1, state="DECLINED", booked_paise=None), "500 paise at the"),
        ("no transfer",      changed(1, booked_paise=None),         "0 paise in our ledger"),
        ("a transfer back",  changed(0, booked_paise=700),          "700 paise in our ledger"),
        ("no call",          changed(0, key=None),                  "0 paise at the host, -700"),
        ("the mirror alone", dataclasses.replace(AGREED, mirror_paise=-199), "CORE_BANKING"),
    ],
)  # fmt: skip
def test_a_planted_difference_is_found(_case, now, said):
    assert said in "\n".join(differences(BASE, now))


def test_two_opposite_errors_are_two_errors():
    # The host took a hundred paise more from one and gave a hundred more to the other.
    now = with_lines(LESS, MORE, asha=200, ravi=1600)

    found = differences(BASE, now)

    assert sum(now.accounts.values()) == sum(AGREED.accounts.values())
    assert [line.split(":")[0] for line in found] == [
        "DEBIT of EXB1 (POSTED)", "CREDIT of EXB2 (POSTED)", f"account {ASHA}", f"account {RAVI}",
    ]  # fmt: skip


def test_opposite_errors_in_one_account_are_found_by_call():
    # Both calls are of one account: its balance is right, and each call is wrong.
    ours = [OURS[0], dataclasses.replace(OURS[1], account=ASHA)]
    lines = [LESS, dataclasses.replace(MORE, account=ASHA)]
    now = Books(lines, ours, {ASHA: 800, RAVI: 1000}, -200)

    assert [line.split(":")[0] for line in differences(BASE, now)] == [
        "DEBIT of EXB1 (POSTED)", "CREDIT of EXB2 (POSTED)",
    ]  # fmt: skip


def test_a_base_is_read_as_it_was_kept():
    assert Base(**json.loads(json.dumps(dataclasses.asdict(BASE)))) == BASE
