"""The beneficiary: credits that come twice, too late or astray, and their reversals."""

import datetime as dt
from dataclasses import replace

from conformance import script
from conformance.case import AMOUNT_PAISE, Role, Stage
from conformance.numbering import cases_of
from conformance.script import STRANGER, Deal, say, side_of, word
from sandbox import clock, ids

_TOO_OLD_SECONDS = 30


def _deal(stage: Stage) -> Deal:
    return Deal(payer=STRANGER, payee=side_of(stage, stage.payee))


def _credit(stage: Stage, deal: Deal) -> str:
    return word(say(stage, script.credit(deal)))


def right_credit(stage: Stage) -> None:
    """A credit is posted, and its reversal keeps it."""
    deal = _deal(stage)
    stage.balance_before(stage.payee)
    stage.expect("the credit", found=_credit(stage, deal), wanted="SUCCESS 00")
    undone = word(say(stage, script.reversal(deal, "CREDIT")))
    stage.expect("its reversal", found=undone, wanted="FAILURE CS")
    stage.expect_moves({stage.payee.vpa: AMOUNT_PAISE}, stage.payee)


def credit_again(stage: Stage) -> None:
    """The same credit under a new message id is answered as the first was, and posted once."""
    root = script.credit(_deal(stage))
    stage.balance_before(stage.payee)
    answers = [word(say(stage, root)), word(say(stage, script.renewed(root)))]
    stage.expect("both answers", found=answers, wanted=["SUCCESS 00"] * 2)
    stage.expect_moves({stage.payee.vpa: AMOUNT_PAISE}, stage.payee)


def credit_changed(stage: Stage) -> None:
    """Another amount under a used Txn.id is refused."""
    deal = _deal(stage)
    stage.balance_before(stage.payee)
    stage.expect("the credit", found=_credit(stage, deal), wanted="SUCCESS 00")
    dearer = replace(deal, amount_paise=AMOUNT_PAISE * 2)
    stage.expect("the dearer one", found=_credit(stage, dearer), wanted="Ack U01")
    stage.expect_moves({stage.payee.vpa: AMOUNT_PAISE}, stage.payee)


def reversal_first(stage: Stage) -> None:
    """A reversal before its credit leaves a tombstone: the late credit is refused for ever."""
    deal = _deal(stage)
    stage.balance_before(stage.payee)
    undone = word(say(stage, script.reversal(deal, "CREDIT")))
    stage.expect("the reversal", found=undone, wanted="FAILURE OC")
    stage.expect("the late credit", found=_credit(stage, deal), wanted="FAILURE XC")
    stage.expect_moves({}, stage.payee)


def reversal_of_decline(stage: Stage) -> None:
    """The reversal of a declined credit says that it was not done."""
    deal = _deal(stage)
    nobody = replace(deal, payee=replace(deal.payee, number="001399999999"))
    astray = _credit(stage, nobody)
    stage.expect("the credit", found=astray, wanted="FAILURE B6")
    undone = word(say(stage, script.reversal(nobody, "CREDIT")))
    stage.expect("the reversal", found=undone, wanted="FAILURE NC")


def unknown_account(stage: Stage) -> None:
    """An account that is not there is not credited."""
    payee = replace(side_of(stage, stage.payee), address="ghost@smplbank", number="001399999999")
    deal = Deal(payer=STRANGER, payee=payee)
    stage.expect("the credit", found=_credit(stage, deal), wanted="FAILURE XI")


def misdirected(stage: Stage) -> None:
    """Money for one customer's address never reaches another's account."""
    other = side_of(stage, stage.payer)
    deal = _deal(stage)
    astray = replace(deal, payee=replace(deal.payee, number=other.number))
    stage.balance_before(stage.payee)
    stage.balance_before(stage.payer)
    stage.expect("the credit", found=_credit(stage, astray), wanted="FAILURE B6")
    stage.expect_moves({}, stage.payee, stage.payer)


def same_rrn(stage: Stage) -> None:
    """Another transaction with the same RRN is a duplicate."""
    deal = _deal(stage)
    stage.balance_before(stage.payee)
    stage.expect("the credit", found=_credit(stage, deal), wanted="SUCCESS 00")
    twin = replace(_deal(stage), rrn=deal.rrn)
    stage.expect("its twin", found=_credit(stage, twin), wanted="FAILURE DF")
    stage.expect_moves({stage.payee.vpa: AMOUNT_PAISE}, stage.payee)


def too_late(stage: Stage) -> None:
    """A credit that was sent long ago is declined, not posted."""
    root = script.credit(_deal(stage))
    stage.balance_before(stage.payee)
    head = root.find("Head")
    assert head is not None, "every message has a Head"
    head.set("ts", clock.iso(clock.now() - dt.timedelta(seconds=_TOO_OLD_SECONDS)))
    stage.expect("the credit", found=word(say(stage, root)), wanted="FAILURE UB")
    stage.expect_moves({}, stage.payee)


def checks(stage: Stage) -> None:
    """The switch is told of a posted credit and of one that never came, and nothing moves."""
    posted, never = _deal(stage), _deal(stage)
    stage.balance_before(stage.payee)
    stage.expect("a credit", found=_credit(stage, posted), wanted="SUCCESS 00")
    told = [word(say(stage, script.check(deal, "CREDIT"))) for deal in (posted, never)]
    stage.expect("what is told", found=told, wanted=["SUCCESS 00", "FAILURE NO"])
    stage.expect_moves({stage.payee.vpa: AMOUNT_PAISE}, stage.payee)


def _paid_from_abroad(stage: Stage, order: dict[str, object], *, moves: int) -> dict[str, object]:
    transaction_id = ids.new_id("SMP")
    stage.transaction_ids.append(transaction_id)
    stage.balance_before(stage.payee)
    body = {"payee": stage.payee.vpa, "amount_paise": AMOUNT_PAISE, "txn_id": transaction_id}
    stage.control.call("POST", "/payments", body | order)
    ended = stage.control.payment(transaction_id)
    assert ended is not None, "the switch took the order"
    stage.expect_moves({stage.payee.vpa: moves}, stage.payee)
    return ended


def from_abroad(stage: Stage) -> None:
    """A customer of the other bank pays ours, who has the money once."""
    ended = _paid_from_abroad(stage, {}, moves=AMOUNT_PAISE)
    stage.expect("the switch says", found=ended["status"], wanted="SUCCESS")


def from_the_poor(stage: Stage) -> None:
    """A payer abroad without money pays nothing, and nothing comes."""
    ended = _paid_from_abroad(stage, {"payer": "broke@smplbank"}, moves=0)
    stage.expect("the switch says", found=ended["code"], wanted="U30~Z9")


def from_a_wrong_pin(stage: Stage) -> None:
    """A payer abroad with a wrong PIN pays nothing, and nothing comes."""
    ended = _paid_from_abroad(stage, {"wrong_pin": True}, moves=0)
    stage.expect("the switch says", found=ended["code"], wanted="U30~ZM")


CASES = cases_of(
    Role.BENEFICIARY,
    (
        (right_credit, "1.4, 1.6", False),
        (credit_again, "1.6", False),
        (credit_changed, "1.6", False),
        (reversal_first, "1.6", True),
        (reversal_of_decline, "1.6, 4.3", True),
        (unknown_account, "4.2", True),
        (misdirected, "4.2", True),
        (same_rrn, "1.6", False),
        (too_late, "1.6", True),
        (checks, "1.8", False),
        (from_abroad, "1.4", True),
        (from_the_poor, "1.4", True),
        (from_a_wrong_pin, "1.4", True),
    ),
    given="an account of this bank",
    when="the switch sends ReqPay CREDIT or REVERSAL, or asks with ReqChkTxn",
    first=301,
)
