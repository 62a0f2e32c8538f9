"""The switch's day file for a bank: raw v3 rows of the payments that ended on an Indian day."""

import csv
import datetime as dt
import io
from collections.abc import Iterable

from sandbox import codec, world
from sandbox.payment import Payment

# The columns of the raw v3 layout (OC157), in order; the comma is a project profile.
COLUMNS = (
    "subType", "txnId", "rrn", "respCode", "Date", "time", "setAmount", "umn", "MapperId",
    "initiationMode", "purpose", "payerId", "payerMcc", "payerVpa", "payeeId", "payeeMcc",
    "payeeVpa", "remId", "remIfsc", "remAccType", "remAccountNo", "beneId", "beneIfsc",
    "beneAccType", "beneAccountNo", "LRN", "ResField1", "ResField2", "ResField3",
)  # fmt: skip

ROLES = {
    "PAYER_PSP": "payer_psp",
    "PAYEE_PSP": "payee_psp",
    "REMITTER": "remitter",
    "BENEFICIARY": "beneficiary",
}
# The file's kind of payment: U2 to a merchant, U3 to a person.
_TO_MERCHANT, _TO_PERSON = "U2", "U3"
_PERSON = "0000"


def write(payments: Iterable[Payment], *, org_id: str, role: str) -> str:
    """
    Write the rows in which a bank has this role; without a role, those in which it has any.

    A payment that ended before its debit was asked for is in no file: it has no raw code.
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    for payment in payments:
        if payment.verdict.raw_code and _has_role(payment, org_id=org_id, role=role):
            writer.writerow(_row(payment))
    return out.getvalue()


def _has_role(payment: Payment, *, org_id: str, role: str) -> bool:
    names = [ROLES[role]] if role else list(ROLES.values())
    return org_id in {getattr(payment, name) for name in names}


def _row(payment: Payment) -> dict[str, str]:
    at = dt.datetime.fromisoformat(payment.completed_at)
    merchant_code = payment.payee.get("code", _PERSON)
    return {
        "subType": _TO_PERSON if merchant_code == _PERSON else _TO_MERCHANT,
        "txnId": payment.transaction_id,
        "rrn": payment.rrn,
        "respCode": payment.verdict.raw_code,
        "Date": f"{at:%d%m%Y}",
        "time": f"{at:%H%M%S}",
        "setAmount": payment.amount,
        "initiationMode": payment.transaction.get("initiationMode", ""),
        "purpose": payment.transaction.get("purpose", ""),
        "payerId": _code(payment.payer_psp),
        "payerMcc": payment.payer.get("code", _PERSON),
        "payerVpa": payment.payer_address,
        "payeeId": _code(payment.payee_psp),
        "payeeMcc": merchant_code,
        "payeeVpa": payment.payee_address,
        "remId": _code(payment.remitter),
        "remIfsc": codec.account_detail(payment.payer, "IFSC"),
        "remAccType": codec.account_detail(payment.payer, "ACTYPE"),
        "remAccountNo": codec.account_detail(payment.payer, "ACNUM"),
        "beneId": _code(payment.beneficiary),
        "beneIfsc": codec.account_detail(payment.payee, "IFSC"),
        "beneAccType": codec.account_detail(payment.payee, "ACTYPE"),
        "beneAccountNo": codec.account_detail(payment.payee, "ACNUM"),
    }


def _code(org_id: str) -> str:
    found = world.member(org_id)
    return "" if found is None else found.bank_code
