-- The core-banking host's book: what it must still know after a restart.

CREATE TABLE IF NOT EXISTS facts (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS accounts (
    number TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    balance_paise INTEGER NOT NULL
) WITHOUT ROWID;

-- One row for each financial request that was judged; several of one key at a host that takes a
-- repeat for new. A buried one never came, and is refused when it does.
CREATE TABLE IF NOT EXISTS calls (
    id INTEGER PRIMARY KEY,
    terminal TEXT NOT NULL,
    stan TEXT NOT NULL,
    sent_at TEXT NOT NULL,
    acquirer TEXT NOT NULL,
    content TEXT NOT NULL,
    processing_code TEXT NOT NULL,
    rrn TEXT NOT NULL,
    upi_id TEXT NOT NULL,
    account TEXT NOT NULL,
    asked_paise INTEGER NOT NULL,
    moved_paise INTEGER NOT NULL,
    response TEXT NOT NULL,
    approval TEXT NOT NULL,
    balance_after INTEGER,
    state TEXT NOT NULL,
    business_date TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS calls_by_key ON calls (terminal, stan, sent_at);

-- Money that moved; positive for the account. The host's other side is the sum of all, negated.
CREATE TABLE IF NOT EXISTS postings (
    id INTEGER PRIMARY KEY,
    call_id INTEGER REFERENCES calls (id),
    kind TEXT NOT NULL,
    account TEXT NOT NULL,
    paise INTEGER NOT NULL,
    business_date TEXT NOT NULL,
    at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS postings_by_date ON postings (business_date);

CREATE TABLE IF NOT EXISTS messages (
    number INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    direction TEXT NOT NULL,
    link INTEGER NOT NULL,
    fault TEXT NOT NULL,
    fields TEXT NOT NULL
);
