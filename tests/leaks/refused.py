"""Requests that carry credentials and are refused: what they leave, and what the pages say."""

import json
import uuid
from pathlib import Path
from typing import NamedTuple

import httpx

from deploy.local.demo.stage import Customer, Stage
from sandbox import credentials, keys

BODY_BYTES = 300_000
JSON = {"Content-Type": "application/json"}


class Request(NamedTuple):
    """A request that the platform refuses."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


def ask(stage: Stage, customer: Customer, *, account: str) -> list[httpx.Response]:
    """Send what is refused, of this customer and account, and return the answers."""
    order = customer.phone.payment_order(
        account_id=customer.account_id,
        payer=customer.vpa,
        payee=stage["ravi"].vpa,
        amount_paise=1_00,
        pin=customer.pin,
    )
    named = JSON | {"Authorization": f"Bearer {customer.phone._token}"}
    requests = [
        *_bodies(order, customer.pin, account, named),
        *_surroundings(order, customer.pin, account, named),
        *_messages(stage, order["txn_id"], customer.pin, account),
    ]
    return [
        stage.client.request(
            each.method, stage.public_url + each.path, headers=each.headers, content=each.body
        )
        for each in requests
    ]


def is_refusal(answer: httpx.Response) -> bool:
    """Tell whether the platform refused, in the words of an API or of the wire."""
    return answer.is_client_error or (answer.is_success and 'err="' in answer.text)


def _bodies(order: dict, pin: str, account: str, headers: dict[str, str]) -> list[Request]:
    """A block, a PIN, a number: in every place of a payment's body where it does not belong."""
    block, text = order["pin_block"]["data"], json.dumps(order)
    changes = [
        {"pin": pin},
        {"note": block},
        {"payee_vpa": block},
        {"payee_vpa": account},
        {"amount": block},
        {"amount": pin},
        {"currency": pin},
        {"account": account},
        {"ref_id": block},
        {"txn_id": block},
        {"pin_block": block},
        {"pin_block": {"ki": block, "data": block}},
        {"pin_block": {"ki": "20261101", "data": block[4:]}},
        {"pin_block": {"ki": "20261101", "data": pin}},
        {"pin_block": {"ki": "20261101", "data": block, "pin": pin}},
        {"note": block * (BODY_BYTES // len(block))},
    ]
    bodies = [
        text[:-1],
        f'{text[:-1]}, "pin_block": {{"ki": "20261101", "data": "{block}"}}}}',
        f"[{text}]",
        *(json.dumps(order | change) for change in changes),
    ]
    return [
        Request("POST", "/app/v1/payments", headers | {"Idempotency-Key": str(uuid.uuid4())}, body)
        for body in bodies
    ]


def _surroundings(order: dict, pin: str, account: str, headers: dict[str, str]) -> list[Request]:
    """A good body at the wrong place, and secrets in addresses and headers."""
    block, text = order["pin_block"]["data"], json.dumps(order)
    path = "/app/v1/payments"
    return [
        Request("POST", path, headers | {"Idempotency-Key": block}, text),
        Request("POST", path, JSON, text),
        Request("POST", path, headers | {"Content-Type": "text/plain"}, text),
        Request("POST", path, headers | {"Authorization": f"Bearer {pin}"}, text),
        Request("PUT", path, headers, text),
        Request("POST", "/app/v1/nothing", headers, text),
        Request("POST", f"/app/v1/nothing?pin={pin}&account={account}", headers, text),
        Request("POST", "/v1/orders", headers, text),
        Request("GET", f"{path}/{pin}", headers, ""),
        Request("GET", f"{path}/{account}", headers, ""),
        Request("GET", f"/live/v1/payments/{pin}?wait={pin}", headers, ""),
    ]


def _messages(stage: Stage, txn_id: str, pin: str, account: str) -> list[Request]:
    """A message that nobody signed, whole and cut short."""
    folder = Path(stage.platform.environment["KEYS_DIRECTORY"])
    block = credentials.make_issuer_block(
        pin,
        binding=credentials.IssuerBinding("ReqPay", "DEBIT", txn_id, "1.00", "a@b", "c@d"),
        bank_code="EXB",
        account=account,
        issuer_key=keys.load_public((folder / "900001.credential.pem").read_bytes()),
    )
    message = f"""<upi:ReqPay xmlns:upi="http://npci.org/upi/schema/">\
<Head ver="2.0" ts="2026-11-22T18:00:00+05:30" orgId="NPCI" msgId="NPC{uuid.uuid4().hex}"/>\
<Txn id="{txn_id}" type="DEBIT" note="n" refId="r" refUrl="u" ts="2026-11-22T18:00:00+05:30"/>\
<Payer addr="a@b" name="A" seqNum="1" type="PERSON" code="0000"><Ac addrType="ACCOUNT">\
<Detail name="ACNUM" value="{account}"/></Ac><Creds><Cred type="PIN" subType="MPIN">\
<Data code="NPCI" ki="20261101">{block}</Data></Cred></Creds></Payer></upi:ReqPay>"""
    path = f"/upi/ReqPay/2.0/urn:txnid:{txn_id}"
    types = {"Content-Type": "application/xml"}
    bodies = [message, message[:-9], message.replace("<Payer ", f'<Payer block="{block}" ')]
    return [Request("POST", path, types, body) for body in bodies]
