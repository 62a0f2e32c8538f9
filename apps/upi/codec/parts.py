"""The tables of the other parts: head, transaction, results (upi-protocol 2.3, 2.4, 4.8)."""

from apps.upi.codec import kinds
from apps.upi.codec.credentials import CREDS
from apps.upi.codec.kinds import one_of, printable, text
from apps.upi.codec.parties import CURRENCY
from apps.upi.codec.shapes import (
    OTHER,
    Attribute,
    Element,
    Many,
    Pair,
    Shape,
    Wrapped,
    pairs,
    read_value,
)
from apps.upi.contracts import (
    HbtMsg,
    Head,
    Meta,
    Ref,
    RegDetails,
    Resp,
    RiskScore,
    Rule,
    Txn,
    TxnConfirmation,
)

HEAD = Shape(
    Head,
    (
        Attribute("ver", "ver", one_of("1.0", "2.0"), "H02", is_required=True),
        Attribute("ts", "ts", kinds.INSTANT, "H03", is_required=True),
        Attribute("orgId", "org_id", kinds.ORGANISATION, "U52", is_required=True),
        Attribute("msgId", "msg_id", kinds.ID, "H06", is_required=True),
        Attribute("prodType", "prod_type", text("[A-Z]{1,10}"), OTHER),
        Attribute("pspOrgId", "psp_org_id", kinds.ORGANISATION, OTHER),
        Attribute("pageSize", "page_size", kinds.NUMBER, OTHER),
        Attribute("pageSeqNum", "page_seq_num", kinds.NUMBER, OTHER),
        Attribute("pageRecStart", "page_rec_start", kinds.NUMBER, OTHER),
        Attribute("pageRecEnd", "page_rec_end", kinds.NUMBER, OTHER),
        Attribute("pageTotal", "page_total", kinds.NUMBER, OTHER),
    ),
)

META = Shape(
    Meta,
    children=(
        Pair(
            "Tag",
            pairs(
                Attribute("PAYREQSTART", "pay_req_start", kinds.INSTANT, "HM2"),
                Attribute("PAYREQEND", "pay_req_end", kinds.INSTANT, "HM2"),
            ),
            name_code="HM1",
        ),
    ),
)

# Minutes until a collect expires; upi-protocol 4.8, L04.
_MINUTES = text("[1-9][0-9]{0,5}")
_RUPEES = text(r"[0-9]{1,15}(\.[0-9]{1,2})?")
_RULE_VALUES = {
    "EXPIREAFTER": Attribute("value", "value", _MINUTES, "L04"),
    "MINAMOUNT": Attribute("value", "value", _RUPEES, "L03"),
}


class _RuleShape(Shape):
    """A rule of a collect, whose value is of the kind that its name asks for."""

    def read(self, element: Element, path: str) -> Rule:
        """Build the rule. Raises InvalidElementError, MalformedMessageError."""
        rule: Rule = super().read(element, path)
        read_value(_RULE_VALUES[rule.name], rule.value or "", path)
        return rule


_RULE = _RuleShape(
    Rule,
    (
        Attribute("name", "name", one_of(*_RULE_VALUES), "L02", is_required=True),
        Attribute("value", "value", printable(0, 255), "L04"),
    ),
)


def _score(prefix: str) -> Shape:
    return Shape(
        RiskScore,
        (
            Attribute("provider", "provider", printable(1, 20), f"{prefix}1", is_required=True),
            Attribute("type", "type", printable(1, 20), f"{prefix}2", is_required=True),
            Attribute("value", "value", text("[0-9]{1,5}"), f"{prefix}3", is_required=True),
        ),
    )


def _txn(modes: str, score_prefix: str) -> Shape:
    return Shape(
        Txn,
        (
            Attribute("id", "id", kinds.TXN_ID, "T02", is_required=True),
            Attribute("note", "note", kinds.NOTE, "T03"),
            Attribute("refId", "ref_id", kinds.REFERENCE, "T04"),
            Attribute("refUrl", "ref_url", kinds.URL, "T05"),
            Attribute("ts", "ts", kinds.INSTANT, "T06", is_required=True),
            Attribute("type", "type", text("[A-Za-z]{1,20}"), "T07", is_required=True),
            Attribute("subType", "sub_type", text("[A-Z]{1,20}"), "T13"),
            Attribute("custRef", "cust_ref", kinds.RRN, "T12"),
            Attribute("orgTxnId", "org_txn_id", kinds.ID, "T09"),
            Attribute("orgMsgId", "org_msg_id", kinds.ID, OTHER),
            Attribute("orgRrn", "org_rrn", kinds.RRN, OTHER),
            Attribute("orgTxnDate", "org_txn_date", kinds.INSTANT, "X08"),
            Attribute("orgRespCode", "org_resp_code", text("[A-Za-z0-9]{1,3}"), "T11"),
            Attribute("umn", "umn", kinds.UMN, "T16"),
            Attribute("initiationMode", "initiation_mode", text(modes), "IM0"),
            Attribute("purpose", "purpose", text("[A-Z0-9]{2}"), "T14"),
            Attribute("refCategory", "ref_category", text("0[0-9]"), OTHER),
            Attribute("initiatedBy", "initiated_by", one_of("PAYER", "PAYEE"), OTHER),
            Attribute("pspOrgId", "psp_org_id", kinds.ORGANISATION, OTHER),
        ),
        (
            Wrapped(
                "RiskScores",
                Many("Score", "risk_scores", _score(score_prefix)),
                empty_code=f"{score_prefix}1",
            ),
            Wrapped("Rules", Many("Rule", "rules", _RULE), empty_code="L01"),
        ),
    )


# upi-protocol 3.4 and 4.8, IM0. The modes of complaints are theirs alone.
_MODES = "[0-2][0-9]|3[0-2]"
_COMPLAINT_MODES = f"{_MODES}|U[0-2]"
TXN = _txn(_MODES, "S0")
# Scores in answers have codes of their own.
ANSWER_TXN = _txn(_MODES, "TR")
COMPLAINT_TXN = _txn(_COMPLAINT_MODES, "S0")

REG_DETAILS = Shape(
    RegDetails,
    (Attribute("type", "type", one_of("FORMAT1"), "U76", is_required=True),),
    (
        Pair(
            "Detail",
            pairs(
                Attribute("MOBILE", "mobile", text("[0-9]{12}"), "F03", is_required=True),
                Attribute("CARDDIGITS", "card_digits", text("[0-9]{6}"), "F03", is_required=True),
                Attribute(
                    "EXPDATE", "exp_date", text("(0[1-9]|1[0-2])[0-9]{2}"), "F03", is_required=True
                ),
            ),
            name_code="F02",
            missing_code="F02",
        ),
        CREDS,
    ),
)

REF = Shape(
    Ref,
    (
        Attribute("type", "type", text("[A-Z]{1,20}"), "E07", is_required=True),
        Attribute("seqNum", "seq_num", kinds.SEQUENCE, "E08", is_required=True),
        Attribute("addr", "addr", kinds.ADDRESS, "E09", is_required=True),
        Attribute("regName", "reg_name", kinds.NAME, OTHER),
        Attribute("settAmount", "sett_amount", kinds.MONEY, "E10", is_required=True),
        Attribute("settCurrency", "sett_currency", one_of(CURRENCY), "E11", is_required=True),
        Attribute("orgAmount", "org_amount", kinds.MONEY, "E10"),
        Attribute(
            "approvalNum", "approval_num", text("[A-Za-z0-9]{1,12}"), "E12", is_required=True
        ),
        Attribute("respCode", "resp_code", kinds.RESULT_CODE, "E13", is_required=True),
        Attribute("reversalRespCode", "reversal_resp_code", kinds.RESULT_CODE_OR_EMPTY, "E13"),
        Attribute("acNum", "ac_num", kinds.ACCOUNT, "E16"),
        Attribute("IFSC", "ifsc", kinds.IFSC, "E18"),
        Attribute("code", "code", kinds.CODE_4, "E17"),
        Attribute("accType", "acc_type", kinds.ACCOUNT_TYPE, "E19"),
        Attribute("actn", "actn", printable(1, 20), OTHER),
        Attribute("disputeRespCode", "dispute_resp_code", kinds.RESULT_CODE_OR_EMPTY, OTHER),
        Attribute("adjustmentDate", "adjustment_date", printable(0, 35), OTHER),
        Attribute("adjustmentFlag", "adjustment_flag", text("[A-Za-z0-9]{0,10}"), OTHER),
        Attribute("adjustmentRaisedBank", "adjustment_raised_bank", printable(0, 99), OTHER),
    ),
)
REFS = Many("Ref", "refs", REF)

RESULT = (
    Attribute("reqMsgId", "req_msg_id", kinds.ID, "E02", is_required=True),
    Attribute(
        "result",
        "result",
        one_of("SUCCESS", "FAILURE", "PARTIAL", "DEEMED"),
        "E03",
        is_required=True,
    ),
    Attribute("errCode", "err_code", kinds.RESULT_CODE_OR_EMPTY, "E04"),
    Attribute("actn", "actn", printable(1, 20), OTHER),
    Attribute("approvalNum", "approval_num", text("[A-Za-z0-9]{1,12}"), OTHER),
)
RESP = Shape(
    Resp,
    (
        *RESULT,
        Attribute("txnRespCode", "txn_resp_code", kinds.RESULT_CODE_OR_EMPTY, "E13"),
    ),
    (REFS,),
)

TXN_CONFIRMATION = Shape(
    TxnConfirmation,
    (
        # A copy of Txn/@note: the list has no limit for it, and it may be empty.
        Attribute("note", "note", kinds.text("[A-Za-z0-9 ]{0,50}"), OTHER),
        Attribute(
            "orgStatus",
            "org_status",
            one_of("SUCCESS", "FAILURE", "PENDING", "DEEMED"),
            OTHER,
            is_required=True,
        ),
        Attribute("orgErrCode", "org_err_code", kinds.RESULT_CODE_OR_EMPTY, OTHER),
        Attribute("type", "type", text("[A-Z]{1,20}"), OTHER, is_required=True),
        Attribute("orgTxnId", "org_txn_id", kinds.ID, "T09"),
        Attribute("actn", "actn", printable(1, 20), OTHER),
    ),
    (REFS,),
)

HBT_MSG = Shape(
    HbtMsg,
    (
        Attribute("type", "type", one_of("ALIVE", "EOD"), "G02", is_required=True),
        Attribute("value", "value", printable(1, 20), "G03", is_required=True),
    ),
)
