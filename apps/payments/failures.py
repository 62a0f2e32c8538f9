"""What UPI's codes mean to people: a stable word and a sentence each."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a payment failed, as the APIs say it."""

    code: str
    title: str


_OTHER = Failure("declined", "The payment was declined")
# By the bank's own code behind the tilde, else by the switch's (upi-protocol 4).
_FAILURES: Mapping[str, Failure] = {
    "ZM": Failure("wrong_pin", "The UPI PIN was wrong"),
    "Z6": Failure("pin_locked", "The UPI PIN is locked after too many wrong tries"),
    "AM": Failure("pin_not_set", "No UPI PIN is set for this account"),
    "B6": Failure("credential_mismatch", "The PIN was given for another payment"),
    "U54": Failure("credential_mismatch", "The PIN was given for another payment"),
    "XF": Failure("credential_malformed", "The PIN block could not be read"),
    "HS": Failure("pin_unverifiable", "The bank could not verify the PIN just now"),
    "UP": Failure("not_sent", "The payment was not sent in time"),
    "Z9": Failure("insufficient_funds", "The account has too little money"),
    "Z7": Failure("limit_exceeded", "The number of payments of the day is reached"),
    "Z8": Failure("limit_exceeded", "The amount is over the limit"),
    "XH": Failure("payer_account_unavailable", "The account to pay from does not exist"),
    "ZX": Failure("payer_account_unavailable", "The account to pay from is inactive"),
    "YE": Failure("payer_account_unavailable", "The account to pay from is blocked"),
    "B1": Failure("mobile_changed", "The account belongs to another mobile number"),
    "XI": Failure("payee_account_unavailable", "The payee's account does not exist"),
    "ZY": Failure("payee_account_unavailable", "The payee's account is inactive"),
    "YF": Failure("payee_account_unavailable", "The payee's account is blocked"),
    "ZH": Failure("payee_unknown", "There is no such payment address"),
    "RA": Failure("same_account", "Payer and payee are the same account"),
    "U96": Failure("same_account", "Payer and payee are the same account"),
    "U67": Failure("payer_bank_timeout", "The payer's bank did not answer; no money has moved"),
    "U68": Failure("payee_bank_timeout", "The payee's bank did not answer; the money is back"),
    "U26": Failure("payee_bank_timeout", "The payee's bank did not answer; the money is back"),
    "IR": Failure("payer_bank_unavailable", "The payer's bank could not work it in time"),
    "UB": Failure("payee_bank_unavailable", "The payee's bank could not work it in time"),
}


def failure_of(response_code: str) -> Failure:
    """Return why a payment failed: the bank's own code decides, where the switch names it."""
    switch, _, bank = response_code.partition("~")
    return _FAILURES.get(bank.partition("|")[0]) or _FAILURES.get(switch) or _OTHER
