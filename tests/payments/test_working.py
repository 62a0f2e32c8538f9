"""Claims, batches, what fails alone, and real races (payments.md 3)."""

import threading
from collections import Counter

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from apps.common import clock
from apps.common.money import Money
from apps.ledger.models import Transfer
from apps.ledger.selectors import books_sum
from apps.messaging import hints
from apps.messaging.models import DeadLetter
from apps.messaging.sweeping import sweep
from apps.payments import selectors
from apps.payments.models import Leg
from apps.payments.open_items import ItemKind, open_items
from apps.payments.services import credit, legs, posting, send, verify
from apps.payments.services.advance import STEPS, advance
from apps.payments.services.lease import Lease
from apps.payments.states import Role, State, may_move
from apps.payments.tasks import drain_credit, drain_payer_psp
from tests.payments.hand import Deal, Side, drain, history, leg, state
from tests.payments.payer import enrol_payee, enrol_payer
from upi_platform.sweeps import SWEEPS

ABROAD = Side(address="ravi@smplbank", number="009876500001", ifsc="SMPL0000002", name="RAVI IYER")


@pytest.fixture
def payee(hand):
    return enrol_payee(hand)


def due():
    Leg.objects.filter(next_action_at__isnull=False).update(next_action_at=clock.now())


def in_threads(count, work):
    """Run work at once in real threads, each on its own connection; return what they return."""
    results, errors = [], []
    barrier = threading.Barrier(count)

    def run(number):
        try:
            barrier.wait(10)
            results.append(work(number))
        except Exception as error:  # noqa: BLE001 - the test asserts that there is none
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    return results


def test_every_step_names_the_state_in_which_it_works():
    for role, steps in STEPS.items():
        for source, step in steps.items():
            assert step.working == source or may_move(role, source, step.working), (role, source)


def test_one_wake_up_takes_a_debit_through_all_its_steps(hand):
    deal = Deal(payer=hand.account(), payee=ABROAD)
    sent = hand.debit(deal)

    assert advance(Role.DEBIT) > 0

    assert sent.code == "00"
    assert advance(Role.DEBIT) == 0


def test_a_batch_is_posted_by_one_transaction(hand, payee):
    deals = [Deal(payer=ABROAD, payee=payee, paise=100) for _ in range(20)]
    for deal in deals:
        hand.credit(deal)

    assert advance(Role.CREDIT) == 20

    moved = {leg(deal, Role.CREDIT).changed_at for deal in deals}
    assert (max(moved) - min(moved)).total_seconds() < 1
    posted = Transfer.objects.filter(purpose="UPI_CREDIT").values_list("posted_at", flat=True)
    assert len(posted) == 20
    assert books_sum() == Money(0)


def test_the_statements_of_a_batch_do_not_grow_with_it(hand, payee):
    def credit_some(count):
        for _ in range(count):
            hand.credit(Deal(payer=ABROAD, payee=payee, paise=100))

    credit_some(1)
    with CaptureQueriesContext(connection) as one:
        credit.post_due()
    credit_some(10)
    with CaptureQueriesContext(connection) as ten:
        credit.post_due()

    assert len(ten) <= len(one) + 2


def test_a_claim_is_bounded_and_passes_over_what_others_hold(hand, payee):
    for _ in range(3):
        hand.authorise(Deal(payer=ABROAD, payee=payee))

    with transaction.atomic():
        held = selectors.lock_due_jobs(role=Role.PAYEE_PSP, states=[State.RECEIVED], limit=2)

        def look(_):
            with transaction.atomic():
                return selectors.lock_due_jobs(
                    role=Role.PAYEE_PSP, states=[State.RECEIVED], limit=10
                )

        (others,) = in_threads(1, look)

    assert len(held) == 2
    assert len(others) == 1
    assert {job.id for job in held} & {job.id for job in others} == set()


def test_an_expired_claim_is_simply_due_again(hand):
    asha = enrol_payer(hand)
    deal = asha.pay(ABROAD)
    with transaction.atomic():
        claim, _ = legs.claim_due(
            role=Role.PAYER_PSP,
            states=[State.CREATED],
            working=State.SENDING,
            limit=1,
            lease_seconds=0,
        )

    assert selectors.due_states(Role.PAYER_PSP) == {State.SENDING}
    assert leg(deal, Role.PAYER_PSP).claim == claim.token


def looks(captured):
    return [each for each in captured if "SELECT DISTINCT state" in each["sql"]]


def test_what_has_come_is_taken_on_without_a_look_at_what_else_is_due(hand, payee):
    deal = Deal(payer=ABROAD, payee=payee)
    hand.credit(deal)
    hints.begin("payments.credit")

    with CaptureQueriesContext(connection) as captured:
        drain_credit()

    assert state(deal, Role.CREDIT) == "POSTED"
    assert not looks(captured)


@pytest.fixture
def overdue(hand):
    """A payment whose sender has died: it is due in another state than new ones."""
    deal = enrol_payer(hand).pay(ABROAD)
    with transaction.atomic():
        legs.claim_due(
            role=Role.PAYER_PSP, states=[State.CREATED], working=State.SENDING, limit=1,
            lease_seconds=0,
        )  # fmt: skip
    return deal


def test_a_round_that_finds_nothing_new_looks_at_once_for_what_else_is_due(overdue):
    drain_payer_psp()

    assert state(overdue, Role.PAYER_PSP) == "UNKNOWN"


def test_whom_the_sweeper_has_woken_looks_at_all_however_much_is_new(hand, overdue):
    new = enrol_payer(hand).pay(ABROAD)

    assert "payments.payer_psp" in sweep(SWEEPS)
    drain_payer_psp()

    assert state(overdue, Role.PAYER_PSP) == "UNKNOWN"
    assert state(new, Role.PAYER_PSP) == "SENDING"


def test_a_leg_that_fails_alone_lets_the_others_pass_and_is_parked_with_an_owner(
    hand, payee, monkeypatch
):
    bad, *good = [Deal(payer=ABROAD, payee=payee, paise=100) for _ in range(4)]
    for deal in (bad, *good):
        hand.credit(deal)
    make = posting.order_of

    def spoil(job, **facts):
        if job.transaction_id == bad.id:
            raise ValueError("spoilt")
        return make(job, **facts)

    monkeypatch.setattr(posting, "order_of", spoil)
    advance(Role.CREDIT)

    assert {state(deal, Role.CREDIT) for deal in good} == {"POSTED"}
    assert (state(bad, Role.CREDIT), leg(bad, Role.CREDIT).attempts) == ("RECEIVED", 1)
    assert leg(bad, Role.CREDIT).next_action_at > clock.now()

    for _ in range(4):
        due()
        advance(Role.CREDIT)

    parked = leg(bad, Role.CREDIT)
    assert parked.parked_at is not None
    assert parked.next_action_at is None
    letter = DeadLetter.objects.get()
    assert (letter.source, letter.item_id, letter.owner) == (
        "payments_leg",
        str(parked.pk),
        "operations",
    )
    (item,) = open_items(ItemKind.PARKED)
    assert (item.transaction_id, item.exposure) == (bad.id, bad.amount)


def test_when_a_dependency_is_away_nothing_is_halved_or_counted(hand, payee, monkeypatch):
    deal = Deal(payer=ABROAD, payee=payee)
    hand.credit(deal)

    def away(*_, **__):
        raise OperationalError("the server closed the connection unexpectedly")

    monkeypatch.setattr(posting, "order_of", away)
    with pytest.raises(OperationalError):
        advance(Role.CREDIT)

    assert leg(deal, Role.CREDIT).attempts == 0


def test_a_batch_that_took_half_its_lease_begins_nothing_more(hand, monkeypatch, settings):
    asha = enrol_payer(hand)
    deal = asha.pay(ABROAD)
    settings.LEASE_WIRE_SECONDS = 0

    send.send_due(Role.PAYER_PSP)

    assert hand.posted("ReqPay") == []
    assert history(deal, Role.PAYER_PSP) == ["CREATED", "SENDING", "CREATED"]


def test_pins_that_half_the_lease_did_not_reach_wait_with_their_try_paid(
    hand, monkeypatch, settings
):
    deal = Deal(payer=hand.account(), payee=ABROAD)
    hand.debit(deal)
    monkeypatch.setattr(Lease, "is_half_over", True)
    verify.verify_due()
    assert history(deal, Role.DEBIT) == ["RECEIVED", "VERIFYING"]
    assert leg(deal, Role.DEBIT).claim is None

    monkeypatch.undo()
    drain(Role.DEBIT)

    assert state(deal, Role.DEBIT) == "POSTED"


def test_many_drainers_at_once_post_each_credit_once(hand, payee):
    deals = [Deal(payer=ABROAD, payee=payee, paise=100) for _ in range(30)]
    for deal in deals:
        hand.credit(deal)

    in_threads(4, lambda _: drain(Role.CREDIT))

    assert Counter(state(deal, Role.CREDIT) for deal in deals) == {"POSTED": 30}
    assert Transfer.objects.filter(purpose="UPI_CREDIT").count() == 30
    assert {len(hand.posted("RespPay", deal.id)) for deal in deals} == {1}


def test_many_drainers_at_once_send_each_payment_once(hand):
    asha = enrol_payer(hand)
    deals = [asha.pay(ABROAD) for _ in range(8)]

    in_threads(4, lambda _: drain(Role.PAYER_PSP))

    assert {len(hand.posted("ReqPay", deal.id)) for deal in deals} == {1}


def test_debit_and_reversal_race_and_money_never_leaves_twice_or_for_nothing(hand):
    asha = hand.account(paise=1_000_000)
    deals = [Deal(payer=asha, payee=ABROAD, paise=100) for _ in range(12)]
    for deal in deals:
        hand.debit(deal)
        hand.reversal(deal, "DEBIT")

    roles = [Role.DEBIT, Role.REVERSAL, Role.DEBIT, Role.REVERSAL]
    in_threads(4, lambda number: drain(roles[number]))
    drain()

    for deal in deals:
        ends = (state(deal, Role.DEBIT), state(deal, Role.REVERSAL))
        assert ends in {("POSTED", "POSTED"), ("REFUSED_BY_REVERSAL", "NOT_DONE")}
    moved = Transfer.objects.filter(purpose__in=["UPI_DEBIT", "UPI_REVERSAL"])
    assert moved.filter(purpose="UPI_DEBIT").count() == moved.filter(purpose="UPI_REVERSAL").count()
    assert books_sum() == Money(0)


def test_an_original_and_its_reversal_that_arrive_together_agree(hand):
    asha = hand.account(paise=1_000_000)
    deals = [Deal(payer=asha, payee=ABROAD, paise=100) for _ in range(6)]

    def arrive(number):
        for deal in deals:
            if number == 0:
                hand.debit(deal)
            else:
                hand.reversal(deal, "DEBIT")
                drain(Role.REVERSAL)

    in_threads(2, arrive)
    drain()

    for deal in deals:
        ends = (state(deal, Role.DEBIT), state(deal, Role.REVERSAL))
        assert ends in {("POSTED", "POSTED"), ("REFUSED_BY_REVERSAL", "NOT_DONE")}


def test_two_payments_of_most_of_the_balance_do_not_overdraw(hand):
    asha = hand.account(paise=100_000)
    deals = [Deal(payer=asha, payee=ABROAD, paise=80_000) for _ in range(2)]
    sent = [hand.debit(deal) for deal in deals]

    in_threads(2, lambda _: drain(Role.DEBIT))
    drain()

    assert sorted(each.code for each in sent) == ["00", "Z9"]


def test_the_queue_is_found_through_its_partial_index(hand):
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT id FROM payments_leg WHERE role = 'DEBIT' AND next_action_at <="
            " (SELECT clock_timestamp()) AND parked_at IS NULL ORDER BY next_action_at LIMIT 10"
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute("RESET enable_seqscan")

    assert "role_next_action_at" in plan or "leg_due" in plan
    assert "Seq Scan" not in plan


def test_a_probe_says_whether_a_role_has_work(hand, payee):
    assert not selectors.credit_is_due()

    hand.credit(Deal(payer=ABROAD, payee=payee))

    assert selectors.credit_is_due()
    assert not selectors.debit_is_due()
    drain()
    assert not selectors.credit_is_due()
    assert advance(Role.CREDIT) == 0
