"""
Open the bank's customers at the core-banking host: `python -m deploy.local.host_accounts`.

Core banking is where money is; the made-up customers have theirs first in our books. The host
takes them over with what is in their accounts, and one whom it knows stays as he is. Nothing is
done where our books are core banking themselves.
"""

from collections.abc import Mapping

import httpx
import psycopg

from deploy.local import environment

ISO8583 = "iso8583"
# An account at rest is our own rule; the host knows none.
_STATUSES = {"ACTIVE": "ACTIVE", "DORMANT": "ACTIVE", "FROZEN": "FROZEN", "CLOSED": "CLOSED"}
_BATCH = 1000
_SECONDS = 60
_ACCOUNTS = """
    SELECT number, holder_name, state, credits_posted_paise - debits_posted_paise
    FROM accounts_bank_account JOIN ledger_account ON ledger_account.id = ledger_account_id
    ORDER BY number
"""


def fill(values: Mapping[str, str]) -> None:
    """Open at the host whoever has an account in our books. Raises httpx.HTTPError."""
    if values.get("CORE_BANKING") != ISO8583:
        return
    with psycopg.connect(values["DATABASE_OWNER_URL"]) as connection:
        rows = connection.execute(_ACCOUNTS).fetchall()
    accounts = [
        {"number": number, "name": name, "status": _STATUSES[state], "balance_paise": paise}
        for number, name, state, paise in rows
    ]
    for start in range(0, len(accounts), _BATCH):
        batch = accounts[start : start + _BATCH]
        url = f"{values['CORE_BANKING_CONTROL_URL']}/accounts"
        httpx.post(url, json=batch, timeout=_SECONDS).raise_for_status()


if __name__ == "__main__":
    fill(environment.inherited())
