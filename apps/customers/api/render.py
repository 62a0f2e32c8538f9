"""Write accounts and account requests as the app API shows them."""

from typing import Any

from apps.common import clock, ids
from apps.common.masking import mask_account
from apps.customers.models import AccountRequest, LinkedAccount
from apps.customers.states import FINAL, PUBLIC_STATUS, RequestState
from apps.upi.response_codes import REQUEST, Language, deciding_row, explain
from apps.upi.services import questions

# What we refuse ourselves has no code of UPI.
_OURS = {questions.OVER_BUDGET: "daily_limit"}
BANK_REFUSED = "bank_refused"
NO_FAILURE = {"failure": None, "explanation": None}


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
    is_failed = state is RequestState.FAILED
    return {
        "object": "account_request",
        "id": ids.public_id("arq", row.pk),
        "kind": row.kind,
        "txn_id": row.transaction_id,
        "account": ids.public_id("acc", row.account_id),
        "status": PUBLIC_STATUS[state],
        "finality": "final" if state in FINAL else "provisional",
        "upi_code": row.result_code or None,
        **(failure(row.result_code, language) if is_failed else NO_FAILURE),
        "created_at": clock.iso(row.created_at),
    }


def failure(
    code: str, language: Language, *, otherwise: str = BANK_REFUSED
) -> dict[str, str | dict[str, object] | None]:
    """
    Return the members that say why a request failed: a stable word, and the words for people.

    `otherwise` is the word for codes that nobody explains.
    """
    if code in _OURS:
        return {"failure": _OURS[code], "explanation": None}
    if deciding_row(code, REQUEST) is None:
        return {"failure": otherwise, "explanation": None}
    words = explain(code, language, tables=REQUEST)
    return {"failure": words.reason, "explanation": words.as_document()}
