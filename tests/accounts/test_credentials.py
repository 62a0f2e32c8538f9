"""The issuer's side of OTP, registration, PIN change and balance, from message to answer."""

import datetime as dt

import pytest

from apps.accounts.contracts import DebitCard
from apps.accounts.models import BankAccount, CredentialRequest, Otp, PinState
from apps.accounts.services import credentials
from apps.common.money import Money
from apps.upi.contracts import DeliveryState
from apps.upi.models import Exchange, PinBlock
from tests.accounts.issuer import CARD, MOBILE, NUMBER


def wrong(otp):
    return f"{(int(otp) + 1) % 10**6:06d}"


def test_an_otp_goes_to_the_mobile_of_the_account_and_only_its_verifier_stays(issuer):
    account = issuer.open()

    assert issuer.ask_otp() == "00"

    (text,) = issuer.gateway.texts
    assert text["to"] == MOBILE
    assert "XXXXXXXX7890" in text["text"]
    otp = Otp.objects.get(account=account)
    assert otp.tries_left == 3
    assert issuer.gateway.otp().encode() not in bytes(otp.verifier)


def test_a_pin_is_set_by_otp_and_registration_and_proved_by_a_balance(issuer):
    account = issuer.open_with_pin("246810", paise=123_45)

    enquiry = issuer.send_balance_enquiry("246810")

    assert issuer.work(enquiry) == "00"
    assert issuer.answer(enquiry).find("Resp").get("result") == "SUCCESS"
    assert issuer.told_balance(enquiry) == Money(123_45)
    assert issuer.pin_state(account).tries_left == 3
    assert Exchange.objects.get(pk=enquiry).state == DeliveryState.ACKED
    assert not PinBlock.objects.filter(exchange_id=enquiry).exists()


def test_four_digits_are_a_pin_too(issuer):
    issuer.open_with_pin("2468")

    assert issuer.ask_balance("2468") == "00"
    assert issuer.ask_balance("246800") == "ZM"


def test_a_refusal_is_answered_with_its_code_and_no_balance(issuer):
    issuer.open_with_pin("123456")

    enquiry = issuer.send_balance_enquiry("654321")

    assert issuer.work(enquiry) == "ZM"
    answer = issuer.answer(enquiry)
    assert answer.find("Resp").get("result") == "FAILURE"
    assert answer.find("Resp").get("errCode") == "ZM"
    assert answer.find("Payer") is None


def test_a_pin_is_changed_by_the_present_one(issuer):
    issuer.open_with_pin("123456")

    assert issuer.change_pin("123456", "654321") == "00"

    assert issuer.ask_balance("654321") == "00"
    assert issuer.ask_balance("123456") == "ZM"


def test_a_wrong_pin_changes_nothing_but_the_tries(issuer):
    account = issuer.open_with_pin("123456")

    assert issuer.change_pin("111111", "654321") == "ZM"

    assert issuer.pin_state(account).tries_left == 2
    assert issuer.ask_balance("123456") == "00"


def test_three_wrong_pins_lock_until_a_day_has_passed(issuer, time_machine):
    account = issuer.open_with_pin("123456")

    assert [issuer.ask_balance("000000") for _ in range(4)] == ["ZM", "ZM", "ZM", "Z6"]
    assert issuer.ask_balance("123456") == "Z6"

    PinState.objects.filter(pk=account.pk).update(
        locked_at=issuer.pin_state(account).locked_at - dt.timedelta(days=1)
    )
    assert issuer.ask_balance("123456") == "00"
    assert issuer.pin_state(account).tries_left == 3


def test_a_registration_unlocks(issuer):
    account = issuer.open_with_pin("123456")
    for _ in range(3):
        issuer.ask_balance("000000")

    assert issuer.ask_otp() == "00"
    assert issuer.register(issuer.gateway.otp(), "135790") == "00"

    assert issuer.ask_balance("135790") == "00"
    assert issuer.pin_state(account).locked_at is None


def test_a_right_pin_restores_all_tries(issuer):
    account = issuer.open_with_pin("123456")
    issuer.ask_balance("000000")
    issuer.ask_balance("000000")

    assert issuer.ask_balance("123456") == "00"

    assert issuer.pin_state(account).tries_left == 3


def test_an_account_without_a_pin_says_so(issuer):
    issuer.open()

    assert issuer.ask_balance("123456") == "AM"
    assert issuer.change_pin("123456", "654321") == "AM"


@pytest.mark.parametrize(("state", "code"), [("CLOSED", "XH"), ("DORMANT", "ZX"), ("FROZEN", "YE")])
def test_the_state_of_the_account_is_looked_at_first(issuer, state, code):
    issuer.open_with_pin("123456")
    BankAccount.objects.update(state=state)

    assert issuer.ask_otp() == code
    assert issuer.ask_balance("000000") == code
    assert PinState.objects.get().tries_left == 3


def test_another_mobile_or_account_is_refused_before_the_pin(issuer):
    issuer.open_with_pin("123456")

    assert issuer.ask_balance("000000", mobile="919800000009") == "B1"
    assert issuer.ask_balance("000000", number="009999999999") == "XH"
    assert issuer.ask_otp(mobile="919800000009") == "B1"
    assert PinState.objects.get().tries_left == 3
    assert len(issuer.gateway.texts) == 1


@pytest.mark.parametrize(
    ("_case", "card", "code"),
    [
        ("other digits", DebitCard("123457", "1239"), "XN"),
        ("other expiry", DebitCard("123456", "0139"), "XN"),
    ],
)
def test_another_card_gets_no_otp(issuer, _case, card, code):
    issuer.open()

    assert issuer.ask_otp(card=card) == code
    assert issuer.gateway.texts == []


def test_an_expired_card_gets_no_otp(issuer):
    old = DebitCard("123456", "0126")
    issuer.open(card=old)

    assert issuer.ask_otp(card=old) == "XL"
    assert issuer.gateway.texts == []


def test_a_wrong_otp_sets_no_pin_and_three_end_the_otp(issuer):
    issuer.open()
    issuer.ask_otp()
    otp = issuer.gateway.otp()

    codes = [issuer.register(wrong(otp), "123456") for _ in range(3)]

    assert codes == ["ZR", "ZR", "ZR"]
    assert issuer.register(otp, "123456") == "ZT"
    assert issuer.ask_balance("123456") == "AM"


def test_a_new_otp_has_new_tries_and_ends_the_old_one(issuer):
    issuer.open()
    issuer.ask_otp()
    old = issuer.gateway.otp()
    issuer.register(wrong(old), "123456")
    issuer.ask_otp()
    new = issuer.gateway.otp()

    if new != old:
        assert issuer.register(old, "123456") == "ZR"
    assert issuer.register(new, "123456") == "00"


def test_an_otp_is_good_once(issuer):
    issuer.open()
    issuer.ask_otp()
    otp = issuer.gateway.otp()

    assert issuer.register(otp, "123456") == "00"
    assert issuer.register(otp, "654321") == "ZS"
    assert issuer.ask_balance("123456") == "00"


def test_an_otp_expires(issuer):
    issuer.open()
    issuer.ask_otp()
    Otp.objects.update(expires_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))

    assert issuer.register(issuer.gateway.otp(), "123456") == "ZS"


def test_a_registration_without_an_otp_is_refused(issuer):
    issuer.open()

    assert issuer.register("123456", "123456") == "ZS"


def test_five_otps_without_a_registration_block_for_a_day(issuer):
    account = issuer.open()
    for _ in range(5):
        assert issuer.ask_otp() == "00"
    otp = issuer.gateway.otp()

    assert issuer.ask_otp() == "RN"
    for _ in range(3):
        issuer.register(wrong(otp), "123456")
    assert issuer.register(otp, "123456") == "RN"

    row = issuer.pin_state(account)
    PinState.objects.update(otps_asked_from_at=row.otps_asked_from_at - dt.timedelta(days=1))
    assert issuer.ask_otp() == "00"
    assert issuer.register(issuer.gateway.otp(), "123456") == "00"
    assert issuer.pin_state(account).otps_asked == 0


def test_a_wrong_card_counts_as_an_otp_asked_for(issuer):
    issuer.open()
    for _ in range(5):
        assert issuer.ask_otp(card=DebitCard("999999", "1239")) == "XN"

    assert issuer.ask_otp() == "RN"


def test_a_gateway_that_is_down_is_a_technical_answer(issuer):
    issuer.open()
    issuer.gateway.is_down = True

    assert issuer.ask_otp() == "IR"


def test_a_block_for_another_message_costs_no_try(issuer):
    account = issuer.open_with_pin("123456")

    code = issuer.ask_balance("000000", bound_to="EXB00000000000000000000000000000000")

    assert code == "B6"
    assert issuer.pin_state(account).tries_left == 3


@pytest.mark.parametrize("data", ["2.0|", "2.0|AAAA", "1.0|AAAA", "", "2.0|" + "A" * 408])
def test_a_malformed_block_costs_no_try(issuer, data):
    account = issuer.open_with_pin("123456")
    enquiry = issuer.send_balance_enquiry("123456")
    PinBlock.objects.update(
        credentials=[
            {"type": "PIN", "sub_type": "MPIN", "code": "NPCI", "ki": "20261101", "data": data}
        ]
    )

    assert issuer.work(enquiry) in {"XF", "B6"}
    assert issuer.pin_state(account).tries_left == 3


def test_a_missing_credential_is_a_format_error(issuer):
    account = issuer.open_with_pin("123456")

    assert issuer.work(issuer.send_balance_enquiry("", creds=())) == "XF"
    assert issuer.work(issuer.send_registration("1234", "1234", creds=())) == "XF"
    assert issuer.pin_state(account).tries_left == 3


def test_a_block_that_is_gone_is_a_technical_answer_and_costs_no_try(issuer):
    account = issuer.open_with_pin("123456")
    enquiry = issuer.send_balance_enquiry("123456")
    PinBlock.objects.all().delete()

    assert issuer.work(enquiry) == "HS"
    assert issuer.pin_state(account).tries_left == 3


def test_a_request_that_waited_too_long_is_not_worked(issuer):
    account = issuer.open_with_pin("123456")
    enquiry = issuer.send_balance_enquiry("000000")
    request = CredentialRequest.objects.get(pk=enquiry)
    CredentialRequest.objects.filter(pk=enquiry).update(
        received_at=request.received_at - dt.timedelta(seconds=13)
    )

    assert issuer.work(enquiry) == "IR"
    assert issuer.pin_state(account).tries_left == 3
    assert not PinBlock.objects.exists()


def test_the_digits_of_the_card_are_wiped_with_the_answer(issuer):
    issuer.open()
    request = issuer.send_otp_request()
    assert CredentialRequest.objects.get().card_digits == CARD.digits

    issuer.work(request)

    stored = CredentialRequest.objects.get()
    assert (stored.card_digits, stored.card_expiry) == ("", "")


def test_a_batch_of_everything_is_worked_at_once(issuer):
    issuer.open_with_pin("123456")
    issuer.open(number="001234567891", mobile="919800000002")
    right = issuer.send_balance_enquiry("123456")
    wrong_ = issuer.send_balance_enquiry("000000")
    otp = issuer.send_otp_request(number="001234567891", mobile="919800000002")
    unknown = issuer.send_balance_enquiry("123456", number="009999999999")

    worked = credentials.work_due()

    assert worked == 4
    codes = [issuer.code(each) for each in (right, wrong_, otp, unknown)]
    assert sorted(codes) == ["", "00", "00", "XH"] or sorted(codes) == ["", "00", "XH", "ZM"]
    assert {issuer.work(right), issuer.work(wrong_)} == {"00", "ZM"}


def test_numbers_are_not_shown(issuer):
    account = issuer.open()

    assert NUMBER not in str(account)
    assert NUMBER not in repr(issuer.pin_state(account))
