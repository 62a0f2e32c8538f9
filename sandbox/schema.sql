-- The switch's own journal, and below it the other banks' book.

CREATE TABLE IF NOT EXISTS payments (
    transaction_id TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('PAY', 'COLLECT', 'REFUND')),
    original_id TEXT NOT NULL,
    rrn TEXT NOT NULL,
    amount_paise INTEGER NOT NULL CHECK (amount_paise > 0),
    payer_psp TEXT NOT NULL,
    payee_psp TEXT NOT NULL,
    remitter TEXT NOT NULL,
    beneficiary TEXT NOT NULL,
    stage TEXT NOT NULL,
    status TEXT NOT NULL,
    code TEXT NOT NULL,
    raw_code TEXT NOT NULL,
    created_at TEXT NOT NULL,
    completed_at TEXT NOT NULL DEFAULT '',
    -- What the switch needs to go on after a restart. Credential blocks are never in it.
    content TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS payments_open ON payments (stage) WHERE stage <> 'DONE';
CREATE INDEX IF NOT EXISTS payments_completed ON payments (completed_at);
CREATE INDEX IF NOT EXISTS payments_of_original ON payments (original_id) WHERE original_id <> '';

-- A payable of a bank to the switch is positive, a receivable negative.
CREATE TABLE IF NOT EXISTS entries (
    transaction_id TEXT NOT NULL REFERENCES payments,
    kind TEXT NOT NULL CHECK (kind IN ('DEBIT', 'DEBIT_REVERSAL', 'CREDIT')),
    org_id TEXT NOT NULL,
    paise INTEGER NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (transaction_id, kind)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    direction TEXT NOT NULL CHECK (direction IN ('in', 'out')),
    org_id TEXT NOT NULL,
    api TEXT NOT NULL,
    type TEXT NOT NULL,
    sub_type TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    original_id TEXT NOT NULL,
    message_id TEXT NOT NULL,
    request_message_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    result TEXT NOT NULL,
    code TEXT NOT NULL,
    ack TEXT NOT NULL,
    fault TEXT NOT NULL
);
-- Only accepted messages take a key: what was refused may be corrected and sent again.
CREATE UNIQUE INDEX IF NOT EXISTS messages_in ON messages (org_id, message_id)
    WHERE direction = 'in' AND ack = '';
CREATE INDEX IF NOT EXISTS messages_out ON messages (message_id) WHERE direction = 'out';
CREATE INDEX IF NOT EXISTS messages_of ON messages (transaction_id);
CREATE INDEX IF NOT EXISTS messages_of_original ON messages (original_id) WHERE original_id <> '';

-- Verified merchants, each entry as the wire writes it.
CREATE TABLE IF NOT EXISTS merchants (
    address TEXT PRIMARY KEY,
    entry TEXT NOT NULL
);

-- What the control door set and a restart keeps.
CREATE TABLE IF NOT EXISTS settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS book_accounts (
    number TEXT PRIMARY KEY,
    balance_paise INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS book_transfers (
    key TEXT PRIMARY KEY,
    debit TEXT NOT NULL REFERENCES book_accounts,
    credit TEXT NOT NULL REFERENCES book_accounts,
    paise INTEGER NOT NULL CHECK (paise > 0),
    at TEXT NOT NULL
);
-- A reversal that came before its original, so that the late original is refused.
CREATE TABLE IF NOT EXISTS book_tombstones (
    key TEXT PRIMARY KEY
);
