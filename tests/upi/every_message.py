"""A Hypothesis strategy for every message of the wire, by the name of its API."""

import datetime as dt
import string

from hypothesis import strategies as st

from apps.upi import contracts
from apps.upi.contracts import (
    ComplaintResp,
    HbtMsg,
    Link,
    ManageVaeResp,
    Message,
    RegDetails,
    ReqMsg,
    VaeRef,
    ValAddResp,
)
from tests.upi.part_strategies import (
    ACCOUNT_TYPES,
    IFSCS,
    MOBILES,
    balances,
    challenges,
    complaint_refs,
    complaint_txns,
    complaints,
    confirmations,
    keys,
    listed,
    mandates,
    new_credentials,
    pins,
    providers,
    psps,
    reg_credentials,
    registrations,
    signed,
    vaes,
)
from tests.upi.strategies import (
    accounts,
    addresses,
    credentials,
    heads,
    ids,
    infos,
    institutions,
    mandate_signatures,
    maybe,
    merchants,
    metas,
    names,
    parties,
    payees,
    payers,
    printable,
    refs,
    resps,
    rrns,
    texts,
    tuples,
    txns,
)


def _original(kind: str) -> dict:
    """Return what a transaction that follows another says of it."""
    return {"org_txn_id": ids} if kind in {"REVERSAL", "REFUND"} else {}


@st.composite
def _pays(draw):
    kind, sub_type = draw(
        st.sampled_from(
            [("PAY", None), ("COLLECT", None), ("DEBIT", "PAY"), ("CREDIT", "COLLECT"),
             ("REVERSAL", "DEBIT"), ("REFUND", None)]
        )
    )  # fmt: skip
    creds = {"PAY": new_credentials.filter(lambda each: all(c.data.reveal() for c in each)),
             "DEBIT": tuples(credentials | mandate_signatures, 2)}  # fmt: skip
    both = draw(parties(creds=creds.get(kind, st.just(()))))
    if kind == "COLLECT":
        device = draw(payers()).device
        both["payee"] = draw(payees(amount=st.just(both["payer"].amount), device=st.just(device)))
    org_resp_code = st.just("U68") if kind == "REVERSAL" else st.none()
    txn = draw(txns(kind, sub_type, org_resp_code=org_resp_code, **_original(kind)))
    return contracts.ReqPay(head=draw(heads), meta=draw(maybe(metas)), txn=txn, **both)


@st.composite
def _of(draw, api: str, txn, **parts) -> Message:
    """Return messages of one API; `both` stands for a payer and a payee."""
    values = {name: draw(strategy) for name, strategy in parts.items()}
    both = values.pop("both", {})
    return getattr(contracts, api)(head=draw(heads), txn=draw(txn), **values, **both)


_checks = {"org_txn_id": ids, "org_txn_date": st.just(dt.datetime(2100, 1, 1, tzinfo=dt.UTC))}
_bare = {"cust_ref": maybe(rrns), "initiation_mode": st.sampled_from([None, "00"])}
_meta_payers = payers(creds=pins, device=payers().map(lambda payer: payer.device))
_plain_payers = st.builds(
    contracts.Party,
    addr=addresses,
    type=st.just("PERSON"),
    code=st.just("0000"),
    info=maybe(infos),
    ac=maybe(accounts),
    institution=maybe(institutions),
)


def _meta(api: str, kind: str, **parts):
    return _of(api, txns(kind, **_bare), **parts)


BY_API: dict[str, st.SearchStrategy[Message]] = {
    "ReqPay": _pays(),
    "RespPay": _of("RespPay", txns("PAY", "PAY"), resp=resps(refs=tuples(refs, 2, shortest=1))),
    "ReqAuthDetails": _of("ReqAuthDetails", txns("COLLECT"), both=parties(creds=st.just(()))),
    "RespAuthDetails": _of(
        "RespAuthDetails",
        txns("COLLECT", "MANDATE"),
        resp=resps(),
        both=parties(creds=tuples(mandate_signatures, 1, shortest=1)),
    ),
    "ReqTxnConfirmation": _of(
        "ReqTxnConfirmation", txns("TxnConfirmation"), txn_confirmation=confirmations
    ),
    "RespTxnConfirmation": _of("RespTxnConfirmation", txns("TxnConfirmation"), resp=resps()),
    "ReqChkTxn": _of("ReqChkTxn", txns("ChkTxn", "PAY", **_checks)),
    "RespChkTxn": _of(
        "RespChkTxn",
        txns("ChkTxn", "PAY", **_checks),
        resp=resps(refs=tuples(refs, 2), txn_resp_code=st.sampled_from([None, "", "00"])),
    ),
    "ReqMandate": _of(
        "ReqMandate", txns("CREATE"), meta=maybe(metas), mandate=mandates, both=parties()
    ),
    "RespMandate": _of(
        "RespMandate", txns("REVOKE"), resp=resps(), mandate=mandates, signature=signed
    ),
    "ReqAuthMandate": _of("ReqAuthMandate", txns("UPDATE"), mandate=mandates, both=parties()),
    "RespAuthMandate": _of(
        "RespAuthMandate", txns("PAUSE"), resp=resps(), mandate=mandates, both=parties()
    ),
    "ReqMandateConfirmation": _of(
        "ReqMandateConfirmation",
        txns("TxnConfirmation", org_txn_id=ids, cust_ref=maybe(rrns)),
        txn_confirmation=confirmations,
        mandate=mandates,
        signature=signed,
    ),
    "RespMandateConfirmation": _of(
        "RespMandateConfirmation", txns("TxnConfirmation"), resp=resps()
    ),
    "ReqComplaint": _of(
        "ReqComplaint", txns("COMPLAINT", "REMITTER", **complaint_txns), complaint=complaints
    ),
    "RespComplaint": _of(
        "RespComplaint",
        txns("STATUSUPDATE", "BENEFICIARY", **complaint_txns),
        complaint=complaints,
        resp=resps(
            ComplaintResp,
            crn=maybe(ids),
            complaint_refs=tuples(complaint_refs, 2),
        ),
    ),
    "ReqOtp": _meta("ReqOtp", "Otp", payer=payers(), reg_details=registrations),
    "RespOtp": _meta("RespOtp", "Otp", resp=resps(result="FAILURE")),
    "ReqRegMob": _meta(
        "ReqRegMob",
        "ReqRegMob",
        payer=payers(),
        reg_details=st.builds(
            RegDetails,
            mobile=MOBILES,
            card_digits=texts(string.digits, 6, 6),
            exp_date=st.just("0126"),
            creds=reg_credentials,
        ),
    ),
    "RespRegMob": _meta("RespRegMob", "ReqRegMob", resp=resps()),
    "ReqSetCre": _meta("ReqSetCre", "SetCre", payer=payers(creds=pins, new_cred=pins)),
    "RespSetCre": _meta("RespSetCre", "SetCre", resp=resps()),
    "ReqBalEnq": _meta("ReqBalEnq", "BalEnq", payer=payers(creds=pins)),
    "RespBalEnq": _meta(
        "RespBalEnq", "BalEnq", resp=resps(), payer=payers(bal=balances, creds=st.just(()))
    ),
    "ReqHbt": _meta(
        "ReqHbt",
        "Hbt",
        hbt_msg=st.builds(HbtMsg, type=st.sampled_from(["ALIVE", "EOD"]), value=printable(20)),
    ),
    "RespHbt": _meta("RespHbt", "Hbt", resp=resps()),
    "ReqValAdd": _meta("ReqValAdd", "ValAdd", payer=_plain_payers, payee=payees()),
    "RespValAdd": _meta(
        "RespValAdd",
        "ValAdd",
        resp=resps(
            ValAddResp,
            mask_name=names,
            code=maybe(texts(string.digits, 4, 4)),
            type=st.sampled_from([None, "PERSON", "ENTITY"]),
            ifsc=maybe(IFSCS) | st.just(""),
            iin=st.sampled_from([None, "", "900001"]),
            p_type=st.sampled_from([None, "UPIMANDATE"]),
            acc_type=maybe(ACCOUNT_TYPES),
            merchant=maybe(merchants),
            feature_supported=st.sampled_from([None, "01", "01,02"]),
        ),
    ),
    "ReqListAccount": _meta(
        "ReqListAccount", "ListAccount", payer=payers(), link=st.builds(Link, value=MOBILES)
    ),
    "RespListAccount": _meta(
        "RespListAccount",
        "ListAccount",
        resp=resps(),
        account_list=tuples(listed, 3, shortest=1),
    ),
    "ReqListKeys": _meta("ReqListKeys", "GetToken", creds=tuples(challenges, 1, shortest=1)),
    "RespListKeys": _meta(
        "RespListKeys", "ListKeys", resp=resps(), key_list=tuples(keys, 2, shortest=1)
    ),
    "ReqListPsp": _meta("ReqListPsp", "ListPsp"),
    "RespListPsp": _meta(
        "RespListPsp", "ListPsp", resp=resps(), psp_list=tuples(psps, 2, shortest=1)
    ),
    "ReqListAccPvd": _meta("ReqListAccPvd", "ListAccPvd"),
    "RespListAccPvd": _meta(
        "RespListAccPvd",
        "ListAccPvd",
        resp=resps(),
        acc_pvd_list=tuples(providers, 2, shortest=1),
    ),
    "ReqListVae": _meta("ReqListVae", "ListVae"),
    "RespListVae": _meta("RespListVae", "ListVae", resp=resps(), vae_list=tuples(vaes(), 2)),
    "ReqManageVae": _meta(
        "ReqManageVae",
        "ManageVae",
        vae_list=tuples(
            vaes(op=st.sampled_from(["ADD", "UPDATE", "REMOVE"]), seq_num=st.just("1")),
            2,
            shortest=1,
        ),
    ),
    "RespManageVae": _meta(
        "RespManageVae",
        "ManageVae",
        resp=resps(
            ManageVaeResp,
            vae_refs=tuples(
                st.builds(
                    VaeRef,
                    op=st.just("ADD"),
                    seq_num=st.just("1"),
                    addr=addresses,
                    resp_code=st.sampled_from(["00", "VN"]),
                    result=st.sampled_from(["SUCCESS", "FAILURE"]),
                ),
                2,
            ),
        ),
    ),
    "ReqPendingMsg": _meta(
        "ReqPendingMsg",
        "PendingMsg",
        req_msg=st.builds(ReqMsg, value=MOBILES, addr=maybe(addresses)),
    ),
    "RespPendingMsg": _meta(
        "RespPendingMsg", "PendingMsg", resp=resps(), pen_txns=tuples(txns("COLLECT"), 2)
    ),
}
messages = st.one_of(*BY_API.values())
