"""Several operators confirm at once: one of them changes it, the others are told."""

import datetime as dt
import threading

import pytest
from django.db import connection

from apps.accounts.models import ServicePause
from apps.accounts.services import restrictions
from apps.accounts.states import Pause, Side
from apps.common import clock
from apps.operators.contracts import Author, Span
from apps.operators.errors import ChangedMeanwhileError, DomainError
from apps.operators.services import audit, dated_rules, dated_spans
from apps.risk.contracts import Rule
from apps.risk.models import LimitRule
from apps.risk.services import rules
from tests.operators.change import REASON

pytestmark = pytest.mark.usefixtures("committed")

OPERATORS = 4


def at_once(change):
    """Let operators do it at once; return what each was told."""
    together, said = threading.Barrier(OPERATORS), []

    def run(number):
        together.wait()
        try:
            change(number)
            said.append("done")
        except DomainError as error:
            said.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(OPERATORS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(said)


def author(number, seen):
    return Author(f"{number}@exbank.example", f"S{number}", REASON, seen=seen)


ONE_WINS = [ChangedMeanwhileError.code] * (OPERATORS - 1) + ["done"]


def test_of_many_who_change_a_rule_one_wins():
    begins = clock.business_date(clock.now()) + dt.timedelta(days=10)
    key = {"rule": Rule.PAYMENT_AMOUNT.value}
    seen = dated_rules.fingerprint(dated_rules.open_rows(LimitRule, key))

    said = at_once(
        lambda number: rules.change_limit(
            Rule.PAYMENT_AMOUNT, 1000 + number, begins=begins, author=author(number, seen)
        )
    )

    assert said == ONE_WINS
    assert LimitRule.objects.filter(**key).count() == 2
    audit.verify()


def test_of_many_who_pause_the_service_and_end_it_one_wins():
    now = clock.now()
    none = dated_spans.fingerprint([])

    begun = at_once(
        lambda number: restrictions.pause_service(
            Side.REMITTER, Pause.HSM, span=Span(), author=author(number, none), now=now
        )
    )
    pause = ServicePause.objects.get()
    seen = dated_spans.fingerprint([pause])
    ended = at_once(
        lambda number: restrictions.end_pause(
            pause, at=None, author=author(number, seen), now=clock.now()
        )
    )

    assert (begun, ended) == (ONE_WINS, ONE_WINS)
    pause.refresh_from_db()
    assert pause.valid_until_at is not None
    audit.verify()
