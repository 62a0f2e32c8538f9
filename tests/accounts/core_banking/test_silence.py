"""A host that is silent, late, double or wrong: never a guess, never money twice."""

import pytest
from django.db import InterfaceError, transaction

from apps.accounts.core_banking import iso8583_calls
from apps.accounts.core_banking.base import OrderKind, Result
from apps.accounts.models import CoreBankingCall, UnmatchedAnswer
from apps.accounts.states import CallKind, CallState, Unmatched
from apps.common import clock
from apps.common.money import ZERO, Money
from apps.ledger import selectors as ledger
from apps.ledger.contracts import Chart
from tests.accounts.core_banking.conftest import OPENING, wait_until

NOTHING = (Result.UNKNOWN, "")


def told(outcome):
    return (outcome.result, outcome.code)


def mirror():
    return ledger.account_by_code(Chart.CORE_BANKING).balance


@pytest.mark.parametrize(
    "fault",
    [
        *("timeout_applied", "garbage", "bad_mac", "no_mac", "other_mac", "crossed_stan"),
        *("other_rrn", "other_account"),
    ],
)
def test_b04_b05_b06_what_cannot_be_believed_is_unknown_and_the_enquiry_finds_it(bank, fault):
    """B04, B05, B06: a wrong or missing MAC, another's STAN, other content."""
    bank.work(bank.order(paise=1))
    order = bank.order()
    bank.host.fault(fault, match={"mti": "0200"})

    (first,) = bank.work_in_vain(order)
    before = mirror()
    (found,) = bank.enquire(order)

    assert told(first) == NOTHING
    assert before == Money(-1)
    assert (told(found), found.is_found) == ((Result.POSTED, "00"), True)
    assert bank.held() == OPENING - 2_501
    assert mirror() == Money(-2_501)


@pytest.mark.parametrize("fault", ["other_amount", "other_account", "crossed_stan"])
def test_b05_b06_what_fits_no_call_is_kept_for_a_person(bank, fault):
    order = bank.order()
    bank.host.fault(fault, match={"mti": "0200"})

    (outcome,) = bank.work_in_vain(order)

    assert told(outcome) == NOTHING
    kept = wait_until(UnmatchedAnswer.objects.first)
    expected = Unmatched.NO_CALL if fault == "crossed_stan" else Unmatched.OTHER_CONTENT
    assert kept.reason == expected
    assert (kept.call is None) == (fault == "crossed_stan")
    assert bank.call(order).state == CallState.SILENT


def test_b07_an_answer_twice_is_applied_once(bank):
    bank.host.fault("duplicate", match={"mti": "0200"})

    (outcome,) = bank.work(bank.order())

    assert told(outcome) == (Result.POSTED, "00")
    wait_until(lambda: bank.adapter.counts["repeated"] == 1)
    assert not UnmatchedAnswer.objects.exists()
    assert mirror() == Money(-2_500)


def test_b08_a_late_approval_is_read_by_the_enquiry_without_a_message(bank):
    order = bank.order()
    bank.host.fault("late", seconds=0.8, match={"mti": "0200"})

    (first,) = bank.work_in_vain(order)
    wait_until(lambda: bank.call(order).state == CallState.LATE)
    (found,) = bank.enquire(order)

    assert told(first) == NOTHING
    assert told(found) == (Result.POSTED, "00")
    assert not CoreBankingCall.objects.filter(kind=CallKind.ENQUIRY).exists()
    assert mirror() == Money(-2_500)


def test_b09_an_approval_after_the_cancellation_is_never_posted(bank):
    order = bank.order()
    bank.host.fault("late", seconds=3, match={"mti": "0200"})
    bank.work_in_vain(order)

    (cancelled,) = bank.cancel(order)

    assert cancelled.result is Result.DECLINED
    kept = wait_until(UnmatchedAnswer.objects.first)
    assert (kept.reason, kept.response_code) == (Unmatched.AFTER_CANCEL, "00")
    assert bank.held() == OPENING
    assert mirror() == ZERO


def test_b10_a_cancellation_repeats_under_the_same_names_until_it_is_acknowledged(bank):
    order = bank.order()
    bank.host.fault("timeout_not_applied", match={"mti": "0200"})
    bank.work_in_vain(order)
    bank.host.fault("timeout_applied", match={"mti": "0420"})

    (first,) = bank.cancel_in_vain(order)
    (second,) = bank.cancel(order)
    (third,) = bank.cancel(order)

    assert (told(first), first.was_asked) == (NOTHING, True)
    assert told(second) == told(third) == (Result.DECLINED, "XY")
    call = bank.call(order, CallKind.CANCEL)
    assert (call.repeats, call.state) == (1, CallState.ANSWERED)
    assert CoreBankingCall.objects.filter(leg_id=order.leg_id).count() == 2
    assert bank.held() == OPENING


def test_b11_cancellations_stay_below_the_cap_of_the_whole_bank(make_bank):
    bank = make_bank(cancellations_per_second=4)
    orders = [bank.order() for _ in range(10)]
    bank.host.fault("timeout_not_applied", match={"mti": "0200"}, count=10)
    bank.work_in_vain(*orders)

    outcomes = bank.cancel(*orders)

    asked = [each for each in outcomes if each.was_asked]
    assert len(asked) == 4
    assert CoreBankingCall.objects.filter(kind=CallKind.CANCEL).count() == 4
    assert {told(each) for each in outcomes if not each.was_asked} == {NOTHING}


def test_b13_a_cut_over_between_debit_and_cancellation_changes_nothing(bank):
    order = bank.order()
    bank.host.fault("timeout_applied", match={"mti": "0200"})
    bank.work_in_vain(order)
    bank.host.order("/cutover")

    (outcome,) = bank.cancel(order)

    assert outcome.result is Result.DECLINED
    assert bank.held() == OPENING


def test_b14_a_code_that_nobody_wrote_down_is_no_decline(bank):
    order = bank.order()
    bank.host.fault("unknown_code", code="ZZ", applied=True, match={"mti": "0200"})

    (first,) = bank.work(order)
    (found,) = bank.enquire(order)

    assert told(first) == NOTHING
    assert told(found) == (Result.POSTED, "00")
    assert bank.held() == OPENING - 2_500


def test_b15_a_partial_approval_is_none_and_is_undone(bank):
    order = bank.order()
    bank.host.fault("partial", match={"mti": "0200"})

    (first,) = bank.work_in_vain(order)
    (found,) = bank.enquire_in_vain(order)
    (cancelled,) = bank.cancel(order)

    assert told(first) == told(found) == NOTHING
    assert cancelled.result is Result.DECLINED
    assert bank.held() == OPENING
    assert mirror() == ZERO


def test_b15_a_return_done_in_part_is_one_question_to_a_person_however_often_it_is_asked(bank):
    order = bank.order(OrderKind.REVERSAL)
    bank.host.fault("partial", match={"mti": "0200"})

    outcomes = [*bank.work_in_vain(order), *bank.enquire_in_vain(order)]
    wait_until(lambda: UnmatchedAnswer.objects.count() == 2)
    outcomes += [*bank.enquire_in_vain(order), *bank.enquire_in_vain(order)]
    wait_until(lambda: bank.adapter.counts["repeated"] == 2)

    assert {told(each) for each in outcomes} == {NOTHING}
    kinds = UnmatchedAnswer.objects.values_list("call__kind", flat=True)
    assert sorted(kinds) == [CallKind.ENQUIRY, CallKind.REVERSAL]
    assert mirror() == ZERO


def test_b19_an_answer_with_a_pin_block_is_as_never_received_and_leaves_no_trace(bank, caplog):
    order = bank.order()
    bank.host.fault("pin_block", match={"mti": "0200"})

    (first,) = bank.work_in_vain(order)
    (found,) = bank.enquire(order)

    assert told(first) == NOTHING
    assert told(found) == (Result.POSTED, "00")
    assert bank.adapter.counts["malformed"] == 1
    assert "0123456789ABCDEF" not in caplog.text.upper()
    assert "field '52' is not in the profile" in caplog.text
    assert not UnmatchedAnswer.objects.exists()


def test_b20_control_bytes_of_an_answer_stay_in_its_line(bank, caplog):
    order = bank.order()
    bank.host.fault("control_bytes", match={"mti": "0200"})

    (outcome,) = bank.work(order)

    assert told(outcome) == (Result.POSTED, "00")
    assert "\x1b" not in caplog.text


def test_b16_a_request_of_the_host_is_refused(bank):
    bank.work(bank.order(paise=1))

    bank.host.order("/unasked", mti="0200")

    wait_until(lambda: bank.adapter.counts["refused"] == 1)
    assert not UnmatchedAnswer.objects.exists()


def test_an_answer_to_nothing_is_kept_for_a_person(bank):
    bank.work(bank.order(paise=1))

    bank.host.order("/unasked", mti="0210")

    assert wait_until(UnmatchedAnswer.objects.first).reason == Unmatched.NO_CALL


def test_an_answer_of_a_terminal_that_no_text_can_hold_is_kept_for_a_person(bank):
    bank.work(bank.order(paise=1))

    bank.host.order("/unasked", mti="0210", terminal="EXB\0PI01")

    kept = wait_until(UnmatchedAnswer.objects.first)
    assert (kept.reason, "\0" in kept.terminal) == (Unmatched.NO_CALL, False)


def test_an_answer_that_cannot_be_kept_does_not_end_the_keeping_of_others(bank, monkeypatch):
    bank.work(bank.order(paise=1))
    kept = bank.adapter._strays._keep

    def fails_once(answer, reason):
        monkeypatch.setattr(bank.adapter._strays, "_keep", kept)
        raise InterfaceError

    monkeypatch.setattr(bank.adapter._strays, "_keep", fails_once)
    bank.host.order("/unasked", mti="0210")
    wait_until(lambda: bank.adapter.counts["dropped"] == 1)
    bank.host.order("/unasked", mti="0210", stan="000002")

    assert wait_until(UnmatchedAnswer.objects.first).stan == "000002"


def test_not_found_proves_nothing_and_the_cancellation_refuses_what_comes_late(bank):
    order = bank.order()
    bank.host.fault("held", seconds=3, match={"mti": "0200"})

    (first,) = bank.work_in_vain(order)
    (asked,) = bank.enquire(order)
    (cancelled,) = bank.cancel(order)

    assert told(first) == told(asked) == NOTHING
    assert asked.is_found is False
    assert cancelled.result is Result.DECLINED
    wait_until(lambda: bank.call(order).state == CallState.LATE)
    assert bank.call(order).response_code == "12"
    assert bank.held() == OPENING


def test_a_return_that_is_not_found_is_repeated_and_posted_once(bank):
    order = bank.order(OrderKind.REVERSAL)
    bank.host.fault("timeout_not_applied", match={"mti": "0200"})

    (first,) = bank.work_in_vain(order)
    (found,) = bank.enquire(order)

    assert told(first) == NOTHING
    assert told(found) == (Result.POSTED, "00")
    assert bank.held() == OPENING + 2_500
    assert bank.call(order).repeats == 1


def test_a_word_that_came_since_a_call_was_read_is_not_lost_by_sending_it_again(bank):
    order = bank.order(OrderKind.REVERSAL)
    bank.host.fault("timeout_not_applied", match={"mti": "0200"})
    bank.work_in_vain(order)
    read = iso8583_calls.stored(bank.call(order))
    word = iso8583_calls.Word("00", clock.now())
    iso8583_calls.record([(read.call.id, CallState.LATE, word)], final_codes=["00"])

    with transaction.atomic():
        begun = iso8583_calls.begin_again([read])

    assert not begun
    row = bank.call(order)
    assert (row.state, row.response_code, row.repeats) == (CallState.LATE, "00", 0)
    (found,) = bank.enquire(order)
    assert told(found) == (Result.POSTED, "00")
    assert bank.held() == OPENING


def test_a_host_that_does_not_know_repeats_is_not_sent_one(make_bank):
    bank = make_bank(recognises_repeats=False)
    order = bank.order(OrderKind.REVERSAL)
    bank.host.fault("timeout_not_applied", match={"mti": "0200"})
    bank.work_in_vain(order)

    (found,) = bank.enquire(order)

    assert (told(found), found.is_found) == (NOTHING, False)
    assert bank.held() == OPENING


def test_a_host_that_forgets_reversals_ends_nothing_by_one(make_bank):
    bank = make_bank(refuses_after_reversal=False)
    order = bank.order()
    bank.host.fault("timeout_applied", match={"mti": "0200"})
    bank.work_in_vain(order)

    (outcome,) = bank.cancel(order)

    assert told(outcome) == NOTHING
    assert bank.held() == OPENING


@pytest.mark.parametrize("fault", ["reset", "torn"])
def test_a_lost_link_is_silence_and_a_new_one_goes_on(bank, fault):
    order = bank.order()
    bank.host.fault(fault, match={"mti": "0200"})

    (first,) = bank.work(order)
    (found,) = wait_until(lambda: [each for each in bank.enquire(order) if each.is_found])

    assert told(first) == NOTHING
    assert told(found) == (Result.POSTED, "00")
    assert bank.held() == OPENING - 2_500


def test_b17_three_echoes_without_answer_mark_the_host_down_for_all(make_bank):
    bank, other = make_bank(), make_bank()
    bank.work(bank.order(paise=1))
    bank.host.fault("black_hole")

    bank.work_in_vain(bank.order())
    wait_until(lambda: not bank.adapter.is_available())
    wait_until(lambda: not other.adapter.is_available())
    (shed,) = other.work(other.order())

    assert told(shed) == (Result.DECLINED, "XY")
    assert not other.adapter._links._links
    bank.host.control.delete("/faults").raise_for_status()
    wait_until(bank.adapter.is_available)
    assert wait_until(
        lambda: [each for each in bank.work(bank.order()) if each.result is Result.POSTED]
    )


def test_a_sign_on_is_not_answered_by_a_message_with_its_stan_alone(make_bank):
    bank = make_bank(connect_seconds=1, echo_answer_seconds=60)
    bank.host.fault("timeout_not_applied", match={"mti": "0800"}, count=1000)
    bank.work(bank.order())
    wait_until(lambda: bank.host.control.get("/links").json()["links"])

    bank.host.order("/unasked", mti="0810", terminal="EXBUPI09", stan="000001")
    (shed,) = bank.work(bank.order())

    assert told(shed) == (Result.DECLINED, "XY")
    assert bank.held() == OPENING


@pytest.mark.parametrize("fault", ["reset", "unknown_code"])
def test_a_host_that_ends_each_link_before_its_sign_on_is_marked_down(make_bank, fault):
    bank = make_bank()
    bank.work(bank.order(paise=1))
    bank.host.fault(fault, match={"mti": "0800"}, count=1000)
    bank.host.control.delete("/links").raise_for_status()

    wait_until(lambda: not bank.adapter.is_available())
    (shed,) = bank.work(bank.order())

    assert told(shed) == (Result.DECLINED, "XY")
    bank.host.control.delete("/faults").raise_for_status()
    assert wait_until(
        lambda: [each for each in bank.work(bank.order()) if each.result is Result.POSTED]
    )
