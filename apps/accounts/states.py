"""The states of an account, of its PIN row, and of a request about credentials."""

from enum import StrEnum


class AccountState(StrEnum):
    """What the bank allows an account to do."""

    ACTIVE = "ACTIVE"
    DORMANT = "DORMANT"
    FROZEN = "FROZEN"
    CLOSED = "CLOSED"


class HoldState(StrEnum):
    """
    Who has an account's PIN row.

    HELD: one exchange is being verified. LEFT: its leg was refused meanwhile, and the row finishes
    the verification for the try alone.
    """

    FREE = "FREE"
    HELD = "HELD"
    LEFT = "LEFT"


class RequestKind(StrEnum):
    """What the switch asks the issuer about a customer's credentials."""

    OTP = "OTP"
    REGISTRATION = "REGISTRATION"
    PIN_CHANGE = "PIN_CHANGE"
    BALANCE = "BALANCE"


class RequestState(StrEnum):
    """Where a request stands; its answer's delivery is a matter of its exchange."""

    RECEIVED = "RECEIVED"
    WORKING = "WORKING"
    ANSWERED = "ANSWERED"


class Restriction(StrEnum):
    """What may not be done with one account, for the days that its row says."""

    NO_DEBIT = "NO_DEBIT"
    NO_CREDIT = "NO_CREDIT"
    COMPLIANCE = "COMPLIANCE"
    SUSPECTED_FRAUD = "SUSPECTED_FRAUD"


class Pause(StrEnum):
    """
    Why the bank works no debits or credits for a while.

    MERCHANTS holds up money for merchants of ours alone: their side of the bank is out of reach.
    """

    SERVICE = "SERVICE"
    CORE_BANKING = "CORE_BANKING"
    HSM = "HSM"
    CUT_OFF = "CUT_OFF"
    MERCHANTS = "MERCHANTS"
    POOL_ACCOUNT = "POOL_ACCOUNT"


class Side(StrEnum):
    """Which side of payments a pause holds up."""

    REMITTER = "REMITTER"
    BENEFICIARY = "BENEFICIARY"


class CallKind(StrEnum):
    """What a planned call asks of the core-banking host."""

    DEBIT = "DEBIT"
    CREDIT = "CREDIT"
    REVERSAL = "REVERSAL"
    ENQUIRY = "ENQUIRY"
    CANCEL = "CANCEL"
    BALANCE = "BALANCE"


class CallState(StrEnum):
    """
    What came of a planned call to the core-banking host.

    PLANNED: it may be under way. NOT_SENT: not one byte of it left us, or the host's files prove
    that it never came to anything. SILENT: no answer in time. ANSWERED: in time. LATE: the answer
    came after we had called it silent, also by the host's file.
    """

    PLANNED = "PLANNED"
    NOT_SENT = "NOT_SENT"
    SILENT = "SILENT"
    ANSWERED = "ANSWERED"
    LATE = "LATE"


class Unmatched(StrEnum):
    """
    Why an answer of the host was not applied.

    NO_CALL: it answers nothing we asked. OTHER_CONTENT: RRN, amount, processing code or account are
    not those of the call. CONTRADICTION: the call was answered otherwise before. AFTER_CANCEL: an
    approval of what the host had said is cancelled.
    """

    NO_CALL = "NO_CALL"
    OTHER_CONTENT = "OTHER_CONTENT"
    CONTRADICTION = "CONTRADICTION"
    AFTER_CANCEL = "AFTER_CANCEL"
