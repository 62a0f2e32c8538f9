"""What UPI's codes mean: class, side and fault as data, and words for people in two languages."""

from apps.upi.response_codes.explaining import Explanation, Language, explain, language_of
from apps.upi.response_codes.table import (
    PAYMENT,
    REQUEST,
    Fault,
    Kind,
    ResponseCode,
    Table,
    code_rows,
    deciding_row,
    inner_code,
)

__all__ = [
    "PAYMENT",
    "REQUEST",
    "Explanation",
    "Fault",
    "Kind",
    "Language",
    "ResponseCode",
    "Table",
    "code_rows",
    "deciding_row",
    "explain",
    "inner_code",
    "language_of",
]
