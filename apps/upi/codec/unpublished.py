"""
Messages whose form is not public: they are known by name, and refused.

A peer that sends one gets a negative Ack with a stable code and a sentence, and nothing is read of
the message beyond its signature. Source: upi-protocol 2.1 and 9.
"""

import re

# U10: illegal operation.
REFUSAL_CODE = "U10"
REFUSALS = {
    "ValCust": "customer validation has no public form; this bank does not take it",
    "BalChk": "the check for sufficient balance has no public form; this bank does not take it",
    "QrVal": "QR validation has no public form; this bank does not take it",
    "Activation": "international activation has no public form; this bank does not take it",
    "Mapper": "the UPI number mapper has no public form; this bank does not take it",
    "Delegate": "delegation has no public form; this bank does not take it",
    "Voucher": "vouchers have no public form; this bank does not take them",
}
UNKNOWN = "the message is not one that this bank takes"
_NAME = re.compile(rf"(?:Req|Resp)?({'|'.join(REFUSALS)})[A-Za-z]*")


def refusal(api: str) -> str:
    """Return the sentence that refuses an API which has no entry in the table of messages."""
    match = _NAME.fullmatch(api)
    return REFUSALS[match[1]] if match else UNKNOWN
