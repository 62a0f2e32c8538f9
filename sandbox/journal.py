"""The switch's journal: every message, every payment's stage, and who owes what to whom."""

import enum
import sqlite3
from dataclasses import dataclass

from sandbox import clock
from sandbox.codec import Envelope
from sandbox.payment import Payment, Stage, Status
from sandbox.store import Store
from sandbox.traffic import Traffic

NO_ACK = "NONE"

_INSERT_MESSAGE = (
    "INSERT INTO messages (at, direction, org_id, api, type, sub_type, transaction_id, original_id,"
    " message_id, request_message_id, digest, result, code, ack, fault)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_INSERT_PAYMENT = (
    "INSERT INTO payments (transaction_id, kind, original_id, rrn, amount_paise, payer_psp,"
    " payee_psp, remitter, beneficiary, stage, status, code, raw_code, created_at, content)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_UPDATE_PAYMENT = (
    "UPDATE payments SET remitter = ?, beneficiary = ?, stage = ?, status = ?, code = ?,"
    " raw_code = ?, completed_at = ?, content = ? WHERE transaction_id = ?"
)
_INSERT_ENTRY = (
    "INSERT OR IGNORE INTO entries (transaction_id, kind, org_id, paise, at) VALUES (?, ?, ?, ?, ?)"
)


class Kind(enum.StrEnum):
    """Why a bank owes the switch, or the switch a bank."""

    DEBIT = "DEBIT"
    DEBIT_REVERSAL = "DEBIT_REVERSAL"
    CREDIT = "CREDIT"


class Admission(enum.Enum):
    """What the journal says of an incoming message."""

    NEW = "new"
    SAME = "same"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Entry:
    """A payable (positive) or receivable (negative) of one bank."""

    kind: Kind
    org_id: str
    paise: int


class Journal:
    """What the switch remembers. A call that is awaited has been committed when it returns."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.traffic = Traffic()

    async def admit(
        self,
        envelope: Envelope,
        *,
        digest: str,
        ack: str = "",
        payment: Payment | None = None,
        fault: str = "",
    ) -> Admission:
        """
        Record an incoming message, and the payment it starts, unless it is known already.

        The same message id and bytes again is SAME; a used message id with other bytes, or a used
        Txn.id with another message id in the same API, is DUPLICATE. Nothing is then written.
        """
        row = self._row("in", envelope.org_id, envelope, digest=digest, ack=ack, fault=fault)

        def work(connection: sqlite3.Connection) -> Admission:
            known = _known(connection, envelope, digest)
            if known is not Admission.NEW:
                return known
            connection.execute(_INSERT_MESSAGE, row)
            if payment is not None:
                connection.execute(_INSERT_PAYMENT, _payment_row(payment))
            return Admission.NEW

        return await self._store.run(work)

    def note_refused(self, envelope: Envelope, *, digest: str, ack: str, fault: str = "") -> None:
        """Record an incoming message that was answered with a negative Ack."""
        row = self._row("in", envelope.org_id, envelope, digest=digest, ack=ack, fault=fault)
        self._store.note(lambda connection: connection.execute(_INSERT_MESSAGE, row))

    def note_sent(self, org_id: str, envelope: Envelope, *, ack: str, fault: str = "") -> None:
        """Record an outgoing message and its Ack: empty, a code, or NO_ACK."""
        row = self._row("out", org_id, envelope, ack=ack, fault=fault)
        self._store.note(lambda connection: connection.execute(_INSERT_MESSAGE, row))

    def note_inside(self, org_id: str, envelope: Envelope) -> None:
        """Record an answer of the other bank, which needs no wire."""
        row = self._row("in", org_id, envelope)
        self._store.note(lambda connection: connection.execute(_INSERT_MESSAGE, row))

    def _row(
        self,
        direction: str,
        org_id: str,
        envelope: Envelope,
        *,
        digest: str = "",
        ack: str = "",
        fault: str = "",
    ) -> tuple[str, ...]:
        at = self.traffic.note(direction, org_id, envelope, ack=ack, fault=fault)
        return (
            at,
            direction,
            org_id,
            envelope.api,
            envelope.type,
            envelope.sub_type,
            envelope.transaction_id,
            envelope.original_id,
            envelope.message_id,
            envelope.request_message_id,
            digest,
            envelope.result,
            envelope.code,
            ack,
            fault,
        )

    async def begin(self, payment: Payment) -> bool:
        """Record a payment that the other bank starts. False if its Txn.id is used."""

        def work(connection: sqlite3.Connection) -> bool:
            if _payment(connection, payment.transaction_id) is not None:
                return False
            connection.execute(_INSERT_PAYMENT, _payment_row(payment))
            return True

        return await self._store.run(work)

    async def save(self, payment: Payment, *entries: Entry) -> None:
        """Record a payment's new stage together with what it made the banks owe."""
        values = (
            payment.remitter,
            payment.beneficiary,
            payment.stage,
            payment.verdict.status,
            payment.verdict.code,
            payment.verdict.raw_code,
            payment.completed_at,
            payment.content(),
            payment.transaction_id,
        )
        at = clock.iso(clock.now())

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(_UPDATE_PAYMENT, values)
            for entry in entries:
                connection.execute(
                    _INSERT_ENTRY,
                    (payment.transaction_id, entry.kind, entry.org_id, entry.paise, at),
                )

        await self._store.run(work)

    def note_done(self, payment: Payment) -> None:
        """Record that everyone has been told how the payment ended."""
        values = (Stage.DONE, payment.transaction_id)
        statement = "UPDATE payments SET stage = ? WHERE transaction_id = ?"
        self._store.note(lambda connection: connection.execute(statement, values))

    async def payment(self, transaction_id: str) -> Payment | None:
        """Return a payment of any age; None if the switch never saw it."""
        row = await self._store.run(lambda connection: _payment(connection, transaction_id))
        return None if row is None else Payment.from_row(dict(row))

    async def refunded_before(self, refund: Payment) -> int:
        """Return how many paise earlier refunds of the same payment take, those under way too."""
        statement = (
            "SELECT coalesce(sum(amount_paise), 0) FROM payments WHERE original_id = ?"
            " AND kind = 'REFUND' AND status <> ? AND rowid <"
            " (SELECT rowid FROM payments WHERE transaction_id = ?)"
        )
        values = (refund.original_id, Status.FAILURE, refund.transaction_id)
        row = await self._store.run(
            lambda connection: connection.execute(statement, values).fetchone()
        )
        return int(row[0])

    async def open_payments(self) -> list[Payment]:
        """Return the payments that a stop of the switch left unfinished."""
        statement = "SELECT * FROM payments WHERE stage <> ? ORDER BY created_at"
        rows = await self._store.run(
            lambda connection: connection.execute(statement, (Stage.DONE,)).fetchall()
        )
        return [Payment.from_row(dict(row)) for row in rows]

    async def latest_payments(self, limit: int) -> list[Payment]:
        """Return the payments that began last, the newest first."""
        statement = "SELECT * FROM payments ORDER BY rowid DESC LIMIT ?"
        rows = await self._store.run(
            lambda connection: connection.execute(statement, (limit,)).fetchall()
        )
        return [Payment.from_row(dict(row)) for row in rows]

    async def was_sent(self, message_id: str) -> bool:
        """Say whether the switch ever sent a message with this id."""
        statement = "SELECT 1 FROM messages WHERE direction = 'out' AND message_id = ?"
        row = await self._store.run(
            lambda connection: connection.execute(statement, (message_id,)).fetchone()
        )
        return row is not None

    async def is_taken(self, envelope: Envelope, *, digest: str) -> bool:
        """Say whether these very bytes were accepted before."""
        known = await self._store.run(lambda connection: _known(connection, envelope, digest))
        return known is Admission.SAME

    async def messages(self, transaction_id: str) -> list[dict[str, object]]:
        """Return the messages of a transaction and of its reversals and checks, in order."""
        statement = (
            "SELECT * FROM messages WHERE transaction_id = ? OR original_id = ? ORDER BY at, id"
        )
        rows = await self._store.run(
            lambda connection: connection.execute(
                statement, (transaction_id, transaction_id)
            ).fetchall()
        )
        return [dict(row) for row in rows]

    async def entries(self, transaction_id: str) -> list[dict[str, object]]:
        """Return what a transaction made the banks owe."""
        statement = "SELECT * FROM entries WHERE transaction_id = ? ORDER BY at, kind"
        rows = await self._store.run(
            lambda connection: connection.execute(statement, (transaction_id,)).fetchall()
        )
        return [dict(row) for row in rows]

    async def positions(self, org_id: str) -> list[dict[str, object]]:
        """Return, for each transaction of a bank, its payable and its receivable."""
        statement = (
            "SELECT p.transaction_id AS txn_id, p.kind, p.original_id, p.rrn, p.status,"
            " p.code, p.raw_code, p.stage, p.amount_paise, p.remitter, p.beneficiary,"
            " coalesce(sum(CASE WHEN e.kind <> 'CREDIT' THEN e.paise END), 0) AS payable_paise,"
            " coalesce(-sum(CASE WHEN e.kind = 'CREDIT' THEN e.paise END), 0) AS receivable_paise"
            " FROM payments p LEFT JOIN entries e"
            " ON e.transaction_id = p.transaction_id AND e.org_id = ?"
            " WHERE p.remitter = ? OR p.beneficiary = ?"
            " GROUP BY p.transaction_id ORDER BY p.created_at, p.transaction_id"
        )
        rows = await self._store.run(
            lambda connection: connection.execute(statement, (org_id, org_id, org_id)).fetchall()
        )
        return [dict(row) for row in rows]

    async def setting(self, name: str) -> str:
        """Return what was set under this name; empty if nothing was."""
        statement = "SELECT value FROM settings WHERE name = ?"
        row = await self._store.run(
            lambda connection: connection.execute(statement, (name,)).fetchone()
        )
        return "" if row is None else str(row["value"])

    async def set_setting(self, name: str, value: str) -> None:
        """Keep a setting for the next start."""
        statement = "INSERT OR REPLACE INTO settings VALUES (?, ?)"
        await self._store.run(lambda connection: connection.execute(statement, (name, value)))

    async def sum_paise(self) -> int:
        """Return the sum of all payables and receivables: zero when nothing is in flight."""
        row = await self._store.run(
            lambda connection: connection.execute(
                "SELECT coalesce(sum(paise), 0) FROM entries"
            ).fetchone()
        )
        return int(row[0])

    async def completed(self, date: str) -> list[Payment]:
        """Return the payments that ended on this Indian day (YYYY-MM-DD), in order."""
        statement = (
            "SELECT * FROM payments WHERE completed_at >= ? AND completed_at < ? AND status <> ?"
            " ORDER BY completed_at, transaction_id"
        )
        values = (date, f"{date}U", Status.PENDING)
        rows = await self._store.run(
            lambda connection: connection.execute(statement, values).fetchall()
        )
        return [Payment.from_row(dict(row)) for row in rows]


def _known(connection: sqlite3.Connection, envelope: Envelope, digest: str) -> Admission:
    row = connection.execute(
        "SELECT digest FROM messages WHERE direction = 'in' AND ack = ''"
        " AND org_id = ? AND message_id = ?",
        (envelope.org_id, envelope.message_id),
    ).fetchone()
    if row is not None:
        return Admission.SAME if row["digest"] == digest else Admission.DUPLICATE
    if envelope.request_message_id:
        return Admission.NEW
    used = connection.execute(
        "SELECT 1 FROM messages WHERE direction = 'in' AND ack = ''"
        " AND transaction_id = ? AND api = ?",
        (envelope.transaction_id, envelope.api),
    ).fetchone()
    return Admission.NEW if used is None else Admission.DUPLICATE


def _payment(connection: sqlite3.Connection, transaction_id: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = connection.execute(
        "SELECT * FROM payments WHERE transaction_id = ?", (transaction_id,)
    ).fetchone()
    return row


def _payment_row(payment: Payment) -> tuple[object, ...]:
    return (
        payment.transaction_id,
        payment.kind,
        payment.original_id,
        payment.rrn,
        payment.amount_paise,
        payment.payer_psp,
        payment.payee_psp,
        payment.remitter,
        payment.beneficiary,
        payment.stage,
        payment.verdict.status,
        payment.verdict.code,
        payment.verdict.raw_code,
        payment.created_at,
        payment.content(),
    )
