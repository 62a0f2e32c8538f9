"""The remitter: PINs, accounts, debits that come twice or too late, and their reversals."""

import datetime as dt
from dataclasses import replace

from conformance import script
from conformance.case import AMOUNT_PAISE, Role, Stage
from conformance.declines import code_of, expect_code
from conformance.numbering import cases_of
from conformance.person import new_pin, other_pin
from conformance.script import STRANGER, Deal, say, side_of, word
from sandbox import clock

_TRIES = 3
_TOO_OLD_SECONDS = 30


def _deal(stage: Stage) -> Deal:
    return Deal(payer=side_of(stage, stage.payer), payee=STRANGER)


def _debit(stage: Stage, deal: Deal, *, pin: str | None = None) -> str:
    block = script.pin_block(stage, deal, stage.payer.pin if pin is None else pin)
    return word(say(stage, script.debit(deal, block=block)))


def _undo(stage: Stage, deal: Deal) -> None:
    """Give the money back, so that the switch's books and the bank's stay equal."""
    said = say(stage, script.reversal(deal, "DEBIT"))
    stage.expect("its reversal is answered", found=word(said), wanted="SUCCESS 00")


def wrong_pin(stage: Stage) -> None:
    """A wrong PIN declines, and the right one afterwards works."""
    stage.balance_before(stage.payer)
    order = stage.payer.order(stage.payee.vpa, AMOUNT_PAISE, pin=other_pin(stage.payer.pin))
    stage.pay(order)
    shown = stage.shown(order["txn_id"], wanted="failed")
    expect_code(stage, shown, "U30~ZM")
    stage.expect_moves({}, stage.payer)


def locked_pin(stage: Stage) -> None:
    """Three wrong PINs lock: then not even the right one helps."""
    person = stage.fresh()
    stage.expect("a PIN is set", found=person.register_pin(stage.control), wanted="succeeded")
    stage.payer = person
    codes = []
    for pin in [other_pin(person.pin)] * _TRIES + [person.pin]:
        order = person.order(stage.payee.vpa, AMOUNT_PAISE, pin=pin)
        stage.pay(order)
        codes.append(code_of(stage.shown(order["txn_id"], wanted="failed")))
    stage.expect("the codes", found=codes, wanted=["U30~ZM"] * _TRIES + ["U30~Z6"])
    asked = person.phone.balance(person.account_id, pin=person.pin)
    stage.expect("a balance is refused", found=asked["upi_code"], wanted="Z6")


def no_pin(stage: Stage) -> None:
    """An account without a PIN cannot pay."""
    person = stage.fresh()
    stage.payer = person
    order = person.order(stage.payee.vpa, AMOUNT_PAISE)
    stage.pay(order)
    shown = stage.shown(order["txn_id"], wanted="failed")
    expect_code(stage, shown, "U30~AM")


def right_debit(stage: Stage) -> None:
    """A debit with the right PIN is posted once, and reversed once."""
    deal = _deal(stage)
    stage.balance_before(stage.payer)
    stage.expect("the debit", found=_debit(stage, deal), wanted="SUCCESS 00")
    stage.expect_moves({stage.payer.vpa: -AMOUNT_PAISE}, stage.payer)
    _undo(stage, deal)
    stage.expect_moves({stage.payer.vpa: AMOUNT_PAISE}, stage.payer)


def debit_again(stage: Stage) -> None:
    """The same debit under a new message id is answered as the first was, and posted once."""
    deal = _deal(stage)
    block = script.pin_block(stage, deal, stage.payer.pin)
    stage.balance_before(stage.payer)
    first = script.debit(deal, block=block)
    answers = [word(say(stage, first)), word(say(stage, script.renewed(first)))]
    stage.expect("both answers", found=answers, wanted=["SUCCESS 00"] * 2)
    stage.expect_moves({stage.payer.vpa: -AMOUNT_PAISE}, stage.payer)
    _undo(stage, deal)
    stage.expect_moves({stage.payer.vpa: AMOUNT_PAISE}, stage.payer)


def debit_changed(stage: Stage) -> None:
    """Another amount under a used Txn.id is refused, and nothing more is taken."""
    deal = _deal(stage)
    stage.balance_before(stage.payer)
    stage.expect("the debit", found=_debit(stage, deal), wanted="SUCCESS 00")
    dearer = replace(deal, amount_paise=AMOUNT_PAISE * 2)
    stage.expect("the dearer one", found=_debit(stage, dearer), wanted="Ack U01")
    stage.expect_moves({stage.payer.vpa: -AMOUNT_PAISE}, stage.payer)
    _undo(stage, deal)
    stage.expect_moves({stage.payer.vpa: AMOUNT_PAISE}, stage.payer)


def reversal_twice(stage: Stage) -> None:
    """A reversal that comes twice gives the money back once."""
    deal = _deal(stage)
    stage.balance_before(stage.payer)
    stage.expect("the debit", found=_debit(stage, deal), wanted="SUCCESS 00")
    first = script.reversal(deal, "DEBIT")
    said = [word(say(stage, first)), word(say(stage, script.renewed(first)))]
    stage.expect("both answers", found=said, wanted=["SUCCESS 00"] * 2)
    stage.expect_moves({}, stage.payer)


def reversal_first(stage: Stage) -> None:
    """A reversal before its debit leaves a tombstone: the late debit is refused."""
    deal = _deal(stage)
    stage.balance_before(stage.payer)
    undone = word(say(stage, script.reversal(deal, "DEBIT")))
    stage.expect("the reversal", found=undone, wanted="FAILURE OD")
    stage.expect("the late debit", found=_debit(stage, deal), wanted="FAILURE XB")
    stage.expect_moves({}, stage.payer)


def reversal_of_decline(stage: Stage) -> None:
    """The reversal of a declined debit says that it was not done."""
    deal = _deal(stage)
    stage.balance_before(stage.payer)
    wrong = _debit(stage, deal, pin=other_pin(stage.payer.pin))
    stage.expect("the debit", found=wrong, wanted="FAILURE ZM")
    undone = word(say(stage, script.reversal(deal, "DEBIT")))
    stage.expect("the reversal", found=undone, wanted="FAILURE ND")
    stage.expect_moves({}, stage.payer)


def unknown_account(stage: Stage) -> None:
    """An account that is not there is not debited."""
    deal = _deal(stage)
    nobody = replace(deal, payer=replace(deal.payer, number="001399999999"))
    stage.expect("the debit", found=_debit(stage, nobody), wanted="FAILURE XH")


def other_mobile(stage: Stage) -> None:
    """A device whose number is not the account's may not pay from it."""
    deal = _deal(stage)
    moved = replace(deal, payer=replace(deal.payer, mobile="919711111111"))
    stage.balance_before(stage.payer)
    stage.expect("the debit", found=_debit(stage, moved), wanted="FAILURE B1")
    stage.expect_moves({}, stage.payer)


def no_block(stage: Stage) -> None:
    """A debit without a credential is a format error."""
    deal = _deal(stage)
    said = word(say(stage, script.debit(deal, block=None)))
    stage.expect("the debit", found=said, wanted="FAILURE XF")


def broken_block(stage: Stage) -> None:
    """A credential that cannot be read is a format error and costs no try."""
    deal = _deal(stage)
    stage.balance_before(stage.payer)
    said = word(say(stage, script.debit(deal, block="2.0|AAAA")))
    stage.expect("the debit", found=said, wanted="FAILURE XF")
    stage.expect_moves({}, stage.payer)


def foreign_block(stage: Stage) -> None:
    """A credential that was made for another amount does not fit."""
    deal = _deal(stage)
    block = script.pin_block(stage, replace(deal, amount_paise=1), stage.payer.pin)
    stage.balance_before(stage.payer)
    said = word(say(stage, script.debit(deal, block=block)))
    stage.expect("the debit", found=said, wanted="FAILURE B6")
    stage.expect_moves({}, stage.payer)


def same_rrn(stage: Stage) -> None:
    """Another transaction with the same RRN is a duplicate."""
    deal = _deal(stage)
    stage.balance_before(stage.payer)
    stage.expect("the debit", found=_debit(stage, deal), wanted="SUCCESS 00")
    twin = replace(_deal(stage), rrn=deal.rrn)
    stage.expect("its twin", found=_debit(stage, twin), wanted="FAILURE DT")
    _undo(stage, deal)
    stage.expect_moves({}, stage.payer)


def too_late(stage: Stage) -> None:
    """A debit that was sent long ago is declined, not posted."""
    deal = _deal(stage)
    stage.balance_before(stage.payer)
    root = script.debit(deal, block=script.pin_block(stage, deal, stage.payer.pin))
    head = root.find("Head")
    assert head is not None, "every message has a Head"
    head.set("ts", clock.iso(clock.now() - dt.timedelta(seconds=_TOO_OLD_SECONDS)))
    stage.expect("the debit", found=word(say(stage, root)), wanted="FAILURE IR")
    stage.expect_moves({}, stage.payer)


def over_limit(stage: Stage) -> None:
    """A debit over the limit of one payment is declined."""
    deal = replace(_deal(stage), amount_paise=2_00_000_00)
    stage.balance_before(stage.payer)
    found = _debit(stage, deal)
    stage.expect("the debit", found=found in {"FAILURE Z8", "FAILURE FL"}, wanted=True)
    stage.expect_moves({}, stage.payer)


def check_of_posted(stage: Stage) -> None:
    """The switch is told of a posted debit, of a declined one, and of one that never came."""
    posted, declined, never = _deal(stage), _deal(stage), _deal(stage)
    stage.balance_before(stage.payer)
    stage.expect("a debit", found=_debit(stage, posted), wanted="SUCCESS 00")
    wrong = _debit(stage, declined, pin=other_pin(stage.payer.pin))
    stage.expect("another with a wrong PIN", found=wrong, wanted="FAILURE ZM")
    told = [word(say(stage, script.check(deal, "DEBIT"))) for deal in (posted, declined, never)]
    stage.expect("what is told", found=told, wanted=["SUCCESS 00", "SUCCESS ZM", "FAILURE NO"])
    _undo(stage, posted)
    stage.expect_moves({}, stage.payer)


def pin_of_another(stage: Stage) -> None:
    """A PIN that belongs to nobody here is wrong, and the try comes back with the right one."""
    deal = _deal(stage)
    stage.balance_before(stage.payer)
    stage.expect("the debit", found=_debit(stage, deal, pin=new_pin()), wanted="FAILURE ZM")
    stage.expect_moves({}, stage.payer)


_PLAYS = (
    (wrong_pin, "1.4, 4.2", True),
    (locked_pin, "4.2, 7.4", True),
    (no_pin, "4.2", True),
    (right_debit, "1.4, 1.6", True),
    (debit_again, "1.6", True),
    (debit_changed, "1.6", True),
    (reversal_twice, "1.6", True),
    (reversal_first, "1.6", True),
    (reversal_of_decline, "1.6, 4.3", True),
    (unknown_account, "4.2", True),
    (other_mobile, "4.2", True),
    (no_block, "5.5", True),
    (broken_block, "5.5", True),
    (foreign_block, "5.5", True),
    (same_rrn, "1.6", True),
    (too_late, "1.6", True),
    (over_limit, "4.2, 7.1", True),
    (check_of_posted, "1.8", True),
    (pin_of_another, "4.2", True),
)


CASES = cases_of(
    Role.REMITTER,
    _PLAYS,
    given="an account of this bank",
    when="the switch sends ReqPay DEBIT or REVERSAL, or asks with ReqChkTxn",
    first=301,
)
