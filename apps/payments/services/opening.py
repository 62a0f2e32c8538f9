"""Write a transaction and a leg of it, or find those that exist: one statement for both."""

from typing import Any
from uuid import UUID

import structlog
from django.db import connection

from apps.common import ids
from apps.common.money import Money
from apps.payments.contracts import NewLeg, OpenedLeg, TransactionFacts
from apps.payments.errors import TransactionDiffersError
from apps.payments.states import Role, State
from apps.upi import timers
from apps.upi.timer_models import Timer

log = structlog.get_logger(__name__)

# What all messages of one transaction must agree on (payments.md 6: same content).
_AGREED = (
    "rrn",
    "amount",
    "payer_address",
    "payee_address",
    "purpose",
    "initiation_mode",
)
# Jobs at which another transaction with the same RRN is a duplicate, and the code that says so.
DUPLICATE_RRN_CODES = {Role.DEBIT: "DT", Role.CREDIT: "DF"}

_KNOWN = """
    SELECT rrn, amount_paise, payer_address, payee_address, purpose, initiation_mode, note
      FROM payments_transaction WHERE id = %(id)s::text
"""

_OPEN = f"""
    WITH known AS ({_KNOWN}),
    transaction AS (
        INSERT INTO payments_transaction
               (id, rrn, amount_paise, payer_address, payer_name, payer_type, payer_code,
                payee_address, payee_name, payee_type, payee_code, note, purpose, initiation_mode,
                reference, reference_url, reference_category, initiated_at)
        VALUES (%(id)s::text, %(rrn)s, %(amount)s, %(payer_address)s, %(payer_name)s,
                %(payer_type)s, %(payer_code)s, %(payee_address)s, %(payee_name)s,
                %(payee_type)s, %(payee_code)s,
                %(note)s, %(purpose)s, %(initiation_mode)s, %(reference)s, %(reference_url)s,
                %(reference_category)s, %(initiated_at)s)
        ON CONFLICT (id) DO NOTHING RETURNING id),
    key AS (
        INSERT INTO payments_legkey (leg_id, role, kind, transaction_id, rrn_key)
        VALUES (%(leg)s, %(role)s::text, %(kind)s::text, %(id)s::text, %(rrn_key)s)
        ON CONFLICT DO NOTHING RETURNING leg_id),
    leg AS (
        INSERT INTO payments_leg
               (id, role, kind, transaction_id, state, code, next_action_at, exchange_id,
                request_message_id, wire_transaction_id, wire_transaction_at, wire_sub_type,
                post_before_at, account_number, account_type, ifsc, device_mobile, device,
                risk_scores, owner_id, is_on_us, expires_at)
        SELECT leg_id, %(role)s::text, %(kind)s::text, %(id)s::text, %(state)s, %(code)s,
               CASE WHEN %(is_due)s THEN clock_timestamp() END, %(exchange)s,
               %(message)s, %(wire_id)s, %(wire_at)s, %(sub_type)s,
               least(clock_timestamp(), %(asked_at)s) + make_interval(secs => %(limit)s),
               %(account_number)s, %(account_type)s, %(ifsc)s, %(device_mobile)s,
               %(device)s::jsonb, %(risk_scores)s::jsonb, %(owner)s, %(is_on_us)s, %(expires_at)s
          FROM key RETURNING id)
    SELECT (SELECT count(*) FROM transaction), (SELECT count(*) FROM leg), known.*
      FROM (SELECT) AS one LEFT JOIN known ON true
"""  # noqa: S608 - made of our own statements

_FIND = """
    SELECT leg.id, leg.state, leg.code, leg.exchange_id
      FROM payments_legkey AS key JOIN payments_leg AS leg ON leg.id = key.leg_id
     WHERE key.transaction_id = %(id)s AND key.role = %(role)s AND key.kind = %(kind)s
       FOR NO KEY UPDATE OF leg
"""


def open_leg(facts: TransactionFacts, leg: NewLeg) -> OpenedLeg:
    """
    Write the leg, and the transaction if nobody has, in the caller's transaction.

    A leg that holds the key already is returned as it is, its row locked. A job whose RRN belongs
    to another transaction is written with the code that declines it (DT, DF).

    Raises TransactionDiffersError when the transaction is known with another content; then the
    caller must roll back, for the leg has been written.
    """
    assert connection.in_atomic_block, "a leg is written with what makes it"
    parameters = _parameters(facts, leg)
    with connection.cursor() as cursor:
        made, is_new, known = _open(cursor, parameters)
        if not made:
            if known is None:
                # A twin committed while we waited for it: its row is newer than our snapshot.
                cursor.execute(_KNOWN, parameters)
                known = cursor.fetchone()
            _check(facts, known)
        if is_new:
            return OpenedLeg(parameters["leg"], leg.state, leg.code, parameters["exchange"], True)  # noqa: FBT003
        found = _find(cursor, parameters)
        if found is not None:
            return found
        return _open_duplicate(cursor, parameters, leg)


def _open(cursor: Any, parameters: dict[str, Any]) -> tuple[bool, bool, tuple[Any, ...] | None]:
    cursor.execute(_OPEN, parameters)
    made, opened, *known = cursor.fetchone()
    return bool(made), bool(opened), tuple(known) if known[0] is not None else None


def _find(cursor: Any, parameters: dict[str, Any]) -> OpenedLeg | None:
    cursor.execute(_FIND, parameters)
    row = cursor.fetchone()
    if row is None:
        return None
    leg_id, state, code, exchange_id = row
    return OpenedLeg(leg_id, State(state), code, exchange_id, False)  # noqa: FBT003


def _open_duplicate(cursor: Any, parameters: dict[str, Any], leg: NewLeg) -> OpenedLeg:
    """Write a leg whose RRN another transaction holds: it exists, and will be declined."""
    code = leg.code or DUPLICATE_RRN_CODES[leg.role]
    _, is_new, _ = _open(cursor, {**parameters, "rrn_key": None, "code": code})
    assert is_new, "neither the key nor the RRN is taken"
    log.info("rrn_is_duplicate", transaction_id=parameters["id"], role=leg.role)
    return OpenedLeg(parameters["leg"], leg.state, code, parameters["exchange"], True)  # noqa: FBT003


def _check(facts: TransactionFacts, known: tuple[Any, ...] | None) -> None:
    assert known is not None, "a transaction is never deleted"
    stored = dict(zip((*_AGREED, "note"), known, strict=True))
    stored["amount"] = Money(stored["amount"])
    for field in _AGREED:
        if stored[field] != getattr(facts, field):
            raise TransactionDiffersError(field)
    if stored["note"] != facts.note:
        log.info("note_differs", transaction_id=facts.id)


def _parameters(facts: TransactionFacts, leg: NewLeg) -> dict[str, Any]:
    request = leg.request
    is_unique_by_rrn = leg.role in DUPLICATE_RRN_CODES
    return {
        **{name: getattr(facts, name) for name in TransactionFacts.__slots__},
        "amount": facts.amount.paise,
        "leg": ids.uuid7(),
        "role": leg.role,
        "kind": leg.kind,
        "rrn_key": f"{facts.id[:3]}{facts.rrn}" if is_unique_by_rrn else None,
        "state": leg.state,
        "code": leg.code,
        "is_due": leg.is_due,
        "exchange": request.exchange_id if request else None,
        "message": request.message_id if request else "",
        "wire_id": request.transaction_id if request else facts.id,
        "wire_at": request.transaction_at if request else facts.initiated_at,
        "sub_type": request.sub_type if request else "",
        "asked_at": leg.asked_at,
        "limit": timers.seconds(Timer.LEG_POSTING) if leg.asked_at else None,
        "account_number": leg.account_number,
        "account_type": leg.account_type,
        "ifsc": leg.ifsc,
        "device_mobile": leg.device_mobile,
        "device": leg.device,
        "risk_scores": leg.risk_scores,
        "owner": leg.owner_id,
        "is_on_us": leg.is_on_us,
        "expires_at": leg.expires_at,
    }


_ADOPT = """
    UPDATE payments_leg
       SET exchange_id = %(exchange)s, request_message_id = %(message)s,
           wire_transaction_id = %(wire_id)s, wire_transaction_at = %(wire_at)s,
           wire_sub_type = %(sub_type)s, received_at = clock_timestamp()
     WHERE id = %(leg)s AND exchange_id IS NULL
"""


def adopt_request(leg_id: UUID, leg: NewLeg) -> None:
    """Give a leg that somebody else made (a tombstone, a file) the message that came after it."""
    assert leg.request is not None, "only a message is adopted"
    parameters: dict[str, Any] = {
        "leg": leg_id,
        "exchange": leg.request.exchange_id,
        "message": leg.request.message_id,
        "wire_id": leg.request.transaction_id,
        "wire_at": leg.request.transaction_at,
        "sub_type": leg.request.sub_type,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ADOPT, parameters)
