"""The promises, each held against a history: what is found here, no client may ever see."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from conformance.history.reading import History, Line

_RANKS = {"created": 0, "pending": 1, "succeeded": 2, "failed": 2}
_FINAL = "final"
# No Ack at all, and the switch's word that an answer came when it waited no longer.
_NOT_HEARD = {"NONE", "U70"}
_SUMS_MAX = 100_000


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that did not hold, of what, and how it was seen."""

    promise: str
    subject: str
    detail: str


def judge(history: History) -> list[Violation]:
    """Return every violation of a history, by promise."""
    return [
        Violation(name, subject, detail)
        for name, check in PROMISES.items()
        for subject, detail in check(history)
    ]


Found = Iterator[tuple[str, str]]


def no_acceptance_is_lost(history: History) -> Found:
    """What was accepted is found for ever, with the payer, payee and amount that were asked."""
    for pay in history.accepted():
        transaction_id = pay["txn_id"]
        last = history.last_read(transaction_id)
        if last is None:
            yield transaction_id, "nobody asked for it at the end"
        elif last["outcome"] != "ok":
            yield transaction_id, f"accepted, then {last.get('status')} {last.get('code')}"
        else:
            shown = last["shown"]
            seen = (shown["payer_vpa"], shown["payee_vpa"], shown["amount"])
            if seen != (pay["payer"], pay["payee"], pay["amount_paise"]):
                yield transaction_id, f"asked for other facts than it has: {seen}"


def one_payment_per_key(history: History) -> Found:
    """A key and a body stand for one payment, and no key answers with another's."""
    ids: dict[tuple[str, str], set[str]] = defaultdict(set)
    for pay in history.accepted():
        if pay["shown"]["txn_id"] != pay["txn_id"]:
            yield pay["txn_id"], f"was answered with {pay['shown']['txn_id']}"
        ids[pay["client"], pay["key"]].add(pay["shown"]["id"])
    for (_, key), found in ids.items():
        if len(found) > 1:
            yield key, f"stands for {len(found)} payments"


def states_never_go_back(history: History) -> Found:
    """Who asks later never sees less; what is final stays as it is."""
    for transaction_id, reads in history.reads.items():
        seen = sorted(
            (read for read in reads if read["outcome"] == "ok"),
            key=lambda read: read["returned_ns"],
        )
        latest: Line | None = None
        for read in seen:
            if latest is not None and latest["returned_ns"] <= read["invoked_ns"]:
                yield from _went_back(transaction_id, latest["shown"], read["shown"])
            if latest is None or _rank(read) >= _rank(latest):
                latest = read


def _rank(read: Line) -> int:
    return _RANKS[read["shown"]["status"]]


def _went_back(transaction_id: str, earlier: Line, later: Line) -> Found:
    was, now = earlier["status"], later["status"]
    if _RANKS[now] < _RANKS[was] or (earlier["finality"] == _FINAL and was != now):
        yield transaction_id, f"was {was}, then {now}"


def no_effect_after_refusal(history: History) -> Found:
    """An order that was refused, and nothing else, is never seen by the switch."""
    accepted = {pay["txn_id"] for pay in history.pays if pay["outcome"] != "refused"}
    for pay in history.pays:
        journal = history.journals.get(pay["txn_id"])
        if pay["txn_id"] not in accepted and journal is not None and journal["payment"]:
            yield pay["txn_id"], "was refused, and the switch has it"


def every_payment_ends(history: History) -> Found:
    """At the end a payment is final, or the switch's own word explains why it is not."""
    for transaction_id in {pay["txn_id"] for pay in history.accepted()}:
        last = history.last_read(transaction_id)
        if last is None or last["outcome"] != "ok" or last["shown"]["finality"] == _FINAL:
            continue
        journal = history.journals.get(transaction_id)
        if not _is_explained(journal):
            yield transaction_id, f"is still {last['shown']['status']}"


def _is_explained(journal: Line | None) -> bool:
    """Say whether a payment is deemed, or the switch lost its order on the way in."""
    if journal is None:
        return False
    payment = journal["payment"]
    if payment is not None:
        return bool(payment["status"] == "DEEMED")
    return any(
        row["direction"] == "in" and row["api"] == "ReqPay" and row["fault"]
        for row in journal["messages"]
    )


def app_and_switch_agree(history: History) -> Found:
    """What the app calls succeeded or failed, the switch calls so too."""
    for transaction_id, journal in history.journals.items():
        last = history.last_read(transaction_id)
        if last is None or last["outcome"] != "ok" or last["shown"]["finality"] != _FINAL:
            continue
        status = "" if journal["payment"] is None else journal["payment"]["status"]
        wanted = {"succeeded": {"SUCCESS"}, "failed": {"FAILURE", ""}}[last["shown"]["status"]]
        if status not in wanted:
            yield transaction_id, f"the app says {last['shown']['status']}, the switch {status}"


def a_leg_has_one_answer(history: History) -> Found:
    """However often a leg is asked for, the bank's answer is the same."""
    for transaction_id in history.journals:
        for kind, sub_type in (("DEBIT", ""), ("CREDIT", ""), *_REVERSALS):
            words = {
                (row["result"], row["code"])
                for row in history.answers(transaction_id, kind, sub_type)
            }
            if len(words) > 1:
                yield transaction_id, f"{kind} {sub_type} was answered {sorted(words)}"


def differences_are_the_wires(history: History) -> Found:
    """Bank and switch differ about a leg only where the wire lost a word between them."""
    for transaction_id, journal in history.journals.items():
        payment = journal["payment"]
        if payment is None or payment["status"] != "FAILURE":
            continue
        if lost_a_word(journal):
            continue
        if _word(history, transaction_id, "CREDIT"):
            yield transaction_id, "the bank credited what the switch calls failed"
        if _debited(history, transaction_id, 1) == -1:
            yield transaction_id, "the bank keeps the debit of what the switch calls failed"


def lost_a_word(journal: Line) -> bool:
    """Say whether some message of a transaction, or its Ack, met a fault or came too late."""
    return any(row["fault"] or row["ack"] in _NOT_HEARD for row in journal["messages"])


def books_are_the_journal(history: History) -> Found:
    """Each account moved by what the switch's journal says of its payments, to the paisa."""
    certain: dict[str, int] = defaultdict(int)
    open_paise: dict[str, list[int]] = defaultdict(list)
    for transaction_id, journal in history.journals.items():
        if journal["payment"] is None:
            continue
        payment = journal["payment"]
        for address, move in _moves(history, transaction_id, payment):
            if isinstance(move, int):
                certain[address] += move
            else:
                certain[address] += min(move)
                open_paise[address].append(max(move) - min(move))
    for address, before in history.before.items():
        after = history.after.get(address)
        if before is None or after is None:
            yield address, "the balance was not told"
            continue
        left = after - before - certain[address]
        if left not in _sums(open_paise[address]):
            yield address, f"moved by {after - before} paise, {left} more than the journal says"


Move = int | tuple[int, int]


def _moves(history: History, transaction_id: str, payment: Line) -> Iterator[tuple[str, Move]]:
    """
    Yield what each side of a payment moved by; two figures where nobody outside can tell.

    The bank's own answers decide; where it was asked and its answer was never heard, the switch
    does not know either, and the day file will say.
    """
    amount = payment["amount_paise"]
    yield payment["payer"].lower(), _debited(history, transaction_id, amount)
    yield payment["payee"].lower(), _credited(history, transaction_id, amount)


def _debited(history: History, transaction_id: str, amount: int) -> Move:
    debit = _word(history, transaction_id, "DEBIT")
    back = _word(history, transaction_id, "REVERSAL", "DEBIT")
    was_undone = history.was_asked(transaction_id, "REVERSAL", "DEBIT")
    # A reversal that was answered, with whatever code, leaves nothing taken.
    if debit is False or back is not None:
        return 0
    if debit is None:
        return (-amount, 0) if history.was_asked(transaction_id, "DEBIT") else 0
    # Nobody heard what became of the reversal: it may have given the money back.
    return (-amount, 0) if was_undone else -amount


def _credited(history: History, transaction_id: str, amount: int) -> Move:
    credit = _word(history, transaction_id, "CREDIT")
    if credit is None:
        return (0, amount) if history.was_asked(transaction_id, "CREDIT") else 0
    return amount if credit else 0


def _word(history: History, transaction_id: str, kind: str, sub_type: str = "") -> bool | None:
    """Return whether the bank said that it did a leg; None if it was never heard."""
    answers = history.answers(transaction_id, kind, sub_type)
    if not answers:
        return None
    return any(row["result"] == "SUCCESS" for row in answers)


def _sums(parts: list[int]) -> set[int]:
    sums = {0}
    for part in parts:
        sums |= {each + part for each in sums}
        assert len(sums) <= _SUMS_MAX, "too little is certain to judge this account"
    return sums


_REVERSALS = (("REVERSAL", "DEBIT"), ("REVERSAL", "CREDIT"))
PROMISES: dict[str, Callable[[History], Found]] = {
    check.__name__: check
    for check in (
        no_acceptance_is_lost,
        one_payment_per_key,
        states_never_go_back,
        no_effect_after_refusal,
        every_payment_ends,
        app_and_switch_agree,
        a_leg_has_one_answer,
        differences_are_the_wires,
        books_are_the_journal,
    )
}
