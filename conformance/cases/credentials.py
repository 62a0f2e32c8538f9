"""OTP, PIN and balance: what a customer asks the bank about the account."""

from conformance import script
from conformance.case import Role, Stage
from conformance.numbering import cases_of
from conformance.person import new_pin, other_pin
from conformance.script import STRANGER, Deal, say, side_of, word

_OTP_TRIES = 3


def register(stage: Stage) -> None:
    """A PIN is set with an OTP, and from then on the balance is told."""
    person = stage.fresh()
    stage.expect("the OTP", found=person.request_otp()["status"], wanted="succeeded")
    done = person.set_pin(person.read_otp(stage.control), person.pin)
    stage.expect("the PIN", found=done["status"], wanted="succeeded")
    stage.expect("a balance", found=person.balance_paise() is not None, wanted=True)


def wrong_otp(stage: Stage) -> None:
    """A wrong OTP sets no PIN; the right one still does."""
    person = stage.fresh()
    person.request_otp()
    otp = person.read_otp(stage.control)
    refused = person.set_pin(other_pin(otp), person.pin)
    stage.expect("the wrong OTP", found=refused["upi_code"], wanted="ZR")
    done = person.set_pin(otp, person.pin)
    stage.expect("the right OTP", found=done["status"], wanted="succeeded")


def otp_used(stage: Stage) -> None:
    """An OTP serves once."""
    person = stage.fresh()
    person.request_otp()
    otp = person.read_otp(stage.control)
    stage.expect("once", found=person.set_pin(otp, person.pin)["status"], wanted="succeeded")
    again = person.set_pin(otp, new_pin())
    stage.expect("twice", found=again["status"], wanted="failed")
    stage.expect("the PIN stays", found=person.balance_paise() is not None, wanted=True)


def otp_tries(stage: Stage) -> None:
    """After so many wrong OTPs not even the right one serves."""
    person = stage.fresh()
    person.request_otp()
    otp = person.read_otp(stage.control)
    for _ in range(_OTP_TRIES):
        person.set_pin(other_pin(otp), person.pin)
    done = person.set_pin(otp, person.pin)
    stage.expect("the right OTP", found=done["status"], wanted="failed")


def no_otp(stage: Stage) -> None:
    """Without an OTP that was asked for, there is no PIN."""
    person = stage.fresh()
    stage.expect("a guess", found=person.set_pin("123456", person.pin)["status"], wanted="failed")


def wrong_card(stage: Stage) -> None:
    """An OTP is not sent for a card that is not the account's."""
    person = stage.fresh()
    asked = person.phone.request_otp(person.account_id, card_digits="000000", card_expiry="1230")
    stage.expect("the OTP", found=asked["status"], wanted="failed")


def change(stage: Stage) -> None:
    """A PIN is changed with the present one; then only the new one serves."""
    person = stage.fresh()
    person.register_pin(stage.control)
    old, person.pin = person.pin, other_pin(person.pin)
    done = person.phone.change_pin(person.account_id, present=old, new=person.pin)
    stage.expect("the change", found=done["status"], wanted="succeeded")
    asked = person.phone.balance(person.account_id, pin=old)
    stage.expect("the old PIN", found=asked["upi_code"], wanted="ZM")
    stage.expect("the new PIN", found=person.balance_paise() is not None, wanted=True)


def change_without_right(stage: Stage) -> None:
    """A PIN is not changed with a wrong one."""
    person = stage.fresh()
    person.register_pin(stage.control)
    wrong = other_pin(person.pin)
    done = person.phone.change_pin(person.account_id, present=wrong, new=new_pin())
    stage.expect("the change", found=done["upi_code"], wanted="ZM")
    stage.expect("the PIN stays", found=person.balance_paise() is not None, wanted=True)


def forgotten(stage: Stage) -> None:
    """A forgotten PIN is replaced by a registration, and a locked one opens."""
    person = stage.fresh()
    person.register_pin(stage.control)
    for _ in range(3):
        person.phone.balance(person.account_id, pin=other_pin(person.pin))
    locked = person.phone.balance(person.account_id, pin=person.pin)
    stage.expect("the locked PIN", found=locked["upi_code"], wanted="Z6")
    person.pin = new_pin()
    done = person.register_pin(stage.control)
    stage.expect("a new registration", found=done, wanted="succeeded")
    stage.expect("the new PIN", found=person.balance_paise() is not None, wanted=True)


def balance_wrong_pin(stage: Stage) -> None:
    """A balance is not told to a wrong PIN."""
    shown = stage.payer.phone.balance(stage.payer.account_id, pin=other_pin(stage.payer.pin))
    stage.expect("the code", found=shown["upi_code"], wanted="ZM")
    stage.expect("the balance", found=shown["balance"], wanted=None)
    stage.expect("the right PIN", found=stage.payer.balance_paise() is not None, wanted=True)


def balance_without_pin(stage: Stage) -> None:
    """A balance is not told where no PIN is set."""
    person = stage.fresh()
    shown = person.phone.balance(person.account_id, pin=person.pin)
    stage.expect("the code", found=shown["upi_code"], wanted="AM")


def pin_of_other_message(stage: Stage) -> None:
    """A block made for one payment does not open another: it is bound to what was shown."""
    person = stage.payer
    deal = Deal(payer=side_of(stage, person), payee=STRANGER)
    block = script.pin_block(stage, deal, person.pin)
    other = Deal(payer=deal.payer, payee=STRANGER)
    said = word(say(stage, script.debit(other, block=block)))
    stage.expect("the debit", found=said, wanted="FAILURE B6")


def pin_of_other_account(stage: Stage) -> None:
    """A block made for another account does not verify."""
    deal = Deal(payer=side_of(stage, stage.payer), payee=STRANGER)
    number = side_of(stage, stage.payee).number
    block = script.pin_block(stage, deal, stage.payer.pin, number=number)
    said = word(say(stage, script.debit(deal, block=block)))
    stage.expect("the debit is declined", found=said.startswith("FAILURE"), wanted=True)
    stage.expect("the right PIN", found=stage.payer.balance_paise() is not None, wanted=True)


_PLAYS = tuple(
    (play, source, True)
    for play, source in (
        (register, "8"),
        (wrong_otp, "4.5, 7.4"),
        (otp_used, "7.4"),
        (otp_tries, "4.5, 7.4"),
        (no_otp, "4.5"),
        (wrong_card, "4.5"),
        (change, "8"),
        (change_without_right, "4.5"),
        (forgotten, "7.4"),
        (balance_wrong_pin, "4.5"),
        (balance_without_pin, "4.5"),
        (pin_of_other_message, "5.5"),
        (pin_of_other_account, "5.5"),
    )
)

CASES = cases_of(
    Role.REMITTER,
    _PLAYS,
    given="a customer with an account and a debit card",
    when="the app asks for an OTP, a PIN or the balance",
    first=401,
)
