"""Collects: our merchant asks other banks' payers, and other banks' merchants ask ours."""

import functools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from conformance import script, shop
from conformance.case import AMOUNT_PAISE, Case, Role, Stage
from conformance.cases.asking import OTHER_STORE, STORE, Asking
from conformance.cases.payment import NOTHING, PAID
from conformance.declines import expect_code, named
from conformance.numbering import Play, cases_of, numbered
from conformance.person import other_pin
from conformance.script import STRANGER, Deal, Side, say, word

_EXPIRES_SECONDS = 60.0
_OVER_THE_LIMIT_PAISE = 2_00_000_00


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A payer of another bank, who says by the address or the amount what comes of a collect."""

    payer: str
    does: str
    code: str = ""
    paise: int = AMOUNT_PAISE
    is_seen: bool = True
    waits_seconds: float = 0


_ABROAD = (
    _Asked(payer="approve@sandbox", does="agrees"),
    _Asked(payer="decline@sandbox", does="declines", code="U19~ZA"),
    _Asked(payer="decline.s0@sandbox", does="declines it as spam", code="U19~S0"),
    _Asked(payer="decline.tm@sandbox", does="has blocked the shop", code="U19~TM"),
    _Asked(payer="ghost@smplbank", does="does not exist", code="U19~ZH"),
    _Asked(payer="who@nobank", does="is of a bank that is not there", code="U17", is_seen=False),
    _Asked(payer="approve@sandbox", does="agrees without money", code="U30~Z9", paise=7_51),
    _Asked(payer="approve@sandbox", does="enters a wrong PIN", code="U30~ZM", paise=7_55),
    _Asked(
        payer="approve@sandbox", does="agrees, and the bank is silent", code="U67", paise=7_68,
        waits_seconds=15,
    ),
    _Asked(
        payer="silent@sandbox", does="keeps silent until it expires", code="U69",
        waits_seconds=_EXPIRES_SECONDS,
    ),
)  # fmt: skip


def _rows() -> Iterator[Case]:
    for row in _ABROAD:
        told = f"failed with {named(row.code)}" if row.code else "succeeded"
        yield Case(
            id="",
            role=Role.PAYEE_PSP,
            title=f"Collect: the payer {row.does}",
            given="an order of our merchant, and a payer of another bank",
            when=f"the merchant asks the payer, who {row.does}",
            then=f"the merchant is shown the collect {told}, and the order is "
            + ("open to others" if row.code else "paid"),
            source="upi-protocol 1.5, 7.2",
            play=functools.partial(_play, row=row),
            waits_seconds=row.waits_seconds,
        )


def _play(stage: Stage, row: _Asked) -> None:
    order = shop.new_order(stage, row.paise)
    collect = shop.ask(stage, order, row.payer, minutes=1 if row.waits_seconds else 20)
    _expect_merchant(stage, order, collect, row.code, waits_seconds=row.waits_seconds)
    if not row.is_seen:
        return
    ended = stage.control.payment(collect["upi"]["txn_id"]) or {}
    wanted = "FAILURE" if row.code else "SUCCESS"
    stage.expect("the switch says", found=ended.get("status"), wanted=wanted)
    entries = PAID if not row.code else NOTHING
    stage.expect_entries(collect["upi"]["txn_id"], entries)


def _expect_merchant(
    stage: Stage,
    order: dict[str, Any],
    collect: dict[str, Any],
    code: str = "",
    *,
    waits_seconds: float = 0,
) -> None:
    shown = shop.ended(stage, f"/v1/collects/{collect['id']}", waits_seconds=waits_seconds)
    status, order_status = ("failed", "created") if code else ("succeeded", "paid")
    stage.expect("the merchant is shown", found=shown["status"], wanted=status)
    expect_code(stage, shown, code, who="the merchant")
    stage.expect("the order", found=shop.status_of(stage, order), wanted=order_status)


def same_key(stage: Stage) -> None:
    """The same key and body again is the same collect; another body under it is refused."""
    order, key = shop.new_order(stage), str(uuid.uuid4())
    asked = [shop.ask(stage, order, "approve@sandbox", key=key)["id"] for _ in range(2)]
    stage.expect("how many collects", found=len(set(asked)), wanted=1)
    refused = stage.refusal(lambda: shop.ask(stage, order, "approve@sandbox", key=key, minutes=9))
    stage.expect("another body", found=refused, wanted="422 idempotency_mismatch")


def paid_order(stage: Stage) -> None:
    """An order that a collect has paid is asked for no more."""
    order = shop.new_order(stage)
    _expect_merchant(stage, order, shop.ask(stage, order, "approve@sandbox"))
    refused = stage.refusal(lambda: shop.ask(stage, order, "approve@sandbox"))
    stage.expect("another collect", found=refused, wanted="409 order_not_payable")


def answered_by_hand(stage: Stage) -> None:
    """A collect is pending until its payer speaks, and then it is paid once."""
    order = shop.new_order(stage)
    collect = shop.ask(stage, order, "ravi@smplbank")
    _answer(stage, collect, "approve")
    _expect_merchant(stage, order, collect)


def paid_twice(stage: Stage) -> None:
    """Of two collects for one order the second payment goes back by itself."""
    order = shop.new_order(stage)
    collects = [shop.ask(stage, order, "ravi@smplbank") for _ in range(2)]
    for collect in collects:
        _answer(stage, collect, "approve")
        shop.ended(stage, f"/v1/collects/{collect['id']}")
    stage.expect("the order", found=shop.status_of(stage, order), wanted="paid")

    def refunds() -> list[str]:
        paths = [f"/v1/payments/{collect['payment']}/refunds" for collect in collects]
        found = [each for path in paths for each in shop.call(stage, "GET", path)["data"]]
        return [f"{each['reason']} {each['status']}" for each in found]

    found = stage.until(refunds, lambda found: found == ["duplicate succeeded"])
    stage.expect("what goes back", found=found, wanted=["duplicate succeeded"])


def _answer(stage: Stage, collect: dict[str, Any], action: str) -> None:
    path = f"/collects/{collect['upi']['txn_id']}/answer"

    def is_answered() -> bool:
        url = stage.control.url + path
        return stage.control.client.post(url, json={"action": action}).is_success

    asked = stage.until(is_answered, bool)
    stage.expect("the payer is asked", found=asked, wanted=True)


def approved(stage: Stage) -> None:
    """A customer who agrees with the PIN pays once, and the app shows it as a payment too."""
    stage.balance_before(stage.payer)
    asked = Asking(stage).send()
    asked.approve()
    asked.expect("succeeded")
    shown = stage.shown(asked.transaction_id, wanted="succeeded")
    stage.expect("the payment", found=shown["status"], wanted="succeeded")
    stage.expect_moves({stage.payer.vpa: -AMOUNT_PAISE}, stage.payer)


def wrong_pin(stage: Stage) -> None:
    """A wrong PIN pays nothing, and a collect is answered once."""
    stage.balance_before(stage.payer)
    asked = Asking(stage).send()
    asked.approve(other_pin(stage.payer.pin))
    asked.expect("failed", "U30~ZM")
    again = stage.refusal(asked.approve)
    stage.expect("the right PIN afterwards", found=again, wanted="409 collect_over")
    stage.expect_moves({}, stage.payer)


def over_the_limit(stage: Stage) -> None:
    """A collect over the limit of one payment is not debited."""
    stage.balance_before(stage.payer)
    asked = Asking(stage, paise=_OVER_THE_LIMIT_PAISE).send()
    asked.approve()
    asked.expect("failed", "U30~Z8")
    stage.expect_moves({}, stage.payer)


def declined(stage: Stage) -> None:
    """A customer who says no is asked no more, and pays nothing."""
    stage.balance_before(stage.payer)
    asked = Asking(stage).send()
    asked.decline()
    asked.expect("failed", "U19~ZA")
    again = stage.refusal(asked.approve)
    stage.expect("a yes afterwards", found=again, wanted="409 collect_over")
    stage.expect_moves({}, stage.payer)


def blocked(stage: Stage) -> None:
    """Who is blocked asks in vain until unblocked; others still ask."""
    stage.payer = stage.fresh()
    first = Asking(stage).send()
    first.decline(is_requester_blocked=True)
    first.expect("failed", "U19~TM")
    ended = stage.control.payment(Asking(stage).send().transaction_id) or {}
    stage.expect("the next collect", found=ended.get("code"), wanted="U19~TM")
    other = Asking(stage, payee=OTHER_STORE).send()
    stage.expect("another shop's", found=other.shown().get("awaits_approval"), wanted=True)
    other.decline()
    stage.payer.phone.unblock_requester(STORE)
    later = Asking(stage).send()
    stage.expect("after unblocking", found=later.shown().get("awaits_approval"), wanted=True)
    later.decline()


def expired(stage: Stage) -> None:
    """Silence lets a collect expire, and a late yes is refused."""
    stage.balance_before(stage.payer)
    asked = Asking(stage, minutes=1).send()
    stage.expect("the app shows it", found=asked.shown()["status"], wanted="pending")
    asked.expect("failed", "U69", waits_seconds=_EXPIRES_SECONDS)
    late = stage.refusal(asked.approve)
    stage.expect("a late yes", found=late, wanted="409 collect_over")
    stage.expect_moves({}, stage.payer)


def approved_again(stage: Stage) -> None:
    """A yes that is sent again under its key is the same yes; under another it is refused."""
    stage.balance_before(stage.payer)
    asked, key = Asking(stage).send(), str(uuid.uuid4())
    shown, payer = asked.shown(), stage.payer
    block_of = functools.partial(payer.phone.approve_collect, account_id=payer.account_id)
    block_of(shown, pin=payer.pin, idempotency_key=key)
    again = stage.refusal(lambda: block_of(shown, pin=payer.pin))
    stage.expect("another key", found=again, wanted="409 collect_over")
    asked.expect("succeeded")
    stage.expect_moves({stage.payer.vpa: -AMOUNT_PAISE}, stage.payer)


def anothers(stage: Stage) -> None:
    """A collect is for whom it asks: another customer does not find it."""
    asked = Asking(stage).send()
    shown, other = asked.shown(), stage.payee
    found = stage.refusal(
        lambda: other.phone.approve_collect(shown, account_id=other.account_id, pin=other.pin)
    )
    stage.expect("the stranger's yes", found=found, wanted="404 not_found")
    found = stage.refusal(lambda: other.phone.decline_collect(shown))
    stage.expect("the stranger's no", found=found, wanted="404 not_found")
    asked.decline()
    asked.expect("failed", "U19~ZA")


def _asked_by_script(stage: Stage, payer: str, *, payee: Side = STRANGER) -> str:
    deal = Deal(payer=Side(address=payer, number=""), payee=payee)
    return word(say(stage, script.consent(deal)))


def nobody_asked(stage: Stage) -> None:
    """A collect for an address that nobody has is refused."""
    found = _asked_by_script(stage, "nobody.has.this@exbank", payee=script.STORE)
    stage.expect("the answer", found=found, wanted="FAILURE ZH")


def shop_asked(stage: Stage) -> None:
    """A merchant has no app in which it could agree to a collect."""
    found = _asked_by_script(stage, stage.place.shop()["vpa"], payee=script.STORE)
    stage.expect("the answer", found=found, wanted="FAILURE ZH")


def person_asks(stage: Stage) -> None:
    """Persons ask nobody since October 2025."""
    found = _asked_by_script(stage, stage.payer.vpa)
    stage.expect("the answer", found=found, wanted="FAILURE ZE")


CASES = (
    *numbered(_rows(), first=701),
    *cases_of(
        Role.PAYEE_PSP,
        (
            Play(same_key, "1.3, 1.5"),
            Play(paid_order, "1.5"),
            Play(answered_by_hand, "1.5"),
            Play(paid_twice, "1.5, 7.8"),
        ),
        given="an order of our merchant",
        when="the merchant asks a payer for it with POST /v1/collects",
        first=751,
        about="Collect",
    ),
    *cases_of(
        Role.PAYER_PSP,
        (
            Play(approved, "1.5"),
            Play(wrong_pin, "1.5, 4.2"),
            Play(over_the_limit, "4.2, 7.1"),
            Play(declined, "1.5, 4.4"),
            Play(blocked, "4.4, 7.2"),
            Play(expired, "1.5, 7.2", waits_seconds=_EXPIRES_SECONDS),
            Play(approved_again, "1.3, 1.5"),
            Play(anothers, "5.7"),
            Play(nobody_asked, "4.4"),
            Play(shop_asked, "4.4"),
            Play(person_asks, "7.2"),
        ),
        given="a customer of this bank",
        when="a merchant of another bank asks for money",
        first=751,
        about="Collect",
    ),
)
