"""Hypothesis strategies for messages as the wire allows them."""

import datetime as dt
import string

from hypothesis import strategies as st

from apps.common.money import Money
from apps.common.secret import Secret
from apps.upi.contracts import (
    AccountAddress,
    Balance,
    Credential,
    Device,
    Head,
    Info,
    MerchantBlock,
    Party,
    Ref,
    ReqPay,
    Resp,
    RespBalEnq,
    RespPay,
    RiskScore,
    Txn,
)

ALPHANUMERIC = string.ascii_letters + string.digits


def texts(alphabet: str, shortest: int, longest: int) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=shortest, max_size=longest)


def printable(longest: int) -> st.SearchStrategy[str]:
    signs = st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"])
    return st.text(signs, min_size=1, max_size=longest)


def maybe(strategy):
    return st.none() | strategy


instants = st.datetimes(
    min_value=dt.datetime(2016, 1, 1),
    max_value=dt.datetime(2099, 12, 31),
    timezones=st.just(dt.UTC),
).map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000))
amounts = st.integers(1, 10**17 - 1).map(Money)
ids = texts(ALPHANUMERIC, 1, 35)
rrns = texts(string.digits, 12, 12)
names = printable(99)
addresses = st.builds(
    lambda user, handle: f"{user}@{handle}",
    texts(string.ascii_lowercase + string.digits, 1, 40),
    texts(string.ascii_lowercase, 2, 20),
)
heads = st.builds(
    Head,
    ts=instants,
    org_id=texts(ALPHANUMERIC, 1, 20),
    msg_id=ids,
    ver=st.sampled_from(["1.0", "2.0"]),
    prod_type=maybe(st.just("UPI")),
)
accounts = st.builds(
    AccountAddress,
    ifsc=st.from_regex(r"[A-Z]{4}0[A-Z0-9]{6}", fullmatch=True),
    account_type=st.sampled_from(["SAVINGS", "CURRENT", "DEFAULT"]),
    account_number=texts(string.digits, 1, 30),
)
credentials = st.builds(
    Credential,
    type=st.sampled_from(["PIN", "OTP"]),
    sub_type=st.sampled_from(["MPIN", "SMS"]),
    code=st.just("NPCI"),
    ki=texts(string.digits, 8, 8),
    data=texts(string.printable.replace("\x0b", "").replace("\x0c", ""), 0, 200).map(Secret),
)
devices = st.builds(
    Device,
    mobile=texts(string.digits, 12, 12),
    location=maybe(printable(40)),
    os=maybe(printable(20)),
    app=maybe(texts(string.ascii_lowercase + ".", 1, 20)),
)
infos = st.builds(
    Info,
    identity_type=st.just("ACCOUNT"),
    verified_name=names,
    identity_id=maybe(texts(string.digits, 1, 30)),
    verified_address=maybe(st.booleans()),
)
merchants = st.builds(
    MerchantBlock,
    sub_code=texts(string.digits, 4, 4),
    mid=texts(ALPHANUMERIC, 1, 20),
    sid=maybe(texts(ALPHANUMERIC, 1, 20)),
    merchant_type=maybe(st.sampled_from(["SMALL", "LARGE"])),
    brand=printable(20),
    legal=printable(20),
    franchise=printable(20),
    ownership=st.sampled_from(["PRIVATE", "PUBLIC"]),
)


def txns(kind: str, sub_type: str | None) -> st.SearchStrategy[Txn]:
    scores = st.builds(
        RiskScore, provider=printable(20), type=printable(20), value=texts(string.digits, 1, 5)
    )
    return st.builds(
        Txn,
        id=texts(ALPHANUMERIC, 35, 35),
        ts=instants,
        type=st.just(kind),
        sub_type=st.just(sub_type),
        note=maybe(texts(ALPHANUMERIC + " ", 1, 50)),
        ref_id=maybe(texts(ALPHANUMERIC + "-", 1, 35)),
        cust_ref=rrns,
        initiation_mode=st.sampled_from(["00", "04", "15"]),
        purpose=st.just("00"),
        risk_scores=st.lists(scores, max_size=2).map(tuple),
    )


@st.composite
def debits(draw) -> ReqPay:
    amount = draw(amounts)
    party = {"addr": addresses, "seq_num": st.just("1"), "amount": st.just(amount)}
    payer = st.builds(
        Party,
        type=st.just("PERSON"),
        code=st.just("0000"),
        name=maybe(names),
        info=maybe(infos),
        device=maybe(devices),
        ac=accounts,
        creds=st.lists(credentials, max_size=2).map(tuple),
        **party,
    )
    payee = st.builds(
        Party,
        type=st.just("ENTITY"),
        code=st.just("5411"),
        info=maybe(infos),
        ac=maybe(accounts),
        merchant=merchants,
        **party,
    )
    return ReqPay(
        head=draw(heads), txn=draw(txns("DEBIT", "PAY")), payer=draw(payer), payee=draw(payee)
    )


refs = st.builds(
    Ref,
    type=st.sampled_from(["PAYER", "PAYEE"]),
    addr=addresses,
    sett_amount=amounts,
    org_amount=maybe(amounts),
    approval_num=texts(string.digits, 6, 6),
    resp_code=st.just("00"),
    reversal_resp_code=st.sampled_from([None, "", "00"]),
    reg_name=maybe(names),
    ac_num=maybe(texts(string.digits, 1, 30)),
)
pay_answers = st.builds(
    RespPay,
    head=heads,
    txn=txns("PAY", "PAY"),
    resp=st.builds(
        Resp,
        req_msg_id=ids,
        result=st.sampled_from(["SUCCESS", "DEEMED"]),
        err_code=st.sampled_from([None, ""]),
        refs=st.lists(refs, min_size=1, max_size=2).map(tuple),
    ),
)
balance_answers = st.builds(
    RespBalEnq,
    head=heads,
    txn=txns("BalEnq", None),
    resp=st.builds(Resp, req_msg_id=ids, result=st.just("SUCCESS")),
    payer=st.builds(
        Party,
        addr=addresses,
        type=st.just("PERSON"),
        code=st.just("0000"),
        bal=st.integers(-(10**15), 10**15).map(lambda p: Balance.of(Money(p), ki="20150822")),
    ),
)
messages = debits() | pay_answers | balance_answers
