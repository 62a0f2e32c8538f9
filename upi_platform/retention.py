"""
How long the months of fat tables stay in the database before they are archived.

A table that is not here keeps all its months: transfers, legs and their history are what balances,
statements, refunds and disputes are read from.
"""

from collections.abc import Mapping

from apps.operators.services.old_rows import RowRetention
from apps.operators.services.partition_months import Retention
from apps.payments.services.host_calls import KEPT_DAYS
from apps.payments.states import BEFORE_POSTING, PUBLIC, UNDECIDED, Finality

_OPEN = UNDECIDED.union(
    *BEFORE_POSTING.values(),
    (state for state, (_, finality) in PUBLIC.items() if finality is Finality.PROVISIONAL),
)
_OPEN_STATES = ", ".join(sorted(f"'{state}'" for state in _OPEN))

RETENTIONS: Mapping[str, Retention] = {
    "upi_message_log": Retention(
        months=13,
        reason="a year of audits and disputes is answered from the log; a proof that is older, "
        "from the archive",
        needed=f"""
            EXISTS (SELECT FROM upi_exchange AS exchange
                     WHERE exchange.id = part.exchange_id AND exchange.next_action_at IS NOT NULL)
            OR part.txn_id IN (SELECT transaction_id FROM payments_leg
                                WHERE state IN ({_OPEN_STATES}))
        """,  # noqa: S608 - the states are ours
    ),
    "messaging_outboxevent": Retention(
        months=4,
        reason="a fact can be published again for as long as its payment can be given back, "
        "90 days; what it says is in rows of its own",
        needed="part.published_at IS NULL",
    ),
}

# A line goes after the call that it is about: without it, its day's file would prove that the call
# was not done. Its own instant is what an index finds it by: the days of files stay for ever, and a
# search by them reads every line once there are many (of a million, for none to go, 21,168 pages in
# 443 ms; by the instant 3 pages).
ROW_RETENTIONS: Mapping[str, RowRetention] = {
    "settlement_host_file_line": RowRetention(
        days=KEPT_DAYS,
        reason="as the calls that the lines are about",
        over="""
            part.sent_at < %(before)s::date::timestamp AT TIME ZONE 'Asia/Kolkata'
            AND part.file_id IN (
                SELECT id FROM settlement_host_file WHERE business_date < %(before)s)
            AND NOT EXISTS (
                SELECT FROM accounts_core_banking_call AS call
                 WHERE call.business_date = (part.sent_at AT TIME ZONE 'Asia/Kolkata')::date
                   AND call.stan = part.stan AND call.terminal = part.terminal
                   AND call.transmitted_at = part.sent_at)
        """,
    ),
}
