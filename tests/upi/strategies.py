"""Hypothesis strategies for the parts of messages as the wire allows them."""

import datetime as dt
import string

from hypothesis import strategies as st

from apps.common.money import Money
from apps.common.secret import Secret
from apps.upi.contracts import (
    AccountAddress,
    Credential,
    Device,
    Head,
    Info,
    Institution,
    MerchantBlock,
    Meta,
    Originator,
    Party,
    Ref,
    Resp,
    RiskScore,
    Rule,
    Split,
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
    psp_org_id=maybe(texts(ALPHANUMERIC, 1, 20)),
    page_size=maybe(st.integers(0, 10**9 - 1)),
    page_total=maybe(st.integers(0, 10**9 - 1)),
)
metas = st.builds(Meta, pay_req_start=maybe(instants), pay_req_end=maybe(instants))
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
mandate_signatures = st.builds(
    Credential,
    type=st.just("UPI-Mandate"),
    sub_type=st.just("DS"),
    code=st.just(""),
    ki=st.just(""),
    data=texts(ALPHANUMERIC + "+/=", 0, 200).map(Secret),
)
devices = st.builds(
    Device,
    mobile=texts(string.digits, 12, 12),
    geocode=maybe(texts(string.digits + ".,", 1, 15)),
    ip=maybe(texts(string.hexdigits + ".:", 2, 39)),
    type=st.sampled_from([None, "MOB", "INET"]),
    id=maybe(texts(ALPHANUMERIC, 1, 35)),
    capability=maybe(texts(ALPHANUMERIC, 1, 99)),
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
    tid=maybe(texts(ALPHANUMERIC, 1, 20)),
    merchant_type=maybe(st.sampled_from(["SMALL", "LARGE"])),
    merchant_genre=maybe(st.sampled_from(["OFFLINE", "ONLINE"])),
    on_boarding_type=maybe(st.sampled_from(["BANK", "AGGREGATOR", "NETWORK", "TPAP"])),
    brand=printable(20),
    legal=printable(20),
    franchise=printable(20),
    ownership=st.sampled_from(["PRIVATE", "PUBLIC"]),
)


institutions = st.builds(
    Institution,
    type=st.sampled_from(["MTO", "BANK"]),
    route=st.sampled_from(["MTSS", "RDA"]),
    name=printable(100),
    ac_num=printable(50),
    purpose_code=printable(50),
    purpose_note=printable(50),
    originator=st.builds(
        Originator,
        name=printable(50),
        type=st.sampled_from(["INDIVIDUAL", "COMPANY"]),
        ref_no=printable(35),
        location=printable(40),
        city=printable(40),
        country=printable(40),
        geocode=printable(20),
    ),
    beneficiary_name=printable(50),
)
scores = st.builds(
    RiskScore, provider=printable(20), type=printable(20), value=texts(string.digits, 1, 5)
)
rules = st.one_of(
    st.builds(Rule, name=st.just("EXPIREAFTER"), value=st.integers(1, 999_999).map(str)),
    st.builds(Rule, name=st.just("MINAMOUNT"), value=st.sampled_from(["1", "1.00", "99999.9"])),
)


def tuples(strategy, longest: int, *, shortest: int = 0) -> st.SearchStrategy[tuple]:
    return st.lists(strategy, min_size=shortest, max_size=longest).map(tuple)


def txns(kind: str, sub_type: str | None = None, **known) -> st.SearchStrategy[Txn]:
    """Return transactions of a type; whatever else is known of them takes the place of chance."""
    fields = {
        "id": texts(ALPHANUMERIC, 35, 35),
        "ts": instants,
        "type": st.just(kind),
        "sub_type": st.just(sub_type),
        "note": maybe(texts(ALPHANUMERIC + " ", 1, 50)),
        "ref_id": maybe(texts(ALPHANUMERIC + "-", 1, 35)),
        "ref_url": st.sampled_from([None, "https://shop.example/o/1?a=1&b=2"]),
        "cust_ref": rrns,
        "org_msg_id": maybe(ids),
        "org_rrn": maybe(rrns),
        "initiation_mode": st.sampled_from(["00", "04", "13"]),
        "purpose": st.just("00"),
        "ref_category": st.sampled_from([None, "00", "09"]),
        "initiated_by": st.sampled_from([None, "PAYER", "PAYEE"]),
        "umn": maybe(texts(ALPHANUMERIC + "@.-_", 1, 70)),
        "risk_scores": tuples(scores, 2),
        "rules": tuples(rules, 2),
    }
    return st.builds(Txn, **{**fields, **known})


def payers(**known) -> st.SearchStrategy[Party]:
    fields = {
        "addr": addresses,
        "seq_num": st.integers(1, 999).map(str),
        "type": st.just("PERSON"),
        "code": st.just("0000"),
        "name": maybe(names),
        "aadhaar_consent": st.sampled_from([None, "Y", "N"]),
        "info": maybe(infos),
        "device": devices,
        "ac": accounts,
        "creds": tuples(credentials, 2),
    }
    return st.builds(Party, **{**fields, **known})


def payees(**known) -> st.SearchStrategy[Party]:
    fields = {
        "addr": addresses,
        "type": st.just("ENTITY"),
        "code": st.just("5411"),
        "name": maybe(names),
        "info": infos,
        "ac": accounts,
        "merchant": merchants,
    }
    return st.builds(Party, **{**fields, **known})


@st.composite
def parties(draw, **known_of_payer) -> dict[str, Party]:
    """Return a payer and a payee who agree on the amount."""
    amount = st.just(draw(amounts))
    splits = st.builds(
        Split, name=st.sampled_from(["PURCHASE", "CASHBACK", "PARAMOUNT"]), value=amounts
    )
    return {
        "payer": draw(payers(amount=amount, splits=tuples(splits, 2), **known_of_payer)),
        "payee": draw(payees(amount=amount)),
    }


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
    dispute_resp_code=st.sampled_from([None, "", "RB"]),
    adjustment_flag=st.sampled_from([None, "", "TCC"]),
    adjustment_raised_bank=maybe(printable(99)),
)


def resps(cls: type[Resp] = Resp, *, result: str = "SUCCESS", **known):
    fields = {
        "req_msg_id": ids,
        "result": st.just(result),
        "err_code": st.sampled_from([None, ""]) if result != "FAILURE" else st.just("Z9"),
        "actn": maybe(printable(20)),
        "approval_num": maybe(texts(ALPHANUMERIC, 1, 12)),
    }
    return st.builds(cls, **{**fields, **known})
