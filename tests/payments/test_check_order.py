"""Of several things that stand against a payment, the first of the specification's list is said."""

import datetime as dt
import hashlib
from dataclasses import replace

import pytest
from django.core.cache import cache
from django.db import transaction

from apps.accounts.core_banking.base import core_banking
from apps.accounts.models import AccountRestriction, BankAccount, PinState, ServicePause
from apps.accounts.states import Pause, Restriction, Side
from apps.common import clock
from apps.common.money import Money
from apps.ledger.contracts import Chart, Kind, TransferOrder
from apps.ledger.models import LedgerAccount
from apps.ledger.selectors import account_id_by_code
from apps.ledger.services.posting import post_transfers
from apps.merchants.models import ApiKey, Merchant
from apps.payments.models import Leg
from apps.payments.states import Role
from apps.risk.models import FirstUse, LimitRule, LimitUsage, RiskScoreRule
from apps.upi.contracts import RiskScore
from apps.upi.models import PinBlock
from apps.vpa.models import Vpa
from tests.api.people import open_shop
from tests.payments.hand import PIN, Deal, drain, state
from tests.payments.hand import Side as Party
from tests.payments.payer import enrol_payee, enrol_payer, shop_side

ABROAD = Party(address="ravi@smplbank", number="009876500001", ifsc="SMPL0000002", name="RAVI IYER")
NUMBER = "001234567890"
BALANCE, AMOUNT = 100_000, 10_000
DEVICE = "phone0001"
MARK = hashlib.sha256(DEVICE.encode()).hexdigest()


def account(number=NUMBER):
    return BankAccount.objects.get(number=number)


def set_account(**more):
    BankAccount.objects.filter(number=NUMBER).update(**more)


def set_pin(**more):
    PinState.objects.filter(account__number=NUMBER).update(**more)


def set_vpa(address, **more):
    Vpa.objects.filter(address=address).update(**more)
    cache.delete(f"vpa:{address}")


def spend(paise):
    ledger = LedgerAccount.objects.filter(bankaccount__number=NUMBER)
    ledger.update(credits_posted_paise=BALANCE, debits_posted_paise=paise)


def restrict(kind):
    AccountRestriction.objects.create(
        account=account(), kind=kind, valid_from_at=an_hour_ago(), source="a test"
    )


def pause(side, kind):
    ServicePause.objects.create(side=side, kind=kind, valid_from_at=an_hour_ago(), source="a test")


def an_hour_ago():
    return clock.now() - dt.timedelta(hours=1)


def rule(name, value):
    dates = {"valid_from_date": dt.date(2021, 1, 1), "source": "a test"}
    LimitRule.objects.update_or_create(rule=name, defaults={"value": value, **dates})


def used(**more):
    today = clock.business_date(clock.now())
    # A day before and after too: no midnight may pass between here and the debit.
    for days in (-1, 0, 1):
        date = today + dt.timedelta(days=days)
        LimitUsage.objects.update_or_create(account=account(), business_date=date, defaults=more)


def began(paise):
    facts = {"device": MARK, "began_at": an_hour_ago(), "amount_paise": paise}
    FirstUse.objects.update_or_create(account=account(), defaults=facts)


def forget_beginning():
    FirstUse.objects.all().delete()
    rule("FIRST_PAYMENT_AMOUNT", AMOUNT - 1)


def block_money():
    spend(0)
    order = TransferOrder(
        key="BLOCK/1",
        debit_account=account().ledger_account_id,
        credit_account=account_id_by_code(Chart.SWITCH_PAYABLE),
        amount=Money(BALANCE - AMOUNT + 1),
        purpose="BLOCK",
        kind=Kind.PENDING,
    )
    with transaction.atomic():
        (verdict,) = post_transfers([order])
    assert verdict.is_posted


def forget_merchants():
    ApiKey.objects.all().delete()
    Merchant.objects.all().delete()


# From the last of the list to the first: each is put on top of all those above it here, and is
# then what the switch is told.
AGAINST_A_DEBIT = [
    ("K1", "suspected fraud",       lambda: restrict(Restriction.SUSPECTED_FRAUD)),
    ("Z9", "too little money",      lambda: spend(BALANCE - AMOUNT + 1)),
    ("IE", "money is blocked",      block_money),
    ("ZU", "the bank's own day",    lambda: rule("BANK_DAY_AMOUNT", AMOUNT - 1)),
    ("Z8", "the payment's amount",  lambda: rule("PAYMENT_AMOUNT", AMOUNT - 1)),
    ("Z7", "the day's count",       lambda: used(payments=20)),
    ("FP", "the first day's sum",   lambda: began(500_000 - AMOUNT + 1)),
    ("FL", "the first payment",     forget_beginning),
    ("ZM", "a wrong PIN",           lambda: None),
    ("Z6", "a locked PIN",          lambda: set_pin(tries_left=0, locked_at=clock.now())),
    ("AM", "no PIN",                lambda: set_pin(verifier=None, verifier_key="")),
    ("B1", "another mobile number", lambda: set_account(mobile="919811111111")),
    ("CI", "compliance",            lambda: restrict(Restriction.COMPLIANCE)),
    ("B3", "no debits",             lambda: restrict(Restriction.NO_DEBIT)),
    ("YE", "a frozen account",      lambda: set_account(state="FROZEN")),
    ("ZX", "a dormant account",     lambda: set_account(state="DORMANT")),
    ("XH", "a closed account",      lambda: set_account(state="CLOSED")),
    ("XT", "cut-off",               lambda: pause(Side.REMITTER, Pause.CUT_OFF)),
    ("HS", "the HSM is down",       lambda: pause(Side.REMITTER, Pause.HSM)),
    ("LD", "the pool is shut",      lambda: pause(Side.REMITTER, Pause.POOL_ACCOUNT)),
    ("XY", "core banking is down",  lambda: pause(Side.REMITTER, Pause.CORE_BANKING)),
    ("IR", "the service is off",    lambda: pause(Side.REMITTER, Pause.SERVICE)),
    ("DT", "a known RRN",           lambda: None),
]  # fmt: skip


def known_before_asking(against):
    """Leave out what only our own books know: before a host, it is the host that says it."""
    is_ours = core_banking().posts_at_once
    return [row for row in against if is_ours or row[0] not in {"Z9", "IE", "PS"}]


def test_a_debit_is_declined_by_the_first_of_the_list(hand):
    asha = hand.account(NUMBER, paise=BALANCE + AMOUNT)
    earlier = Deal(payer=asha, payee=ABROAD, paise=AMOUNT)
    assert paid(hand, earlier) == "00"
    LimitUsage.objects.all().delete()

    against_a_debit = known_before_asking(AGAINST_A_DEBIT)
    codes = [code for code, _, _ in against_a_debit]
    said = []
    for code, _, put in against_a_debit:
        put()
        deal = Deal(payer=asha, payee=ABROAD, paise=AMOUNT)
        deal = replace(deal, rrn=earlier.rrn) if code == "DT" else deal
        pin = "000000" if len(said) >= codes.index("ZM") else PIN
        said.append(paid(hand, deal, pin=pin))
        assert state(deal, Role.DEBIT) == "DECLINED"

    assert said == codes


def paid(hand, deal, **how):
    sent = hand.debit(deal, device_id=DEVICE, **how)
    drain(Role.DEBIT)
    return sent.code


AGAINST_A_CREDIT = [
    ("UB", "the service is off",   lambda: pause(Side.BENEFICIARY, Pause.SERVICE)),
    ("XU", "cut-off",              lambda: pause(Side.BENEFICIARY, Pause.CUT_OFF)),
    ("Y1", "core banking is down", lambda: pause(Side.BENEFICIARY, Pause.CORE_BANKING)),
    ("LC", "the pool is shut",     lambda: pause(Side.BENEFICIARY, Pause.POOL_ACCOUNT)),
    ("ZI", "suspected fraud",      lambda: restrict(Restriction.SUSPECTED_FRAUD)),
    ("X7", "no way to merchants",  lambda: pause(Side.BENEFICIARY, Pause.MERCHANTS)),
    ("YH", "a blocked merchant",   lambda: Merchant.objects.update(state="SUSPENDED")),
    ("X6", "no merchant of ours",  forget_merchants),
    ("PS", "too much money",       lambda: set_account(balance_max_paise=AMOUNT - 1)),
    ("XW", "compliance",           lambda: restrict(Restriction.COMPLIANCE)),
    ("B3", "no credits",           lambda: restrict(Restriction.NO_CREDIT)),
    ("YF", "a frozen account",     lambda: set_account(state="FROZEN")),
    ("ZY", "a dormant account",    lambda: set_account(state="DORMANT")),
    ("XI", "a closed account",     lambda: set_account(state="CLOSED")),
]  # fmt: skip


def test_a_credit_is_declined_by_the_first_of_the_list(hand):
    shop = shop_side(hand, open_shop())
    BankAccount.objects.filter(number=shop.number).update(number=NUMBER)
    set_vpa(shop.address, account_number=NUMBER)

    said = []
    for _, _, put in known_before_asking(AGAINST_A_CREDIT):
        put()
        deal = Deal(payer=ABROAD, payee=replace(shop, number=NUMBER), paise=AMOUNT)
        sent = hand.credit(deal)
        drain(Role.CREDIT)
        said.append(sent.code)
        assert state(deal, Role.CREDIT) == "DECLINED"

    assert said == [code for code, _, _ in known_before_asking(AGAINST_A_CREDIT)]


@pytest.mark.own_books
def test_credits_of_one_batch_fill_an_account_to_its_limit_and_no_further(hand):
    hand.plain_account(NUMBER)
    set_account(balance_max_paise=25_000)
    payee = Party(address="u1@exbank", number=NUMBER)
    deals = [Deal(payer=ABROAD, payee=payee, paise=AMOUNT) for _ in range(3)]

    sent = [hand.credit(deal) for deal in deals]
    drain(Role.CREDIT)

    assert sorted(each.code for each in sent) == ["00", "00", "PS"]


SCORED = (
    RiskScore(provider="NPCI", type="TXNRISK", value="00030"),
    RiskScore(provider="NPCI", type="MULERISK", value="777"),
)


@pytest.mark.parametrize(
    ("_case", "score_type", "threshold", "code"),
    [
        ("no rule",          None,       0,   "00"),
        ("below",            "MULERISK", 778, "00"),
        ("another's score",  "TXNRISK",  700, "00"),
        ("at the threshold", "MULERISK", 777, "K1"),
        ("with noughts",     "TXNRISK",  30,  "K1"),
    ],
)  # fmt: skip
def test_a_debit_whose_score_reaches_a_threshold_is_declined(
    hand, _case, score_type, threshold, code
):
    asha = hand.account(NUMBER, paise=BALANCE)
    if score_type:
        score_from(threshold, score_type)
    deal = Deal(payer=asha, payee=ABROAD, paise=AMOUNT)

    assert paid(hand, deal, risk_scores=SCORED) == code

    leg = Leg.objects.get(role=Role.DEBIT)
    assert leg.risk_scores == [["NPCI", "TXNRISK", 30], ["NPCI", "MULERISK", 777]]
    assert LimitUsage.objects.get().payments == (1 if code == "00" else 0)


@pytest.mark.own_books
def test_missing_funds_are_named_before_the_score(hand):
    asha = hand.account(NUMBER, paise=AMOUNT - 1)
    score_from(1, "TXNRISK")
    deal = Deal(payer=asha, payee=ABROAD, paise=AMOUNT)

    assert paid(hand, deal, risk_scores=SCORED) == "Z9"


def test_a_threshold_holds_on_its_days_only(hand):
    asha = hand.account(NUMBER, paise=BALANCE)
    today = clock.business_date(clock.now())
    score_from(1, "TXNRISK", until=today)
    score_from(1, "MULERISK", begin=today + dt.timedelta(days=2))
    deal = Deal(payer=asha, payee=ABROAD, paise=AMOUNT)

    assert paid(hand, deal, risk_scores=SCORED) == "00"


def score_from(threshold, score_type, *, begin=dt.date(2021, 1, 1), until=None):
    RiskScoreRule.objects.create(
        provider="NPCI",
        score_type=score_type,
        threshold=threshold,
        valid_from_date=begin,
        valid_to_date=until,
        source="a test",
    )


PERSON = "ravi@exbank"
GIVEN_UP = {"state": "INACTIVE", "deactivated_at": "2026-01-01T00:00:00Z"}
AGAINST_A_PERSON = [
    ("SA", "a credit account",     lambda: set_vpa(PERSON, account_type="CREDIT")),
    ("RA", "the payer's account",  lambda: set_vpa(PERSON, account_number=NUMBER)),
    ("ZE", "closed by the PSP",    lambda: set_vpa(PERSON, closed_by="PSP")),
    ("ZG", "closed by its owner",  lambda: set_vpa(PERSON, closed_by="OWNER")),
    ("UX", "expired",              lambda: set_vpa(PERSON, expires_at=an_hour_ago())),
    ("ZH", "given up",             lambda: set_vpa(PERSON, **GIVEN_UP)),
]  # fmt: skip


def test_an_address_is_refused_by_the_first_of_the_list(hand):
    asha, ravi = enrol_payer(hand, NUMBER), enrol_payee(hand)

    said = []
    for _, _, put in AGAINST_A_PERSON:
        put()
        deal = asha.pay(ravi, amount=AMOUNT)
        drain(Role.PAYER_PSP)
        said.append(answered(hand, deal))

    assert said == [code for code, _, _ in AGAINST_A_PERSON]


def answered(hand, deal):
    asked = hand.authorise(deal)
    drain(Role.PAYEE_PSP)
    return hand.answers(asked)[0].find("Resp").get("errCode")


def test_a_suspended_merchant_is_refused_and_one_that_is_gone_is_an_error(hand):
    shops = [open_shop(), open_shop("Kaveri Sweets")]
    deals = [Deal(payer=ABROAD, payee=shop_side(hand, shop)) for shop in shops[:1]]
    Merchant.objects.filter(pk=shops[0].merchant.pk).update(state="SUSPENDED")

    assert answered(hand, deals[0]) == "ZB"

    gone = Party(address=shops[1].address, number="1", name="KAVERI SWEETS")
    shops[1].merchant.keys.all().delete()
    shops[1].merchant.delete()
    assert answered(hand, Deal(payer=ABROAD, payee=gone)) == "YG"


def test_a_restriction_and_a_pause_hold_for_their_time_only(hand):
    asha = hand.account(NUMBER, paise=BALANCE)
    over = {
        "valid_from_at": an_hour_ago(),
        "valid_until_at": an_hour_ago() + dt.timedelta(minutes=5),
    }
    coming = {"valid_from_at": clock.now() + dt.timedelta(days=1)}
    for when in (over, coming):
        AccountRestriction.objects.create(account=account(), kind="NO_DEBIT", source="a", **when)
        ServicePause.objects.create(side="REMITTER", kind="SERVICE", source="a", **when)

    assert paid(hand, Deal(payer=asha, payee=ABROAD, paise=AMOUNT)) == "00"


def test_what_is_declined_after_the_limits_is_given_back_to_them(hand):
    asha = hand.account(NUMBER, paise=BALANCE)
    restrict(Restriction.SUSPECTED_FRAUD)

    assert paid(hand, Deal(payer=asha, payee=ABROAD, paise=AMOUNT)) == "K1"

    usage = LimitUsage.objects.get()
    assert (usage.amount_paise, usage.payments) == (0, 0)
    assert FirstUse.objects.get().began_at is None


def test_another_banks_account_is_none_of_ours_whatever_its_number(hand):
    asha = hand.account(paise=100_000)

    sent = hand.debit(Deal(payer=replace(asha, ifsc="SMPL0000002"), payee=ABROAD))
    drain(Role.DEBIT)

    assert sent.code == "XH"
    assert not PinBlock.objects.exists()
