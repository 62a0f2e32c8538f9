"""Day files as the switch writes them."""

import csv
import io

from apps.common.clock import IST, now
from apps.payments.states import Role
from apps.settlement.day_file import COLUMNS
from tests.payments.hand import Side, drain

ABROAD = Side(address="ravi@smplbank", number="009876500001", ifsc="SMPL0000002", name="RAVI IYER")
BANKS = {"EXBK": "EXB", "SMPL": "SMP"}


def row(deal, code="00", **changes):
    at = now().astimezone(IST)
    fields = {
        "subType": "U3",
        "txnId": deal.id,
        "rrn": deal.rrn,
        "respCode": code,
        "Date": f"{at:%d%m%Y}",
        "time": f"{at:%H%M%S}",
        "setAmount": deal.amount.as_rupees(),
        "initiationMode": "00",
        "purpose": "00",
        "payerId": BANKS[deal.payer.ifsc[:4]],
        "payerMcc": "0000",
        "payerVpa": deal.payer.address,
        "payeeId": BANKS[deal.payee.ifsc[:4]],
        "payeeMcc": "0000",
        "payeeVpa": deal.payee.address,
        "remId": BANKS[deal.payer.ifsc[:4]],
        "remIfsc": deal.payer.ifsc,
        "remAccType": "SAVINGS",
        "remAccountNo": deal.payer.number,
        "beneId": BANKS[deal.payee.ifsc[:4]],
        "beneIfsc": deal.payee.ifsc,
        "beneAccType": "SAVINGS",
        "beneAccountNo": deal.payee.number,
    }
    return fields | changes


def write(*rows, columns=COLUMNS):
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def debited(hand, deal):
    sent = hand.debit(deal)
    drain(Role.DEBIT)
    assert sent.code == "00"


def credited(hand, deal):
    sent = hand.credit(deal)
    drain(Role.CREDIT)
    assert sent.code == "00"
