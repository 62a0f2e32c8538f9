"""What may be done with a link: every rule by itself, and bounds that no money crosses."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.common.addresses import VpaAddress
from apps.common.money import Money
from apps.merchants.link_judgement import TITLES, LinkFacts, LinkRefusal, LinkWarning, Source, judge
from apps.risk.contracts import Limits
from apps.upi.contracts import AccountAddress, MerchantBlock
from apps.upi.links.intent import SECURE_MODES, Action, Intent
from apps.upi.links.signature import SignatureStatus
from apps.vpa.contracts import ResolvedVpa, VpaKind

LIMITS = Limits(payment_amount_paise=1_00_000_00, shared_qr_paise=2_000_00)
VERIFIED, UNSIGNED = SignatureStatus.VERIFIED, SignatureStatus.UNSIGNED
BAD, STRANGER = SignatureStatus.BAD, SignatureStatus.UNKNOWN_SIGNER


def payee(name="Nila Books", *, genre="ONLINE", mcc="5942", kind=VpaKind.ENTITY):
    block = MerchantBlock(
        sub_code=mcc,
        mid="MID1",
        merchant_type="SMALL",
        merchant_genre=genre,
        on_boarding_type="BANK",
        brand=name,
        legal=name,
        franchise=name,
        ownership="PRIVATE",
    )
    return ResolvedVpa(
        vpa_id=uuid.UUID(int=1),
        address="shop@exbank",
        kind=kind,
        mcc=mcc,
        verified_name=name,
        account=AccountAddress(
            ifsc="EXBK0000001", account_type="CURRENT", account_number="00980000"
        ),
        merchant=block if kind is VpaKind.ENTITY else None,
    )


PERSON = payee("ASHA RAO", kind=VpaKind.PERSON, mcc="0000")
SHOP, STALL, WALLET = payee(), payee(genre="OFFLINE"), payee(mcc="6540")


def facts(to=SHOP, *, signature=VERIFIED, source=Source.CAMERA, name=None, **intent):
    is_ours = intent.pop("is_ours", to is not None)
    is_suspended = intent.pop("is_suspended", False)
    listed_name = intent.pop("listed_name", "")
    members = {
        "action": Action.PAY,
        "payee": VpaAddress("shop", "exbank"),
        "payee_name": name or (to.verified_name if to else "Claimed"),
        "mcc": to.mcc if to else "5942",
        **intent,
    }
    return LinkFacts(
        intent=Intent(**members),
        signature=signature,
        source=source,
        is_ours=is_ours,
        payee=to,
        is_suspended=is_suspended,
        listed_name=listed_name,
        limits=LIMITS,
    )


MANDATE_CODE = facts(action=Action.MANDATE, mode="21")


R, W = LinkRefusal, LinkWarning
RUPEES_2000, RUPEES_2001 = Money(2_000_00), Money(2_001_00)


@pytest.mark.parametrize(
    ("_case", "asked", "refusals"),
    [
        ("signed by us",           facts(mode="05"), []),
        ("a mandate",              facts(action=Action.MANDATE), [R.ACTION_NOT_SUPPORTED]),
        ("a collect",              facts(action=Action.COLLECT), [R.COLLECT_BY_LINK]),
        ("a mandate by its code",  MANDATE_CODE,                 [R.ACTION_NOT_SUPPORTED]),
        ("to be paid",             facts(mode="21"),             [R.MODE_NOT_ALLOWED]),
        ("a mandate's execution",  facts(mode="11"), [R.MODE_NOT_ALLOWED]),
        ("Q02 changed, secure",    facts(mode="16", signature=BAD), [R.SIGNATURE_BAD]),
        ("Q02 changed, static",    facts(mode="01", signature=BAD), [R.SIGNATURE_BAD]),
        ("Q05 not signed, secure", facts(mode="16", signature=UNSIGNED), [R.SIGNATURE_MISSING]),
        ("not signed, static",     facts(mode="01", signature=UNSIGNED), []),
        ("by a stranger, secure",  facts(mode="05", signature=STRANGER), [R.SIGNER_UNKNOWN]),
        ("by a stranger, static",  facts(mode="01", signature=STRANGER), []),
        ("an Aadhaar number",
         facts(None, payee=VpaAddress("1234", "aadhaar.npci")), [R.ADDRESS_DISABLED]),
        ("an IIN", facts(None, payee=VpaAddress("1", "607.iin.npci")), [R.ADDRESS_DISABLED]),
        ("an account of a bank",   facts(None, payee=VpaAddress("1", "exbk0000001.ifsc.npci")), []),
        ("nobody of ours",         facts(None, is_ours=True), [R.PAYEE_UNKNOWN]),
        ("a suspended shop",       facts(is_suspended=True), [R.PAYEE_SUSPENDED]),
        ("a person by intent",     facts(PERSON, mode="04"), [R.PERSON_BY_INTENT]),
        ("the same, signed",       facts(PERSON, mode="05"), [R.PERSON_BY_INTENT]),
        ("a person elsewhere",     facts(None, mode="04", mcc="0000"), [R.PERSON_BY_INTENT]),
        ("who says to be a shop",  facts(PERSON, mode="04", mcc="5411"), [R.PERSON_BY_INTENT]),
        ("a listed shop",
         facts(None, mode="05", mcc="0000", listed_name="Some Store"), []),
        ("a person by QR",         facts(PERSON, mode="01"), []),
        ("a stall by intent",
         facts(STALL, mode="04", signature=UNSIGNED), [R.OFFLINE_BY_INTENT]),
        ("a vouched stall",        facts(STALL, mode="04"), []),
        ("a wallet by camera",     facts(WALLET), []),
        ("a wallet by image",      facts(WALLET, source=Source.IMAGE), [R.WALLET_BY_SHARED_QR]),
        ("2,000 by image",         facts(PERSON, source=Source.IMAGE, amount=RUPEES_2000), []),
        ("2,001 by image",
         facts(PERSON, source=Source.IMAGE, amount=RUPEES_2001), [R.SHARED_QR_LIMIT]),
        ("2,001 from the gallery",
         facts(PERSON, others=(("qrMedium", "01"),), amount=RUPEES_2001), [R.SHARED_QR_LIMIT]),
        ("2,001 by camera",        facts(PERSON, amount=RUPEES_2001), []),
        ("2,001 to a shop",        facts(SHOP, source=Source.IMAGE, amount=RUPEES_2001), []),
        ("2,001 to a stall",
         facts(STALL, source=Source.IMAGE, amount=RUPEES_2001, signature=UNSIGNED),
         [R.SHARED_QR_LIMIT]),
        ("over the limit",         facts(amount=Money(1_00_000_01)), [R.LIMIT_EXCEEDED]),
        ("a minimum over it",
         facts(amount=Money(3_00_000_00), minimum=Money(2_00_000_00)), [R.LIMIT_EXCEEDED]),
        ("everything wrong at once",
         facts(PERSON, mode="05", signature=UNSIGNED, is_suspended=True, amount=Money(10**9)),
         [R.SIGNATURE_MISSING, R.PAYEE_SUSPENDED, R.PERSON_BY_INTENT, R.LIMIT_EXCEEDED]),
    ],
)  # fmt: skip
def test_a_link_is_refused_by_every_rule_that_it_breaks(_case, asked, refusals):
    judgement = judge(asked)

    assert list(judgement.refusals) == refusals
    assert judgement.is_payable == (not refusals)


@pytest.mark.parametrize("mode", sorted(SECURE_MODES))
def test_every_secure_mode_needs_a_signature(mode):
    assert R.SIGNATURE_MISSING in judge(facts(mode=mode, signature=UNSIGNED)).refusals


@pytest.mark.parametrize(
    ("_case", "asked", "warnings"),
    [
        ("ours and signed",     facts(), []),
        ("not signed",          facts(signature=UNSIGNED), [W.UNSIGNED]),
        ("by a stranger",       facts(signature=STRANGER), [W.SIGNER_UNKNOWN]),
        ("another bank's",      facts(None), [W.NAME_UNVERIFIED]),
        ("another name",        facts(name="Mila Books"), [W.NAME_DIFFERS]),
        ("in other case",       facts(name="NILA  books"), []),
        ("as it is listed",     facts(None, name="Some Store", listed_name="SOME STORE"), []),
        ("not as listed",
         facts(None, name="Some Store", listed_name="OTHER"), [W.NAME_DIFFERS]),
        ("cut by an EMV code",
         facts(payee("NILA BOOKS PRIVATE LIMITED"), name="NILA BOOKS PRIVATE LIMITE", mode="03"),
         []),
        ("cut by nobody",
         facts(payee("NILA BOOKS PRIVATE LIMITED"), name="NILA BOOKS PRIVATE LIMITE"),
         [W.NAME_DIFFERS]),
        ("a page in clear",     facts(url="http://shop.example"), [W.URL_NOT_SECURE]),
        ("a protected page",    facts(url="https://shop.example"), []),
        ("words not of UPI",    facts(unknown=("aid",)), [W.PARAMETER_UNKNOWN]),
    ],
)  # fmt: skip
def test_a_payer_is_warned_of_what_is_not_proved(_case, asked, warnings):
    assert list(judge(asked).warnings) == warnings


@pytest.mark.parametrize(
    ("_case", "asked", "low", "high"),
    [
        ("a fixed amount",       facts(amount=Money(1000)), 1000, 1000),
        ("Q06 10 or from 1 on",  facts(amount=Money(1000), minimum=Money(100)), 100, 1000),
        ("only a minimum",       facts(minimum=Money(100)), 100, 1_00_000_00),
        ("nothing said",         facts(), 1, 1_00_000_00),
        ("as an image",          facts(PERSON, source=Source.IMAGE), 1, 2_000_00),
        ("up to over the limit", facts(amount=Money(10**9), minimum=Money(1)), 1, 1_00_000_00),
    ],
)  # fmt: skip
def test_the_bounds_are_the_links_within_the_rules(_case, asked, low, high):
    judgement = judge(asked)

    assert (judgement.amount_min.paise, judgement.amount_max.paise) == (low, high)


@given(
    st.none() | st.integers(1, 10**8),
    st.none() | st.integers(1, 10**8),
    st.sampled_from([SHOP, PERSON, STALL, None]),
    st.sampled_from(list(Source)),
    st.sampled_from(list(SignatureStatus)),
)
def test_what_may_be_paid_is_within_the_link_and_every_limit(amount, minimum, to, source, status):
    if amount is not None and minimum is not None:
        minimum, amount = sorted([amount, minimum])
    asked = facts(
        to,
        signature=status,
        source=source,
        amount=Money(amount) if amount else None,
        minimum=Money(minimum) if minimum else None,
    )

    judgement = judge(asked)

    if judgement.is_payable:
        low, high = judgement.amount_min.paise, judgement.amount_max.paise
        assert 0 < low <= high <= LIMITS.payment_amount_paise
        assert amount is None or high <= amount
        assert minimum is None or low == minimum
        assert amount is None or minimum is not None or low == high == amount
        if source is Source.IMAGE and to is PERSON:
            assert high <= LIMITS.shared_qr_paise


def test_everything_that_is_said_has_a_title():
    assert set(TITLES) == {*LinkRefusal, *LinkWarning}
