"""Hypothesis strategies for the parts of directory, account, mandate and complaint messages."""

import datetime as dt
import string

from hypothesis import strategies as st

from apps.common.money import Money
from apps.common.secret import Secret
from apps.upi import contracts
from apps.upi.contracts import (
    AccPvd,
    AllowedCredential,
    Balance,
    Complaint,
    ComplaintRef,
    Key,
    ListedAccount,
    Mandate,
    Psp,
    Recurrence,
    RegDetails,
    TxnConfirmation,
    Vae,
    Version,
)
from tests.upi.strategies import (
    ALPHANUMERIC,
    addresses,
    amounts,
    credentials,
    ids,
    instants,
    maybe,
    names,
    printable,
    refs,
    texts,
    tuples,
)

MOBILES = texts(string.digits, 12, 12)
URLS = st.sampled_from([None, "https://upi.exbank.example/?a=1&b=%3C"])
IFSCS = st.from_regex(r"[A-Z]{4}0[A-Z0-9]{6}", fullmatch=True)
ACCOUNT_TYPES = st.sampled_from(["SAVINGS", "CURRENT", "NRE", "PPIWALLET", "UOD"])
DAYS = st.dates(dt.date(2016, 1, 1), dt.date(2099, 12, 31))

new_credentials = tuples(credentials, 2, shortest=1)
registrations = st.builds(
    RegDetails,
    mobile=MOBILES,
    card_digits=texts(string.digits, 6, 6),
    exp_date=st.sampled_from(["0126", "1299"]),
)
reg_credentials = st.builds(
    lambda otp, pin: (otp, pin),
    st.builds(contracts.Credential, type=st.just("OTP"), sub_type=st.just("SMS"),
              code=st.just("NPCI"), ki=texts(string.digits, 8, 8), data=st.just(Secret("2.0|b"))),
    st.builds(contracts.Credential, type=st.just("PIN"), sub_type=st.just("MPIN"),
              code=st.just("NPCI"), ki=texts(string.digits, 8, 8), data=st.just(Secret("2.0|a"))),
)  # fmt: skip
pins = reg_credentials.map(lambda both: both[1:])
challenges = st.builds(
    contracts.Credential,
    type=st.just("Challenge"),
    sub_type=st.sampled_from(["initial", "rotate", "reset"]),
    code=st.just("NPCI"),
    ki=texts(string.digits, 8, 8),
    data=texts(ALPHANUMERIC + "|+/=", 1, 99).map(Secret),
)
keys = st.builds(
    Key,
    code=texts(ALPHANUMERIC, 1, 20),
    owner=maybe(texts(ALPHANUMERIC + " .&-", 1, 99)),
    type=st.sampled_from(["PKI", "CLF", "TOKEN"]),
    ki=texts(string.digits, 8, 8),
    key_value=texts(ALPHANUMERIC + "+/=\n\t <&>", 1, 400),
)
versions = st.builds(
    Version,
    no=st.sampled_from(["1.0", "2.0", "2.37"]),
    description=maybe(printable(99)),
    mandatory=maybe(st.booleans()),
)
contact = {
    "name": names,
    "active": st.booleans(),
    "url": URLS,
    "spoc_name": maybe(printable(99)),
    "spoc_email": maybe(printable(99)),
    "spoc_phone": maybe(texts(string.digits, 0, 12)),
    "last_modified_ts": maybe(instants),
    "version_supported": tuples(versions, 2),
}
psps = st.builds(Psp, codes=st.sampled_from(["exbank", "exbank,ex.bank"]), **contact)
providers = st.builds(
    AccPvd,
    iin=texts(string.digits, 6, 6),
    ifsc=IFSCS,
    prods=st.sampled_from([None, "", "AEPS,IMPS"]),
    mob_reg_format=st.sampled_from([None, "FORMAT1"]),
    **contact,
)
listed = st.builds(
    ListedAccount,
    acc_type=ACCOUNT_TYPES,
    acc_ref_number=printable(50),
    masked_accnumber=st.just("XXXXXXXX7890"),
    ifsc=IFSCS,
    mmid=maybe(texts(string.digits, 7, 7)),
    name=names,
    aeba=st.booleans(),
    mbeba=st.booleans(),
    aadhaar_no=maybe(texts(string.digits, 12, 12).map(Secret)),
    creds_allowed=tuples(
        st.builds(
            AllowedCredential,
            type=st.just("PIN"),
            sub_type=st.just("MPIN"),
            d_type=st.sampled_from(["Numeric", "Alphanumeric"]),
            d_length=st.integers(0, 99),
        ),
        2,
    ),
)


def vaes(**known):
    fields = {
        "name": names,
        "addr": addresses,
        "logo": st.sampled_from([None, ""]),
        "url": st.sampled_from([None, "", "https://shop.example"]),
        "keys": tuples(keys, 2),
    }
    return st.builds(Vae, **{**fields, **known})


mandates = st.builds(
    Mandate,
    name=printable(99),
    txn_id=ids,
    umn=addresses.map(lambda address: address[-70:]),
    ts=instants,
    revokeable=st.booleans(),
    share_to_payee=st.booleans(),
    type=st.sampled_from(["CREATE", "UPDATE", "REVOKE", "PAUSE", "UNPAUSE"]),
    block_fund=st.booleans(),
    start=DAYS,
    end=DAYS,
    amount=amounts,
    amount_rule=st.sampled_from(["MAX", "EXACT"]),
    recurrence=st.builds(Recurrence, pattern=st.sampled_from(["ONETIME", "ASPRESENTED"]))
    | st.builds(
        Recurrence,
        pattern=st.sampled_from(["WEEKLY", "MONTHLY"]),
        rule_value=st.integers(1, 31),
        rule_type=st.sampled_from(["BEFORE", "ON", "AFTER"]),
    ),
)
signed = maybe(texts(ALPHANUMERIC + "+/=", 0, 400).map(Secret))
complaints = st.builds(
    Complaint,
    req_adj_flag=texts(ALPHANUMERIC, 1, 10),
    req_adj_code=texts(ALPHANUMERIC, 1, 10),
    req_adj_amount=amounts,
    org_sett_resp_code=st.sampled_from([None, "", "RB"]),
    curr_cycle=maybe(st.booleans()),
)
complaint_refs = st.builds(
    ComplaintRef,
    type=st.sampled_from(["REMITTER", "BENEFICIARY"]),
    seq_num=st.just("1"),
    addr=addresses,
    reg_name=maybe(names),
    ifsc=maybe(IFSCS),
    ac_num=maybe(texts(string.digits, 1, 30)),
    sett_currency=st.sampled_from([None, "INR"]),
    adj_amt=maybe(amounts),
    adj_ts=maybe(instants),
    adj_ref_id=maybe(texts(ALPHANUMERIC, 1, 35)),
    adj_remarks=maybe(printable(99)),
    proc_status=st.sampled_from([None, "COMPLETED", "TIMEOUT"]),
)
complaint_txns = {
    "org_txn_id": ids,
    "org_txn_date": instants,
    "initiation_mode": st.sampled_from(["U0", "U1", "U2", "00"]),
}
confirmations = st.builds(
    TxnConfirmation,
    note=maybe(texts(ALPHANUMERIC + " ", 0, 50)),
    org_status=st.sampled_from(["SUCCESS", "FAILURE", "PENDING", "DEEMED"]),
    org_err_code=st.sampled_from([None, "", "U30~Z9"]),
    type=st.just("PAY"),
    org_txn_id=maybe(ids),
    refs=tuples(refs, 2),
)
balances = st.builds(
    lambda paise, ki: Balance.of(Money(paise), ki=ki),
    st.integers(-(10**15), 10**15),
    texts(string.digits, 8, 8),
)
