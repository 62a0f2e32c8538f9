"""Personal data is masked before it is logged or shown."""

import pytest

from apps.common.masking import (
    mask_account,
    mask_event,
    mask_message,
    mask_number_in,
    mask_text,
    mask_vpa,
)


@pytest.mark.parametrize(
    ("number", "shown"), [("001234567890", "XXXXXXXX7890"), ("7890", "7890"), ("", "")]
)
def test_an_account_number_shows_its_last_four_digits(number, shown):
    assert mask_account(number) == shown


def test_a_vpa_shows_two_letters():
    assert mask_vpa("asha@exbank") == "as***@exbank"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("asha@exbank", "asha@exbank"),
        ("001234567890@exbk0000001.ifsc.npci", "XXXXXXXX7890@exbk0000001.ifsc.npci"),
        ("sb0012a456@smpl0000002.ifsc.npci", "XXXXXXa456@smpl0000002.ifsc.npci"),
    ],
)
def test_an_address_that_is_an_account_shows_the_last_four_digits_of_its_number(address, shown):
    assert mask_number_in(address) == shown


def test_a_message_shows_no_account_whatever_its_number_looks_like():
    detail = '<Detail name="ACNUM" value="%s"></Detail>'
    reference = '<Ref acNum="%s" seqNum="1"></Ref>'

    for body in (detail, reference):
        assert mask_message(body % "SB0012A456") == body % "XXXXXXA456"


def test_a_log_event_keeps_no_secret_and_no_full_number():
    event = mask_event(
        None,
        "info",
        {
            "event": "paid asha@exbank from 001234567890",
            "pin_block": "2.0|AAAA",
            "error": "account 919800000001 of asha@exbank",
            "transaction_id": "EXB0a1b2c3d4e5f60718293a4b5c6d7e8f9",
            "count": 3,
        },
    )

    assert event == {
        "event": "paid as***@exbank from XXXXXXXX7890",
        "pin_block": "***",
        "error": "account XXXXXXXX0001 of as***@exbank",
        "transaction_id": "EXB0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        "count": 3,
    }


def test_text_without_personal_data_stays_as_it_is():
    assert mask_text("3 of 500 legs, 12.5 ms") == "3 of 500 legs, 12.5 ms"
