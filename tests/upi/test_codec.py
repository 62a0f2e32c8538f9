"""Messages to bytes and back, and the refusal code of each rule."""

import datetime as dt
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from apps.common.money import Money
from apps.upi import codec, xml
from apps.upi.acknowledgement import decode_ack, encode_ack
from apps.upi.codec.grammar import ENTRIES
from apps.upi.contracts import Balance, RespBalEnq
from apps.upi.errors import RefusedError
from tests.upi import every_message, wire

NAMES = wire.unsigned_vectors()


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_message_survives_decoding_and_encoding_byte_for_byte(name):
    body = wire.vector(name)
    canonical = etree.tostring(etree.fromstring(body), method="c14n")

    message = codec.decode(body)

    assert codec.encode(message) == canonical
    assert codec.decode(canonical) == message


@pytest.mark.parametrize("name", ["02_Ack", "02b_Nack"])
def test_a_golden_ack_survives_decoding_and_encoding_byte_for_byte(name):
    body = wire.vector(name)

    assert encode_ack(decode_ack(body)) == etree.tostring(etree.fromstring(body), method="c14n")


def test_amounts_are_paise_and_instants_are_aware():
    message = codec.decode(wire.vector("05_ReqPay_DEBIT"))

    assert message.payer.amount == message.payee.amount == Money(14950)
    assert message.head.ts == dt.datetime(2025, 11, 22, 4, 45, 2, tzinfo=dt.UTC)


def test_a_credential_does_not_show_itself():
    message = codec.decode(wire.vector("05_ReqPay_DEBIT"))

    assert "U1lOV" not in repr(message)
    assert message.payer.creds[0].data.reveal().startswith("2.0|U1lOV")


def test_an_absent_attribute_is_none_and_an_empty_one_is_empty():
    success = codec.decode(wire.vector("06_RespPay_DEBIT"))
    declined = codec.decode(wire.vector("06b_RespPay_DEBIT_Z9"))

    assert success.resp.refs[0].reversal_resp_code == ""
    assert declined.resp.refs[0].reversal_resp_code is None


def test_a_balance_is_read_as_money():
    message = codec.decode(wire.vector("41_RespBalEnq"))

    assert isinstance(message, RespBalEnq)
    assert message.payer.bal.amount() == Money(1234567)


@pytest.mark.parametrize("paise", [0, 1, 14950, -5000])
def test_a_balance_of_any_sign_crosses_the_wire(paise):
    assert Balance.of(Money(paise), ki="20150822").amount() == Money(paise)


def test_secrets_that_are_cut_out_can_be_put_back():
    body = etree.tostring(etree.fromstring(wire.vector("36_ReqRegMob")), method="c14n")

    cut, secrets = codec.cut_secrets(body)

    assert b"2.0|" not in cut
    assert len(secrets) == 2
    assert codec.restore_secrets(cut, secrets) == body


def test_an_encoded_message_is_canonical():
    body = codec.encode(codec.decode(wire.vector("05_ReqPay_DEBIT")))

    assert xml.canonical(xml.parse(body)) == body


def test_every_message_has_a_strategy_and_a_golden_file():
    golden = {etree.QName(etree.fromstring(wire.vector(name))).localname for name in NAMES}

    assert set(every_message.BY_API) == set(ENTRIES)
    assert set(ENTRIES) - golden == {"RespMandateConfirmation"}


@pytest.mark.parametrize("api", every_message.BY_API)
@settings(max_examples=12, derandomize=True, deadline=None)
@given(data=st.data())
def test_whatever_the_wire_allows_survives_encoding_and_decoding(api, data):
    message = data.draw(every_message.BY_API[api])

    body = codec.encode(message)

    assert message.api == api

    assert codec.decode(body) == message
    assert codec.encode(codec.decode(body)) == body


@settings(derandomize=True, deadline=None)
@given(every_message.messages)
def test_what_is_cut_out_of_any_message_is_all_of_it_and_can_be_put_back(message):
    body = codec.encode(message)

    cut, secrets = codec.cut_secrets(body)

    assert codec.restore_secrets(cut, secrets) == body
    assert all(len(data.text or "") == 0 for data in etree.fromstring(cut).iter("Data"))
    assert all(len(each.text or "") == 0 for each in etree.fromstring(cut).iter("Signature"))
    tokens = etree.fromstring(cut).findall(".//key[@type='TOKEN']/keyValue")
    assert all(len(each.text or "") == 0 for each in tokens)
    assert not re.search(
        r'(aadhaarNo|EXPDATE" value|CARDDIGITS" value)="[^"]', codec.loggable(body)
    )


@settings(derandomize=True)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_bytes_that_are_no_message_are_refused_and_nothing_else(body):
    with pytest.raises(RefusedError):
        codec.decode(body)
