"""
How long the months of fat tables stay in the database before they are archived.

A table that is not here keeps all its months: transfers, legs and their history are what balances,
statements, refunds and disputes are read from.
"""

from collections.abc import Mapping

from apps.operators.services.partition_months import Retention
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
