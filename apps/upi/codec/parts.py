"""The tables of the other parts: head, transaction, results (upi-protocol 2.3, 2.4, 4.8)."""

from apps.upi.codec import kinds
from apps.upi.codec.kinds import one_of, printable, text
from apps.upi.codec.parties import CREDS, CURRENCY
from apps.upi.codec.shapes import OTHER, Attribute, Many, Pair, Shape, Wrapped, pairs
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

_SCORE = Shape(
    RiskScore,
    (
        Attribute("provider", "provider", printable(1, 20), "S01", is_required=True),
        Attribute("type", "type", printable(1, 20), "S02", is_required=True),
        Attribute("value", "value", text("[0-9]{1,5}"), "S03", is_required=True),
    ),
)

_RULE = Shape(
    Rule,
    (
        Attribute("name", "name", one_of("EXPIREAFTER", "MINAMOUNT"), "L02", is_required=True),
        Attribute("value", "value", text(r"[0-9]{1,15}(\.[0-9]{2})?"), "L04", is_required=True),
    ),
)

TXN = Shape(
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
        Attribute("umn", "umn", text("[A-Za-z0-9.@_-]{1,70}"), "T16"),
        Attribute("initiationMode", "initiation_mode", text("[0-2][0-9]|3[0-2]"), "IM0"),
        Attribute("purpose", "purpose", text("[A-Z0-9]{2}"), "T14"),
        Attribute("refCategory", "ref_category", text("0[0-9]"), OTHER),
        Attribute("initiatedBy", "initiated_by", one_of("PAYER", "PAYEE"), OTHER),
        Attribute("pspOrgId", "psp_org_id", kinds.ORGANISATION, OTHER),
    ),
    (
        Wrapped("RiskScores", Many("Score", "risk_scores", _SCORE), empty_code="S01"),
        Wrapped("Rules", Many("Rule", "rules", _RULE), empty_code="L01"),
    ),
)

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
    ),
)
REFS = Many("Ref", "refs", REF)

RESP = Shape(
    Resp,
    (
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
