"""Write accounts and account requests as the app API shows them."""

from typing import Any

from apps.common import clock, ids
from apps.common.masking import mask_account
from apps.customers.models import AccountRequest, LinkedAccount
from apps.customers.states import FINAL, PUBLIC_STATUS, RequestState
from apps.upi.response_codes import REQUEST, Language, deciding_row, explain

# What we refuse ourselves has no code of UPI.
_OURS = {"OVER_BUDGET": "daily_limit"}
_UNKNOWN = "bank_refused"


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


def account_request(row: AccountRequest, language: Language) -> dict[str, Any]:
    """Return a request and what became of it."""
    state = RequestState(row.state)
    failure, explanation = None, None
    if state == RequestState.FAILED:
        failure, explanation = _failure(row.result_code, language)
    return {
        "object": "account_request",
        "id": ids.public_id("arq", row.pk),
        "kind": row.kind,
        "txn_id": row.transaction_id,
        "account": ids.public_id("acc", row.account_id),
        "status": PUBLIC_STATUS[state],
        "finality": "final" if state in FINAL else "provisional",
        "upi_code": row.result_code or None,
        "failure": failure,
        "explanation": explanation,
        "created_at": clock.iso(row.created_at),
    }


def _failure(code: str, language: Language) -> tuple[str, dict[str, object] | None]:
    """Return why the bank said no: a stable word, and the words for people."""
    if code in _OURS:
        return _OURS[code], None
    if deciding_row(code, REQUEST) is None:
        return _UNKNOWN, None
    words = explain(code, language, tables=REQUEST)
    return words.reason, words.as_document()
