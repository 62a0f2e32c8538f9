"""The payee's PSP: who an address is, how a payment to it ended, and the heartbeat."""

from dataclasses import replace

from lxml import etree

from conformance import script
from conformance.case import Role, Stage
from conformance.numbering import cases_of
from conformance.script import STRANGER, Deal, Side, say, word
from sandbox import codec


def _deal(address: str) -> Deal:
    return Deal(payer=STRANGER, payee=Side(address=address, number=""))


def _ask(stage: Stage, deal: Deal) -> tuple[str, etree._Element | None]:
    said = say(stage, script.authorisation(deal))
    answer = said["answer"]
    payee = None if answer is None else etree.fromstring(answer["xml"]).find("Payees/Payee")
    return word(said), payee


def _close(stage: Stage, deal: Deal, status: str = "FAILURE") -> None:
    """Tell how it ended, so that the bank does not ask."""
    code = "U30" if status == "FAILURE" else ""
    told = word(say(stage, script.confirmation(deal, status, code)))
    stage.expect("the confirmation is answered", found=told, wanted="SUCCESS 00")


def known_address(stage: Stage) -> None:
    """An address of ours is answered with account, verified name and the amount as it came."""
    deal = _deal(stage.payee.vpa)
    found, payee = _ask(stage, deal)
    stage.expect("the answer", found=found, wanted="SUCCESS 00")
    stage.expect("its amount", found=codec.amount_of(payee), wanted=deal.amount)
    stage.expect("its branch", found=codec.account_detail(payee, "IFSC"), wanted="EXBK0000001")
    number = codec.account_detail(payee, "ACNUM")
    stage.expect("an account is named", found=bool(number), wanted=True)
    # An element without children counts as false.
    identity = None if payee is None else payee.find("Info/Identity")
    name = None if identity is None else identity.get("verifiedName")
    stage.expect("a name is vouched for", found=bool(name), wanted=True)
    _close(stage, deal)


def capital_letters(stage: Stage) -> None:
    """An address in capitals is the same address."""
    deal = _deal(stage.payee.vpa.upper())
    found, _ = _ask(stage, deal)
    stage.expect("the answer", found=found, wanted="SUCCESS 00")
    _close(stage, deal)


def unknown_address(stage: Stage) -> None:
    """An address that nobody has is refused."""
    found, _ = _ask(stage, _deal("nobody.has.this@exbank"))
    stage.expect("the answer", found=found, wanted="FAILURE ZH")


def merchant_address(stage: Stage) -> None:
    """A merchant is answered with its block and its category."""
    deal = _deal(stage.place.shop()["vpa"])
    found, payee = _ask(stage, deal)
    stage.expect("the answer", found=found, wanted="SUCCESS 00")
    shown = {} if payee is None else codec.attributes(payee)
    stage.expect("its type", found=shown.get("type"), wanted="ENTITY")
    stage.expect("its category", found=shown.get("code"), wanted=stage.place.shop()["mcc"])
    has_block = payee is not None and payee.find("Merchant/Identifier") is not None
    stage.expect("its block", found=has_block, wanted=True)
    _close(stage, deal)


def asked_again(stage: Stage) -> None:
    """The same question under a new message id gets the same answer."""
    deal = _deal(stage.payee.vpa)
    first = script.authorisation(deal)
    answers = [word(say(stage, first)), word(say(stage, script.renewed(first)))]
    stage.expect("both answers", found=answers, wanted=["SUCCESS 00"] * 2)
    _close(stage, deal)


def asked_otherwise(stage: Stage) -> None:
    """Another amount under a used Txn.id is refused."""
    deal = _deal(stage.payee.vpa)
    found, _ = _ask(stage, deal)
    stage.expect("the answer", found=found, wanted="SUCCESS 00")
    found, _ = _ask(stage, replace(deal, amount_paise=1))
    stage.expect("the other question", found=found, wanted="Ack U01")
    _close(stage, deal)


def confirmed(stage: Stage) -> None:
    """A confirmation is answered, and so is the same one again."""
    deal = _deal(stage.payee.vpa)
    _ask(stage, deal)
    root = script.confirmation(deal, "SUCCESS")
    answers = [word(say(stage, root)), word(say(stage, script.renewed(root)))]
    stage.expect("both answers", found=answers, wanted=["SUCCESS 00"] * 2)


def confirmed_pending(stage: Stage) -> None:
    """A confirmation that the payment is still pending is answered and ends nothing."""
    deal = _deal(stage.payee.vpa)
    _ask(stage, deal)
    _close(stage, deal, "PENDING")


def confirmed_unknown(stage: Stage) -> None:
    """A confirmation of a payment that we know nothing of is refused."""
    said = word(say(stage, script.confirmation(_deal(stage.payee.vpa), "SUCCESS")))
    stage.expect("the confirmation", found=said, wanted="Ack U48")


def confirmed_other_rrn(stage: Stage) -> None:
    """A confirmation that names another RRN is of another payment: refused."""
    deal = _deal(stage.payee.vpa)
    _ask(stage, deal)
    other = replace(deal, rrn="000000000001")
    said = word(say(stage, script.confirmation(other, "SUCCESS")))
    stage.expect("the confirmation", found=said[:5], wanted="Ack U")
    _close(stage, deal)


def own_account(stage: Stage) -> None:
    """Nobody pays the account from which they pay."""
    order = stage.payer.order(stage.payer.vpa, 1_00)
    found = stage.refusal(lambda: stage.pay(order))
    if not found:
        shown = stage.shown(order["txn_id"], wanted="failed")
        failure = shown["failure"] or {}
        found = str(failure.get("upi_code", failure.get("code")))
    stage.expect("the payment", found=found.split()[-1], wanted="U19~RA")


def heartbeat(stage: Stage) -> None:
    """The bank says that it is alive."""
    stage.expect("the answer", found=word(say(stage, script.heartbeat())), wanted="SUCCESS 00")


def resolved_by_app(stage: Stage) -> None:
    """An app sees who is behind an address of ours before it pays; a stranger is not found."""
    stage.expect(
        "an address that nobody has",
        found=stage.refusal(lambda: stage.payer.resolve("nobody.has.this@exbank")),
        wanted="404 not_found",
    )
    shown = stage.payer.resolve(stage.payee.vpa)
    stage.expect("the kind", found=shown["kind"], wanted="PERSON")


_PLAYS = (
    (known_address, "1.4", True),
    (capital_letters, "6.1", True),
    (unknown_address, "4.4", True),
    (merchant_address, "2.3", True),
    (asked_again, "1.6", True),
    (asked_otherwise, "1.6", True),
    (confirmed, "1.4", True),
    (confirmed_pending, "1.4", False),
    (confirmed_unknown, "1.4", True),
    (confirmed_other_rrn, "1.4", True),
    (own_account, "4.4", True),
    (heartbeat, "1.9", True),
    (resolved_by_app, "1.4", True),
)

CASES = cases_of(
    Role.PAYEE_PSP,
    _PLAYS,
    given="addresses of this bank",
    when="the switch asks with ReqAuthDetails, or tells with ReqTxnConfirmation",
    first=301,
)
