"""The states are walked whole: what the table names is legal, in the code and in the database."""

import itertools
import re
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction

from apps.common import clock, ids
from apps.payments.contracts import Move
from apps.payments.migrations import __path__ as migrations_path
from apps.payments.models import Leg, LegHistory, Transaction
from apps.payments.services import legs
from apps.payments.states import (
    BEFORE_POSTING,
    FIRST,
    MOVES,
    PUBLIC,
    UNDECIDED,
    Finality,
    PublicStatus,
    Role,
    State,
    is_final,
    may_move,
    public_status,
)

pytestmark = pytest.mark.django_db
EVERY = [(role, source, target) for role, source, target in itertools.product(Role, State, State)]


def make_transaction():
    return Transaction.objects.create(
        id=ids.new_upi_id("EXB"),
        rrn="632710000001",
        amount_paise=100,
        payer_address="a@exbank",
        payer_name="A",
        payer_type="PERSON",
        payer_code="0000",
        payee_address="b@exbank",
        payee_name="B",
        payee_type="PERSON",
        payee_code="0000",
        note="",
        purpose="00",
        initiation_mode="00",
        reference="",
        reference_url="",
        reference_category="",
        initiated_at=clock.now(),
    )


def make_leg(role, state, *, sub_type="REFUND"):
    """Walk a leg to a state by legal moves only; a refund's debit has all of its role's."""
    path = _path(role, state)
    made = Leg.objects.create(
        role=role,
        kind="X",
        transaction=make_transaction(),
        state=path[0],
        wire_transaction_id="X",
        wire_transaction_at=clock.now(),
        wire_sub_type=sub_type,
    )
    for target in path[1:]:
        Leg.objects.filter(pk=made.pk).update(state=target)
    return made


def _path(role, state):
    paths = {first: [first] for first in FIRST[role]}
    queue = list(FIRST[role])
    while queue:
        source = queue.pop(0)
        for target in MOVES[role].get(source, ()):
            if target not in paths:
                paths[target] = [*paths[source], target]
                queue.append(target)
    return paths[state]


def reachable(role):
    return {state for state in State if _reaches(role, state)}


def _reaches(role, state):
    try:
        _path(role, state)
    except KeyError:
        return False
    return True


@pytest.mark.parametrize("role", Role)
def test_the_database_allows_exactly_the_moves_of_the_table(role):
    wrong = []
    for source in reachable(role):
        for target in State:
            made = make_leg(role, source)
            try:
                with transaction.atomic():
                    Leg.objects.filter(pk=made.pk).update(state=target)
                allowed = True
            except IntegrityError:
                allowed = False
            if allowed != (source == target or may_move(role, source, target)):
                wrong.append((source, target, allowed))

    assert wrong == []


@pytest.mark.parametrize("role", Role)
def test_the_database_allows_exactly_the_first_states_of_the_table(role):
    allowed = set()
    for state in State:
        try:
            with transaction.atomic():
                Leg.objects.create(
                    role=role,
                    kind="X",
                    transaction=make_transaction(),
                    state=state,
                    wire_transaction_id="X",
                    wire_transaction_at=clock.now(),
                )
            allowed.add(state)
        except IntegrityError:
            pass

    assert allowed == FIRST[role]


def test_only_a_refund_is_debited_without_its_payers_pin():
    made = make_leg(Role.DEBIT, State.RECEIVED, sub_type="PAY")

    with pytest.raises(IntegrityError), transaction.atomic():
        Leg.objects.filter(pk=made.pk).update(state=State.VERIFIED)


def test_a_leg_never_changes_its_role():
    made = make_leg(Role.CREDIT, State.RECEIVED)

    with pytest.raises(IntegrityError), transaction.atomic():
        Leg.objects.filter(pk=made.pk).update(role=Role.PAYEE_PSP)


def test_an_illegal_move_is_a_bug_before_it_reaches_the_database():
    made = make_leg(Role.CREDIT, State.RECEIVED)
    step = Move(leg_id=made.pk, role=Role.CREDIT, source=State.RECEIVED, target=State.UNKNOWN)

    with pytest.raises(AssertionError):
        legs.move([step])


def test_a_batch_of_moves_is_one_statement_with_its_history(django_assert_num_queries):
    made = [make_leg(Role.CREDIT, State.RECEIVED) for _ in range(5)]
    moves = [
        Move(
            leg_id=leg.pk,
            role=Role.CREDIT,
            source=State.RECEIVED,
            target=State.POSTED,
            code="00",
        )
        for leg in made
    ]

    with django_assert_num_queries(1):
        moved = legs.move(moves)

    assert moved == {leg.pk for leg in made}
    rows = LegHistory.objects.filter(leg_id__in=moved)
    assert {(row.source, row.target, row.code) for row in rows} == {("RECEIVED", "POSTED", "00")}
    assert rows.count() == 5


def test_a_leg_that_moved_meanwhile_stays_and_has_no_history():
    made = make_leg(Role.CREDIT, State.DECLINED)
    step = Move(leg_id=made.pk, role=Role.CREDIT, source=State.RECEIVED, target=State.POSTED)

    assert legs.move([step]) == set()
    assert Leg.objects.get().state == "DECLINED"
    assert not LegHistory.objects.exists()


def test_a_move_clears_the_claim_and_one_by_another_claim_is_not_made():
    made = make_leg(Role.CREDIT, State.RECEIVED)
    held, stranger = ids.uuid7(), ids.uuid7()
    Leg.objects.update(claim=held, attempts=2)
    step = Move(leg_id=made.pk, role=Role.CREDIT, source=State.RECEIVED, target=State.POSTED)

    assert legs.move([step], claim=stranger) == set()
    assert legs.move([step], claim=held) == {made.pk}
    found = Leg.objects.get()
    assert (found.claim, found.attempts, found.next_action_at) == (None, 0, None)


def test_history_is_never_changed():
    made = make_leg(Role.CREDIT, State.RECEIVED)
    legs.move([Move(leg_id=made.pk, role=Role.CREDIT, source=State.RECEIVED, target=State.POSTED)])

    with pytest.raises(Exception, match=r"permission denied|history"), transaction.atomic():
        LegHistory.objects.update(target="RECEIVED")


def test_only_this_module_writes_states():
    """`legs` is the only writer of a leg's state; the tests alone write rows by hand."""
    root = Path(next(iter(migrations_path))).parent
    update = re.compile(r"UPDATE payments_leg\b(?:(?!WHERE).)*\bstate =", re.DOTALL)
    writers = {
        file.relative_to(root).as_posix()
        for file in root.rglob("*.py")
        if "migrations" not in file.parts and update.search(file.read_text())
    }

    assert writers == {"services/legs.py"}


def test_a_final_state_has_no_way_out():
    for role in Role:
        for state in reachable(role):
            assert is_final(role, state) == (not MOVES[role].get(state))


def test_before_posting_and_undecided_share_nothing_with_each_other():
    for role, states in BEFORE_POSTING.items():
        assert not states & UNDECIDED
        assert all(may_move(role, state, State.REFUSED_BY_REVERSAL) for state in states)
        assert not may_move(role, State.POSTING, State.REFUSED_BY_REVERSAL)


@pytest.mark.parametrize("role", [Role.PAYER_PSP, Role.PAYEE_PSP])
def test_every_state_of_a_psp_has_a_public_word_and_only_ends_are_final(role):
    for state in reachable(role):
        status, finality = public_status(state)
        if finality is Finality.FINAL:
            assert is_final(role, state)
            assert status in {PublicStatus.SUCCEEDED, PublicStatus.FAILED}
        else:
            assert status in {PublicStatus.CREATED, PublicStatus.PENDING}
    assert set(PUBLIC) >= reachable(role)


def test_ids_made_by_the_database_are_in_the_order_of_time():
    with connection.cursor() as cursor:
        cursor.execute("SELECT payments_uuid7() FROM generate_series(1, 3)")
        made = [row[0] for row in cursor.fetchall()]

    assert {value.version for value in made} == {7}
    assert abs((ids.instant_of(made[0]) - clock.now()).total_seconds()) < 5


@pytest.mark.parametrize("table", ["payments_leg", "payments_leghistory"])
def test_fat_tables_are_partitioned_by_month_and_nothing_points_into_them(table):
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_inherits WHERE inhparent = %s::regclass", [table])
        assert cursor.fetchone()[0] >= 13
        cursor.execute(
            "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND confrelid = %s::regclass",
            [table],
        )
        assert cursor.fetchone()[0] == 0


def test_what_jobs_agree_on_is_written_once(db):
    for right in ("UPDATE", "DELETE", "TRUNCATE"):
        with connection.cursor() as cursor:
            cursor.execute("SELECT has_table_privilege('payments_transaction', %s)", [right])
            assert cursor.fetchone() == (False,)
