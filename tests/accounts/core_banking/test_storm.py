"""Five hundred calls without an answer at once: the host is spared, and no money moves twice."""

import math
import time
from collections import Counter

from apps.accounts.core_banking.base import Result
from apps.accounts.models import CoreBankingCall
from apps.accounts.states import CallKind
from apps.common.money import ZERO
from apps.ledger import selectors as ledger
from apps.ledger.contracts import Chart
from tests.accounts.core_banking.conftest import OPENING, wait_until

DEBITS, CAP = 500, 20


def test_b11_five_hundred_silent_debits_are_cancelled_at_the_cap_and_none_is_sent_again(make_bank):
    bank = make_bank(cancellations_per_second=CAP)
    orders = [bank.order(paise=100) for _ in range(DEBITS)]
    bank.work(bank.order(paise=1))
    bank.host.fault("black_hole")
    silent = bank.work_in_vain(*orders)
    assert {each.result for each in silent} == {Result.UNKNOWN}

    wait_until(lambda: not bank.adapter.is_available())
    (shed,) = bank.work(bank.order())
    assert (shed.result, shed.code) == (Result.DECLINED, "XY")
    assert not any(each.was_asked for each in bank.cancel(*orders))
    bank.host.control.delete("/faults").raise_for_status()
    wait_until(bank.adapter.is_available)

    asked, begun = Counter(), time.monotonic()
    while asked.total() < 2 * CAP:
        outcomes = bank.cancel(*[order for order in orders if order not in asked])
        asked.update(each.order for each in outcomes if each.was_asked)
        assert asked.total() <= CAP * math.ceil(time.monotonic() - begun + 1)
    hasty = make_bank(cancellations_per_second=10 * DEBITS)
    left = hasty.cancel(*orders)

    assert {each.result for each in left} == {Result.DECLINED}
    assert bank.held() == OPENING - 1
    assert ledger.account_by_code(Chart.CORE_BANKING).balance.paise == -1
    assert ledger.books_sum() == ZERO
    legs = [order.leg_id for order in orders]
    sent = Counter(CoreBankingCall.objects.filter(leg_id__in=legs).values_list("kind", flat=True))
    assert sent == {CallKind.DEBIT: DEBITS, CallKind.CANCEL: DEBITS}
    assert not CoreBankingCall.objects.filter(leg_id__in=legs, kind="DEBIT", repeats__gt=0).exists()
