"""Customers call collects spam, and who is called so by many asks nobody for a time."""

import datetime as dt
from uuid import UUID

import pytest
from django.db import transaction

from apps.common import clock, ids
from apps.payments.models import BlockedRequester, RequesterBlock, SpamReport, SpamRule
from apps.payments.services import spam
from apps.payments.states import Role
from tests.api.race import at_once
from tests.payments.asking import STORE
from tests.payments.hand import Deal, drain, history, state
from tests.payments.payer import enrol_payer

DAY_HOURS = 24


@pytest.fixture
def asha(hand):
    return enrol_payer(hand)


@pytest.fixture
def ask(hand, asha):
    """A shop of another bank asks a customer of ours: what was sent, and the deal."""

    def asked():
        deal = Deal(payer=asha.side, payee=STORE)
        sent = hand.collect(deal)
        drain(Role.PAYER_PSP)
        return sent, deal

    return asked


def decline(payer, deal, **body):
    return payer.client.post(f"/app/v1/collects/{deal.id}/declines", body, format="json")


def reported_by(count, *, at=None, address=STORE.address):
    """Let so many customers call a collect of the address spam."""
    at = at or clock.now()
    for _ in range(count):
        with transaction.atomic():
            spam.report(
                customer_id=ids.uuid7(),
                address=address,
                transaction_id=ids.new_upi_id("SMP"),
                at=at,
            )


def blocks():
    return list(RequesterBlock.objects.order_by("pk").values_list("code", flat=True))


def test_a_collect_that_is_called_spam_is_declined_as_spam(hand, asha, ask):
    sent, deal = ask()

    answers = [decline(asha, deal, report_spam=True) for _ in range(2)]
    drain()

    assert [answer.status_code for answer in answers] == [200, 200]
    assert hand.code(sent) == "S0"
    assert len(hand.answers(sent)) == 1
    shown = asha.client.get(f"/app/v1/collects/{deal.id}").json()
    assert (shown["status"], shown["failure"]["upi_code"]) == ("failed", "S0")
    assert SpamReport.objects.count() == 1
    assert not BlockedRequester.objects.exists()
    assert blocks() == []


def test_spam_may_be_blocked_too(hand, asha, ask):
    _, deal = ask()
    decline(asha, deal, report_spam=True, block_requester=True)

    again, _ = ask()
    drain()

    assert again.code == "TM"


def test_a_word_that_is_no_yes_or_no_is_refused_and_writes_nothing(asha, ask):
    _, deal = ask()

    answer = decline(asha, deal, report_spam="yes")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_member")
    assert state(deal, Role.PAYER_PSP) == "WAITING_PAYER"
    assert not SpamReport.objects.exists()


def test_whom_three_customers_report_within_a_day_asks_nobody_for_a_day(hand, asha, ask):
    yesterday = clock.now() - dt.timedelta(hours=DAY_HOURS, minutes=1)
    reported_by(1, at=yesterday)
    reported_by(2)
    allowed, deal = ask()
    assert state(deal, Role.PAYER_PSP) == "WAITING_PAYER"
    decline(asha, deal, report_spam=True)

    refused, later = ask()
    drain()

    assert (allowed.code, refused.code) == ("S0", "S1")
    assert history(later, Role.PAYER_PSP) == ["RECEIVED", "REFUSED"]
    (block,) = RequesterBlock.objects.all()
    assert block.until_at - block.blocked_at == dt.timedelta(hours=DAY_HOURS)
    RequesterBlock.objects.update(
        blocked_at=block.blocked_at - dt.timedelta(days=1),
        until_at=block.until_at - dt.timedelta(days=1),
    )
    _, after = ask()
    assert state(after, Role.PAYER_PSP) == "WAITING_PAYER"


def test_the_more_report_it_the_longer_it_is_blocked(hand, ask):
    reported_by(30)

    refused, _ = ask()
    drain()

    assert blocks() == ["S1", "S2", "S3"]
    assert refused.code == "S3"
    lasts = [block.until_at - block.blocked_at for block in RequesterBlock.objects.order_by("code")]
    assert [each.days for each in lasts] == [1, 7, 30]


def test_one_customer_blocks_nobody_for_all(committed):
    customer = UUID(int=1)
    for _ in range(5):
        with transaction.atomic():
            spam.report(
                customer_id=customer,
                address=STORE.address,
                transaction_id=ids.new_upi_id("SMP"),
                at=clock.now(),
            )

    assert blocks() == []


def test_of_reports_at_once_the_last_blocks(committed):
    at_once([lambda: reported_by(1) for _ in range(3)])

    assert blocks() == ["S1"]


def test_a_rule_that_has_ended_blocks_nobody(committed):
    today = clock.business_date(clock.now())
    SpamRule.objects.filter(code="S1").update(valid_to_date=today)

    reported_by(9)

    assert blocks() == []
