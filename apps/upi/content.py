"""
What makes two messages the same request.

Message id, time, signature and credentials differ between a message and its legitimate repeat; the
note may. Everything that decides about money may not.
"""

import dataclasses
import hashlib

import orjson

from apps.common.money import Money
from apps.common.secret import Secret
from apps.upi.contracts import Message, Party, Ref, Resp

# What is read below field by field, and what may differ between a message and its repeat.
_READ = frozenset({"head", "txn", "payer", "payee", "reg_details", "txn_confirmation", "resp"})
_MAY_DIFFER = frozenset({"meta", "creds", "signature", "hbt_msg"})


def content_digest(message: Message) -> bytes:
    """Return a digest that is equal for messages of the same content, and only for those."""
    return hashlib.sha256(orjson.dumps(_content(message))).digest()


def _content(message: Message) -> list[object]:
    txn = message.txn
    content: list[object] = [
        message.api,
        txn.id,
        txn.type,
        txn.sub_type,
        txn.org_txn_id,
        txn.cust_ref,
    ]
    content += [_party(getattr(message, name, None)) for name in ("payer", "payee")]
    registration = getattr(message, "reg_details", None)
    content.append(registration.mobile if registration else None)
    confirmation = getattr(message, "txn_confirmation", None)
    if confirmation is not None:
        content += [confirmation.org_status, confirmation.org_err_code, confirmation.type]
        content.append([_ref(ref) for ref in confirmation.refs])
    response = getattr(message, "resp", None)
    if response is not None:
        content += [response.req_msg_id, response.result, response.err_code]
        content.append([_ref(ref) for ref in response.refs])
        if type(response) is not Resp:
            content.append(_plain(response))
    for field in dataclasses.fields(message):
        if field.name not in _READ | _MAY_DIFFER:
            content.append(_plain(getattr(message, field.name)))
    return content


def _plain(value: object) -> object:
    """Return a part of a message as what JSON knows, without what is secret in it."""
    if isinstance(value, Secret):
        return None
    if isinstance(value, Money):
        return value.paise
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if dataclasses.is_dataclass(value):
        return [_plain(getattr(value, field.name)) for field in dataclasses.fields(value)]
    return value


def _party(party: Party | None) -> list[object] | None:
    if party is None:
        return None
    account = party.ac
    return [
        party.addr.lower(),
        party.amount.paise if party.amount else None,
        [account.ifsc, account.account_type, account.account_number] if account else None,
    ]


def _ref(ref: Ref) -> list[object]:
    return [
        ref.type,
        ref.addr.lower(),
        ref.sett_amount.paise,
        ref.resp_code,
        ref.reversal_resp_code,
        ref.ac_num,
        ref.ifsc,
    ]
