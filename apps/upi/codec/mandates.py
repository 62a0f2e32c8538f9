"""The tables of mandates and complaints (upi-protocol 2.3, 2.4, 3.9)."""

from typing import Any

from lxml import etree

from apps.upi.codec import kinds
from apps.upi.codec.kinds import one_of, printable, text
from apps.upi.codec.parties import CURRENCY
from apps.upi.codec.parts import RESULT
from apps.upi.codec.shapes import (
    OTHER,
    Attribute,
    Element,
    Flat,
    Many,
    One,
    Shape,
    read_value,
    refuse_elements,
)
from apps.upi.contracts import Complaint, ComplaintRef, ComplaintResp, Mandate, Recurrence
from apps.upi.errors import InvalidElementError

MANDATE_TYPES = ("CREATE", "UPDATE", "REVOKE", "PAUSE", "UNPAUSE")
_PATTERNS = (
    "ONETIME",
    "DAILY",
    "WEEKLY",
    "FORTNIGHTLY",
    "BIMONTHLY",
    "MONTHLY",
    "QUARTERLY",
    "HALFYEARLY",
    "YEARLY",
    "ASPRESENTED",
)

_RECURRENCE = Shape(
    Recurrence,
    (Attribute("pattern", "pattern", one_of(*_PATTERNS), OTHER, is_required=True),),
    (
        Flat(
            "Rule",
            (
                Attribute("value", "rule_value", kinds.DAY_NUMBER, OTHER, is_required=True),
                Attribute(
                    "type", "rule_type", one_of("BEFORE", "ON", "AFTER"), OTHER, is_required=True
                ),
            ),
        ),
    ),
)

MANDATE = Shape(
    Mandate,
    (
        Attribute("name", "name", printable(1, 99), OTHER, is_required=True),
        Attribute("txnId", "txn_id", kinds.ID, OTHER, is_required=True),
        Attribute("umn", "umn", kinds.UMN, OTHER, is_required=True),
        Attribute("ts", "ts", kinds.INSTANT, OTHER, is_required=True),
        Attribute("revokeable", "revokeable", kinds.FLAG, OTHER, is_required=True),
        Attribute("shareToPayee", "share_to_payee", kinds.FLAG, OTHER, is_required=True),
        Attribute("type", "type", one_of(*MANDATE_TYPES), OTHER, is_required=True),
        Attribute("blockFund", "block_fund", kinds.FLAG, OTHER, is_required=True),
    ),
    (
        Flat(
            "Validity",
            (
                Attribute("start", "start", kinds.DAY, OTHER, is_required=True),
                Attribute("end", "end", kinds.DAY, OTHER, is_required=True),
            ),
            missing_code=OTHER,
        ),
        Flat(
            "Amount",
            (
                Attribute("value", "amount", kinds.MONEY, "V03", is_required=True),
                Attribute("rule", "amount_rule", one_of("MAX", "EXACT"), OTHER, is_required=True),
            ),
            missing_code="V01",
        ),
        One("Recurrence", "recurrence", _RECURRENCE, missing_code=OTHER),
    ),
)

_SIGNATURE_TEXT = Attribute("Signature", "signature", kinds.SECRET, OTHER)
_SIGNATURE_ID = [("id", "MANDATE")]


class MandateSignature:
    """The issuer's signature of a mandate, in base64; it is no XML signature."""

    tag = "Signature"
    is_repeated = False
    missing_code = ""

    def read(self, element: Element, values: dict[str, Any], path: str) -> None:
        """Read the signature. Raises InvalidElementError when it is of something else."""
        refuse_elements(element, path)
        if element.items() != _SIGNATURE_ID:
            raise InvalidElementError(OTHER, f"{path}.id")
        values["signature"] = read_value(_SIGNATURE_TEXT, element.text or "", path)

    def write(self, parent: Element, source: Any) -> None:
        """Write the signature, if there is one."""
        if source.signature is not None:
            element = etree.SubElement(parent, self.tag, attrib=dict(_SIGNATURE_ID))
            element.text = source.signature.reveal()


_ADJUSTMENT = text("[A-Za-z0-9]{1,10}")
COMPLAINT = Shape(
    Complaint,
    (
        Attribute("reqAdjFlag", "req_adj_flag", _ADJUSTMENT, OTHER, is_required=True),
        Attribute("reqAdjCode", "req_adj_code", _ADJUSTMENT, OTHER, is_required=True),
        Attribute("reqAdjAmount", "req_adj_amount", kinds.MONEY, OTHER, is_required=True),
        Attribute("orgSettRespCode", "org_sett_resp_code", kinds.RESULT_CODE_OR_EMPTY, OTHER),
        Attribute("currCycle", "curr_cycle", kinds.FLAG, OTHER),
    ),
)

_COMPLAINT_REF = Shape(
    ComplaintRef,
    (
        Attribute("type", "type", text("[A-Z]{1,20}"), "E07", is_required=True),
        Attribute("seqNum", "seq_num", kinds.SEQUENCE, "E08", is_required=True),
        Attribute("addr", "addr", kinds.ADDRESS, "E09", is_required=True),
        Attribute("regName", "reg_name", kinds.NAME, OTHER),
        Attribute("IFSC", "ifsc", kinds.IFSC, "E18"),
        Attribute("acNum", "ac_num", kinds.ACCOUNT, "E16"),
        Attribute("code", "code", kinds.CODE_4, "E17"),
        Attribute("approvalNum", "approval_num", text("[A-Za-z0-9]{1,12}"), "E12"),
        Attribute("settCurrency", "sett_currency", one_of(CURRENCY), "E11"),
        Attribute("adjAmt", "adj_amt", kinds.MONEY, OTHER),
        Attribute("adjTs", "adj_ts", kinds.INSTANT, OTHER),
        Attribute("adjRefId", "adj_ref_id", kinds.REFERENCE, OTHER),
        Attribute("adjFlag", "adj_flag", _ADJUSTMENT, OTHER),
        Attribute("adjCode", "adj_code", _ADJUSTMENT, OTHER),
        Attribute("adjRemarks", "adj_remarks", printable(0, 255), OTHER),
        Attribute("procStatus", "proc_status", one_of("COMPLETED", "TIMEOUT"), OTHER),
    ),
)


class _ComplaintAnswerShape(Shape):
    """The answer to a complaint, some of which spell the result with a capital."""

    def read(self, element: Element, path: str) -> Any:
        """Build the answer. Raises InvalidElementError, MalformedMessageError."""
        spelled = element.get("Result")
        if spelled is not None and "result" not in element.attrib:
            del element.attrib["Result"]
            element.set("result", spelled)
        return super().read(element, path)


COMPLAINT_RESP = _ComplaintAnswerShape(
    ComplaintResp,
    (*RESULT, Attribute("crn", "crn", text("[A-Za-z0-9]{1,35}"), OTHER)),
    (Many("Ref", "complaint_refs", _COMPLAINT_REF),),
)
