"""What reconciliation lists of a run: only what the wire explains, and all that the wire left."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.history.judging import Found, Violation, lost_a_word
from conformance.history.reading import History, Line

# Somebody must act: the words after the semicolon say who.
_OPEN_ITEM = "OPEN_ITEM"
_OWNER_MARK = "; "
_HOST_STRAY = "HOST_ANSWER_UNMATCHED "
# What the switch's file says otherwise than our books, and may until an owner has acted.
_MAY_DIFFER = {"CREDIT_UNEXPECTED", "NOT_IN_FILE"}

Break = Mapping[str, Any]


def judge_listing(
    history: History, breaks: Sequence[Break], *, host_strays: int = 0
) -> list[Violation]:
    """
    Return what is listed without a reason, and what is not listed though it should be.

    `host_strays` is how many answers of the bank's own host may have fitted no call: of that wire
    the history knows nothing.
    """
    strays = [each for each in breaks if _is_of_host(each)]
    listed: dict[str, list[Break]] = defaultdict(list)
    for each in breaks:
        if each not in strays:
            listed[each["txn_id"]].append(each)
    found = _judged_strays(strays, host_strays)
    found += [
        Violation("listed_is_explained", subject, detail)
        for transaction_id, items in listed.items()
        for subject, detail in _unexplained(history, transaction_id, items)
    ]
    return found + [
        Violation("differences_are_listed", subject, detail)
        for subject, detail in _missing(history, listed)
    ]


def _is_of_host(item: Break) -> bool:
    detail: str = item["detail"]
    return item["kind"] == _OPEN_ITEM and detail.startswith(_HOST_STRAY)


def _judged_strays(strays: Sequence[Break], explained: int) -> list[Violation]:
    found = [
        Violation("listed_is_explained", each["txn_id"], f"nobody owns {each['detail']}")
        for each in strays
        if not _is_owned(each)
    ]
    if len(strays) > explained:
        detail = f"{len(strays)} answers of the host fitted no call, {explained} may have"
        found.append(Violation("listed_is_explained", "host", detail))
    return found


def _unexplained(history: History, transaction_id: str, items: Sequence[Break]) -> Found:
    journal = history.journals.get(transaction_id)
    has_owner = any(map(_is_owned, items))
    for each in items:
        if each["kind"] == _OPEN_ITEM and not _is_owned(each):
            yield transaction_id, f"nobody owns {each['detail']}"
        elif each["kind"] != _OPEN_ITEM and not (has_owner and each["kind"] in _MAY_DIFFER):
            yield transaction_id, f"{each['kind']}: {each['detail']}"
    if journal is None:
        yield transaction_id, "is listed, and nobody in this run began it"
    elif not lost_a_word(journal) and not _has_silence(journal):
        yield transaction_id, "is listed, though the wire lost nothing of it"


def _has_silence(journal: Line) -> bool:
    """Say whether a request of the switch got no answer: too late, the bank withholds it."""
    answered = {
        row["request_message_id"] for row in journal["messages"] if row["direction"] == "in"
    }
    return any(
        row["direction"] == "out" and row["api"] == "ReqPay" and row["message_id"] not in answered
        for row in journal["messages"]
    )


def _is_owned(item: Break) -> bool:
    return item["kind"] == _OPEN_ITEM and bool(item["detail"].partition(_OWNER_MARK)[2].strip())


def _missing(history: History, listed: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for transaction_id, journal in history.journals.items():
        if transaction_id in listed:
            continue
        if _is_credit_of_failed(history, transaction_id, journal):
            yield transaction_id, "the bank credited what the switch calls failed: not listed"
        elif _is_open(history, transaction_id, journal):
            yield transaction_id, "the app shows no end, nobody explains it: not listed"


def _is_credit_of_failed(history: History, transaction_id: str, journal: Line) -> bool:
    payment = journal["payment"]
    is_failed = payment is not None and payment["status"] == "FAILURE"
    return is_failed and any(
        row["result"] == "SUCCESS" for row in history.answers(transaction_id, "CREDIT")
    )


def _is_open(history: History, transaction_id: str, journal: Line) -> bool:
    last = history.last_read(transaction_id)
    if last is None or last["outcome"] != "ok" or last["shown"]["finality"] == "final":
        return False
    payment = journal["payment"]
    # A deemed payment is the beneficiary's bank's to settle, not the payer's.
    return payment is None or payment["status"] != "DEEMED"
