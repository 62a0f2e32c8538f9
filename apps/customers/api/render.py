"""Write accounts and account requests as the app API shows them."""

from typing import Any

from apps.common import clock, ids
from apps.common.masking import mask_account
from apps.customers.models import AccountRequest, LinkedAccount
from apps.customers.states import FINAL, PUBLIC_STATUS, RequestState

# Why the bank said no, in the words of our API (codes: upi-protocol 4.2 and 4.5).
FAILURES = {
    "AM": "pin_not_set",
    "B1": "mobile_changed",
    "OVER_BUDGET": "daily_limit",
    "RM": "pin_against_policy",
    "RN": "registration_blocked",
    "XH": "account_not_found",
    "XL": "card_expired",
    "XN": "card_not_found",
    "XR": "card_restricted",
    "Z6": "pin_locked",
    "ZM": "wrong_pin",
    "ZR": "wrong_otp",
    "ZS": "otp_expired",
    "ZT": "otp_tries_exceeded",
}
_OTHERWISE = "bank_refused"


def account(row: LinkedAccount) -> dict[str, Any]:
    """Return an account; its full number never goes to an app."""
    return {
        "object": "account",
        "id": ids.public_id("acc", row.pk),
        "ifsc": row.ifsc,
        "masked_number": mask_account(row.account_number),
        "type": row.account_type,
        "holder_name": row.holder_name,
        "is_default": row.is_default,
    }


def account_request(row: AccountRequest) -> dict[str, Any]:
    """Return a request and what became of it."""
    state = RequestState(row.state)
    has_failed = state == RequestState.FAILED
    return {
        "object": "account_request",
        "id": ids.public_id("arq", row.pk),
        "kind": row.kind,
        "txn_id": row.transaction_id,
        "account": ids.public_id("acc", row.account_id),
        "status": PUBLIC_STATUS[state],
        "finality": "final" if state in FINAL else "provisional",
        "upi_code": row.result_code or None,
        "failure": FAILURES.get(row.result_code, _OTHERWISE) if has_failed else None,
        "created_at": clock.iso(row.created_at),
    }
