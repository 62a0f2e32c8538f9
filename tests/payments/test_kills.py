"""
A process that is killed at any fault point resumes, and the payment is made once (payments.md 10).

The points are those that payments pass, as runs record them: a good on-us payment to a merchant, a
refund of it, collects that are approved, declined and left to expire, then a payment whose end
nobody tells us, one that is reversed, and one that is declined. The web part and the working part
of the bank are real processes, and so is the switch. At each point in turn a payment is made, the
process that passes the point dies there by SIGKILL with all that it was doing, and comes back.
"""

import re
from collections import Counter
from pathlib import Path

import pytest

from apps.common import clock
from apps.ledger.selectors import books_sum
from apps.payments.open_items import open_items
from apps.payments.services.posting import leg_key
from apps.settlement.selectors import our_sides
from apps.settlement.services.take_file import take_file
from tests import bank_host
from tests.payments.mortals import ROOT, is_at_rest, open_world, wait_until

# Where the points are in the source, and those of other paths, whose own tests kill at them.
SOURCES = ("apps/payments", "apps/upi", "apps/accounts")
ELSEWHERE = {"account_request", "credentials", "otp"}
# A request of the switch that dies before its commit is, to the switch, a bank that is not there:
# it fails the payment and reverses what it had done.
UNTAKEN = {
    "payee_psp.received.uncommitted",
    "upi.accepting",
    "debit.received.uncommitted",
    "credit.received.uncommitted",
    "collect.received.uncommitted",
}
# One that dies after it has no Ack either, but our answer may still come first; and while the web
# part comes back, the switch may find nobody to ask.
UNACKED = {
    "payment.accepted",
    "refund.accepted",
    "collect.accepted",
    "collect.approved",
    "payee_psp.received",
    "upi.accepted",
    "debit.received",
    "credit.received",
    "collect.received",
}
# Claimed and never sent: nobody but the claim's holder knew, so it stays unknown, and is listed.
NEVER_SENT = {"psp.claimed", "upi.request.signed"}
# The host was perhaps not asked, and is not asked again: the money is refused for ever instead.
PERHAPS_ASKED = {"core_banking.planned", "core_banking.sent"}
HURRIED = 0.1
# What the bank sends once and never again.
BEGINNINGS = {"PAY", "COLLECT", "REFUND"}
pytestmark = [pytest.mark.platform, pytest.mark.timeout(600)]


@pytest.fixture
def world(hand, gateway, tmp_path):
    with open_world(hand, tmp_path) as opened:
        yield opened


def test_a_process_killed_anywhere_resumes_and_the_payment_is_made_once(world):
    good = {}
    for act in (world.pay, world.give_back, world.collect):
        good |= kill_at_each_point(world, act)
    paid = dict(good)
    for act in (world.refuse, world.let_expire):
        paid |= kill_at_each_point(world, act)
    if bank_host.EVERYWHERE:
        for applied in (True, False):
            with bank_host.silent_debits(applied=applied):
                paid |= kill_at_each_point(world, world.pay)
    world.waits_for_checks = True
    with world.fault("lose", api="RespPay", type="PAY"):
        paid |= kill_at_each_point(world, world.pay)
    assert world.control.post("/timers", json={"scale": HURRIED}).is_success
    with world.fault("lose", api="ReqPay", type="CREDIT"):
        paid |= kill_at_each_point(world, world.pay)
    world.pin = "000000"
    paid |= kill_at_each_point(world, world.pay)

    assert points_in_the_source() - set(world.passed) == set()
    settle(world, paid)
    assert unexpected(world, good) == {}
    assert wrong_books(world, paid) == {}
    assert books_sum().paise == 0
    assert bank_host.mirrored() == bank_host.moved()


def kill_at_each_point(world, act) -> dict[str, str]:
    """Kill at every point that this act is the first to pass; return the points of what it made."""
    paid = {}
    for point in world.record(act):
        *spared, txn_id = world.do_and_die(act, point)
        world.wait_for_rest(txn_id)
        paid |= dict.fromkeys(spared, "spared") | {txn_id: point}
    return paid


def points_in_the_source() -> set[str]:
    points: set[str] = set()
    for folder in SOURCES:
        for file in (Path(ROOT) / folder).rglob("*.py"):
            # Core banking is our own books, or a host.
            if file.name.startswith("ledger" if bank_host.EVERYWHERE else "iso8583"):
                continue
            text = file.read_text()
            points |= set(re.findall(r'fault_point\("([a-z_.]+)"\)', text))
            for name in re.findall(r'_passed\("([a-z_.]+)"\)', text):
                points |= {name, f"{name}.uncommitted"}
    return {point for point in points if point.partition(".")[0] not in ELSEWHERE}


def settle(world, paid):
    """Take the switch's day file, as every bank does: it tells of reversals that never arrived."""
    for txn_id in paid:
        wait_until(lambda txn_id=txn_id: world.status(txn_id) != "PENDING")
    today = clock.business_date(clock.now())
    content = world.control.get("/dayfile", params={"date": today.isoformat()}).content
    take_file(content, date=today, is_complete=False)
    wait_until(lambda: all(is_at_rest(txn_id) for txn_id in paid))


def unexpected(world, paid):
    """Say where a payment did not end as it must: everywhere else it goes on to its end."""
    found = {(point, txn_id): world.status(txn_id) for txn_id, point in paid.items()}
    return {key: status for key, status in found.items() if status not in ends(key[0])}


def ends(point):
    if point in UNTAKEN:
        return {"FAILURE"}
    if point in UNACKED | PERHAPS_ASKED:
        return {"FAILURE", "SUCCESS"}
    return {"NEVER SEEN"} if point in NEVER_SENT else {"SUCCESS"}


def wrong_books(world, paid):
    """One debit, one credit, each as the switch's journal has it; what is not so, is listed."""
    positions = {
        row["txn_id"]: row for row in world.control.get("/journal/positions").json()["transactions"]
    }
    listed = {item.transaction_id for item in open_items()}
    sides = our_sides(list(paid))
    wrong = {}
    for txn_id, point in paid.items():
        side = sides[txn_id]
        found = (side.net_debit.paise, side.net_credit.paise)
        journal = positions.get(txn_id, {"payable_paise": 0, "receivable_paise": 0})
        theirs = (journal["payable_paise"], journal["receivable_paise"])
        legs = Counter(leg_key(job) for job in side.jobs)
        is_twice = max(legs.values()) > 1 or _times_sent(world, txn_id) > 1
        if is_twice or (found != theirs and txn_id not in listed):
            wrong[point] = (txn_id, found, theirs)
    return wrong


def _times_sent(world, txn_id):
    messages = world.control.get("/journal", params={"txn_id": txn_id}).json()["messages"]
    return sum(
        (message["api"], message["ack"]) == ("ReqPay", "") and message["type"] in BEGINNINGS
        for message in messages
    )
