"""One payment as the switch knows it: parties, stage, verdict; and how the journal keeps it."""

import enum
import json
from dataclasses import dataclass, field

from lxml import etree

from sandbox import codec


class PaymentKind(enum.StrEnum):
    """How a payment began, in the words of Txn/@type and of its legs' subType."""

    PAY = "PAY"
    COLLECT = "COLLECT"
    REFUND = "REFUND"


class Stage(enum.StrEnum):
    """What the switch is doing for a payment. After a restart it goes on from here."""

    RESOLVING = "RESOLVING"
    AUTHORISING = "AUTHORISING"
    DEBITING = "DEBITING"
    CREDITING = "CREDITING"
    REVERSING_CREDIT = "REVERSING_CREDIT"
    REVERSING_DEBIT = "REVERSING_DEBIT"
    ANSWERING = "ANSWERING"
    DONE = "DONE"


class Status(enum.StrEnum):
    """How a payment stands, in the words of Resp/@result."""

    PENDING = "PENDING"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    DEEMED = "DEEMED"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a payment ended: the code for the payer's app and the code for the settlement file."""

    status: Status
    code: str
    raw_code: str


SUCCESS = Verdict(Status.SUCCESS, "", "00")
# RB in the settlement file: the credit's reversal stayed unanswered, the beneficiary owes.
DEEMED = Verdict(Status.DEEMED, "RB", "RB")


def failure(code: str, raw_code: str = "") -> Verdict:
    """Build the verdict of a payment that failed. Without a raw code it is in no file."""
    return Verdict(Status.FAILURE, code, raw_code)


@dataclass(slots=True)
class Payment:
    """A payment, a collect or a refund on its way through the switch."""

    kind: PaymentKind
    transaction_id: str
    original_id: str
    rrn: str
    amount_paise: int
    payer_psp: str
    payee_psp: str
    remitter: str
    request_message_id: str
    transaction: dict[str, str]
    payer: codec.Element
    payee: codec.Element
    created_at: str
    credential: str = field(default="", repr=False)
    # What a merchant's bank approved beforehand is no secret: it names its own decision.
    approval: str = ""
    expire_minutes: int = 0
    expires_at: str = ""
    beneficiary: str = ""
    stage: Stage = Stage.RESOLVING
    verdict: Verdict = Verdict(Status.PENDING, "", "")
    completed_at: str = ""
    payer_reference: dict[str, str] = field(default_factory=dict)
    payee_reference: dict[str, str] = field(default_factory=dict)
    debit_message_id: str = ""
    credit_message_id: str = ""
    is_resolved: bool = False

    @property
    def amount(self) -> str:
        """Return the amount as the wire writes it."""
        return codec.rupees(self.amount_paise)

    @property
    def payer_address(self) -> str:
        """Return the payer's payment address, as the payer's bank wrote it."""
        return self.payer.get("addr", "")

    @property
    def payee_address(self) -> str:
        """Return the payee's payment address, as the payer's bank wrote it."""
        return self.payee.get("addr", "")

    @property
    def initiator(self) -> str:
        """Return the organisation that began it, and that hears the final answer."""
        return self.payee_psp if self.kind is PaymentKind.COLLECT else self.payer_psp

    @property
    def other_psp(self) -> str:
        """Return the organisation that did not begin it, and that gets the confirmation."""
        return self.payer_psp if self.kind is PaymentKind.COLLECT else self.payee_psp

    @property
    def is_final(self) -> bool:
        """Say whether the switch has decided."""
        return self.verdict.status is not Status.PENDING

    def parties(self) -> set[str]:
        """Return the organisations that have a part in this payment."""
        return {self.payer_psp, self.payee_psp, self.remitter, self.beneficiary} - {""}

    def content(self) -> str:
        """Write what the journal keeps beside its columns. The credential is never part of it."""
        return json.dumps(
            {
                "request_message_id": self.request_message_id,
                "transaction": self.transaction,
                "payer": codec.to_bytes(self.payer).decode(),
                "payee": codec.to_bytes(self.payee).decode(),
                "payer_reference": self.payer_reference,
                "payee_reference": self.payee_reference,
                "debit_message_id": self.debit_message_id,
                "credit_message_id": self.credit_message_id,
                "is_resolved": self.is_resolved,
                "approval": self.approval,
                "expire_minutes": self.expire_minutes,
                "expires_at": self.expires_at,
            }
        )

    @classmethod
    def from_row(cls, row: dict[str, str]) -> "Payment":
        """Read a payment back from the journal."""
        content = json.loads(row["content"])
        return cls(
            kind=PaymentKind(row["kind"]),
            transaction_id=row["transaction_id"],
            original_id=row["original_id"],
            rrn=row["rrn"],
            amount_paise=int(row["amount_paise"]),
            payer_psp=row["payer_psp"],
            payee_psp=row["payee_psp"],
            remitter=row["remitter"],
            beneficiary=row["beneficiary"],
            stage=Stage(row["stage"]),
            verdict=Verdict(Status(row["status"]), row["code"], row["raw_code"]),
            created_at=row["created_at"],
            completed_at=row["completed_at"],
            **content
            | {
                "payer": etree.fromstring(content["payer"]),
                "payee": etree.fromstring(content["payee"]),
            },
        )
