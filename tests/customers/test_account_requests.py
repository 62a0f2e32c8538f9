"""An account request from the outbox of the app to its bank's answer: sent once, never guessed."""

import base64
from functools import partial

import pytest
from django.db import connection, connections, transaction

from apps.common import clock, ids
from apps.common.money import Money
from apps.common.secret import Secret
from apps.customers import endpoint, selectors
from apps.customers.contracts import CredentialBlock, CustomerPrincipal
from apps.customers.errors import TransactionIdTakenError
from apps.customers.models import AccountRequest
from apps.customers.services.accept import Ask, Card, accept
from apps.customers.services.advance import advance_due
from apps.customers.services.hand_over import take_balance
from apps.customers.states import RequestKind
from apps.upi.contracts import (
    Balance,
    Head,
    Party,
    Received,
    Resp,
    RespBalEnq,
    RespOtp,
    Txn,
)
from apps.upi.models import Exchange, MessageLog, PinBlock
from apps.upi.timer_models import Timer
from tests.api.people import BLOCK, enrol_person, new_transaction_id
from tests.api.race import at_once
from tests.upi.switch import Switch

CANARY = base64.b64encode(b"canary pin block of this very test").decode()


@pytest.fixture
def switch(settings):
    with Switch() as server:
        settings.UPI_SWITCH_URL = server.url
        yield server


@pytest.fixture
def asha(committed):
    return enrol_person()


def principal(person):
    return CustomerPrincipal(person.device.customer_id, person.device.pk)


def ask(person, kind, **changes):
    block = CredentialBlock.parse(BLOCK)
    credentials = {
        RequestKind.OTP: (),
        RequestKind.PIN_REGISTRATION: (block.as_otp(), block.as_pin()),
        RequestKind.PIN_CHANGE: (block.as_pin(), block.as_pin()),
        RequestKind.BALANCE: (block.as_pin(),),
    }
    members = {
        "kind": kind,
        "account_id": person.accounts[0].pk,
        "transaction_id": new_transaction_id(),
        "card": Card("123456", "1229"),
        "credentials": credentials[kind],
        **changes,
    }
    return accept(Ask(**members), principal=principal(person), at=clock.now())


def state_of(request):
    row = AccountRequest.objects.get(pk=request.pk)
    return row.state, row.result_code


def answer_of(request, *, result="SUCCESS", code="", paise=None, kind=RespOtp):
    """What the switch passes on from the account's bank."""
    head = Head(ts=clock.now(), org_id="NPCI", msg_id=ids.new_upi_id("NPC"))
    txn = Txn(id=request.transaction_id, ts=clock.now(), type="Otp")
    parts = {"head": head, "txn": txn, "resp": Resp(req_msg_id="X", result=result, err_code=code)}
    if kind is RespBalEnq:
        bal = None if paise is None else Balance.of(Money(paise), ki="20150822")
        parts["payer"] = Party(addr="a@exbank", type="PERSON", code="0000", bal=bal)
    return Received(
        message=kind(**parts),
        exchange_id=request.exchange_id,
        organisation="NPCI",
        received_at=clock.now(),
    )


def receive(handler, received):
    """Call the handler as the receiver does: inside its transaction."""
    with transaction.atomic():
        handler(received)


@pytest.mark.parametrize(
    ("kind", "api", "type_"),
    [
        (RequestKind.OTP,              "ReqOtp",    "Otp"),
        (RequestKind.PIN_REGISTRATION, "ReqRegMob", "ReqRegMob"),
        (RequestKind.PIN_CHANGE,       "ReqSetCre", "SetCre"),
        (RequestKind.BALANCE,          "ReqBalEnq", "BalEnq"),
    ],
)  # fmt: skip
def test_a_request_is_sent_once_and_then_waits(asha, switch, kind, api, type_):
    request = ask(asha, kind)

    assert advance_due(at=clock.now()) == 1
    assert advance_due(at=clock.now()) == 0

    (posted,) = switch.posted
    txn, payer = posted.root.find("Txn"), posted.root.find("Payer")
    device = {tag.get("name"): tag.get("value") for tag in payer.find("Device")}
    assert posted.path == f"/upi/{api}/2.0/urn:txnid:{request.transaction_id}"
    assert (txn.get("id"), txn.get("type")) == (request.transaction_id, type_)
    assert payer.get("addr") == selectors.message_address(asha.device.customer.mobile)
    assert (device["MOBILE"], device["ID"]) == (
        asha.device.customer.mobile,
        asha.device.identifier,
    )
    assert state_of(request) == ("SENDING", "")
    assert PinBlock.objects.count() == 0


def test_the_order_of_the_blocks_is_the_wires(asha, switch):
    block = CredentialBlock(ki="20150822", data=Secret("2.0|" + CANARY))
    other = CredentialBlock.parse(BLOCK)
    ask(asha, RequestKind.PIN_CHANGE, credentials=(block.as_pin(), other.as_pin()))

    advance_due(at=clock.now())

    payer = switch.posted[0].root.find("Payer")
    assert payer.findtext("Creds/Cred/Data") == "2.0|" + CANARY
    assert payer.findtext("NewCred/Cred/Data") == BLOCK["data"]


def test_the_card_is_forgotten_and_the_block_is_kept_nowhere(asha, switch):
    block = CredentialBlock(ki="20150822", data=Secret("2.0|" + CANARY))
    request = ask(asha, RequestKind.PIN_REGISTRATION, credentials=(block.as_otp(), block.as_pin()))

    advance_due(at=clock.now())

    row = AccountRequest.objects.get(pk=request.pk)
    assert (row.card_digits, row.card_expiry) == ("", "")
    assert switch.posted[0].root.findtext("RegDetails/Creds/Cred/Data") == "2.0|" + CANARY
    assert not MessageLog.objects.filter(body__contains=CANARY).exists()


def test_an_answer_settles_the_request_once(asha, switch):
    request = ask(asha, RequestKind.OTP)
    advance_due(at=clock.now())

    receive(endpoint.receive_otp_answer, answer_of(request))
    receive(endpoint.receive_otp_answer, answer_of(request, result="FAILURE", code="XH"))

    row = AccountRequest.objects.get(pk=request.pk)
    assert (row.state, row.result_code) == ("SUCCESS", "00")
    assert (row.next_action_at, row.claim) == (None, None)


def test_a_refusal_carries_the_banks_code(asha, switch):
    request = ask(asha, RequestKind.PIN_REGISTRATION)
    advance_due(at=clock.now())

    receive(endpoint.receive_registration_answer, answer_of(request, result="FAILURE", code="ZR"))

    shown = asha.client.get(f"/app/v1/account-requests/{request}").json()
    assert (shown["status"], shown["finality"]) == ("failed", "final")
    assert (shown["upi_code"], shown["failure"]) == ("ZR", "wrong_otp")
    assert shown["explanation"]["next_action"].startswith("Enter the newest one-time password")


def test_a_balance_is_handed_over_once_and_is_in_no_table(asha, switch):
    request = ask(asha, RequestKind.BALANCE)
    advance_due(at=clock.now())

    receive(endpoint.receive_balance_answer, answer_of(request, paise=1234567, kind=RespBalEnq))

    path = f"/app/v1/balance-enquiries/{request}"
    first, second = asha.client.get(path), asha.client.get(path)
    assert (first.json()["status"], first.json()["balance"]) == ("succeeded", 1234567)
    assert first["Cache-Control"] == "no-store"
    assert (second.json()["status"], second.json()["balance"]) == ("succeeded", None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(t::text, '') FROM customers_accountrequest t")
        assert "1234567" not in cursor.fetchone()[0]


def test_a_balance_of_nothing_is_a_balance(asha, switch):
    request = ask(asha, RequestKind.BALANCE)
    advance_due(at=clock.now())

    receive(endpoint.receive_balance_answer, answer_of(request, paise=0, kind=RespBalEnq))

    assert asha.client.get(f"/app/v1/balance-enquiries/{request}").json()["balance"] == 0


def test_two_readers_of_a_balance_get_it_once(asha, switch):
    request = ask(asha, RequestKind.BALANCE)
    advance_due(at=clock.now())
    receive(endpoint.receive_balance_answer, answer_of(request, paise=100, kind=RespBalEnq))
    row = AccountRequest.objects.get(pk=request.pk)

    taken = at_once([partial(take_balance, row)] * 8)

    assert sorted(taken, key=lambda money: money is None) == [Money(100)] + [None] * 7


def test_a_success_without_a_balance_is_no_balance(asha, switch):
    request = ask(asha, RequestKind.BALANCE)
    advance_due(at=clock.now())

    receive(endpoint.receive_balance_answer, answer_of(request, kind=RespBalEnq))

    assert state_of(request) == ("FAILED", "BALANCE_UNREADABLE")


def test_a_negative_ack_fails_the_request(asha, switch):
    switch.plan = ["nack:U08"]
    request = ask(asha, RequestKind.OTP)

    advance_due(at=clock.now())

    assert state_of(request) == ("FAILED", "U08")


def test_what_could_not_be_sent_has_failed(asha, settings):
    settings.UPI_SWITCH_URL = "http://127.0.0.1:1"
    request = ask(asha, RequestKind.PIN_CHANGE)

    advance_due(at=clock.now())

    assert state_of(request) == ("FAILED", "NOT_SENT")
    assert PinBlock.objects.count() == 0


def test_silence_becomes_unknown_and_never_failed(asha, switch, settings):
    settings.UPI_TIMERS_FIXED = settings.UPI_TIMERS_FIXED | {Timer.ACCOUNT_ANSWER: 0}
    switch.plan = ["silent"]
    request = ask(asha, RequestKind.BALANCE)

    advance_due(at=clock.now())
    advance_due(at=clock.now())

    assert state_of(request) == ("UNKNOWN", "")
    shown = asha.client.get(f"/app/v1/account-requests/{request}").json()
    assert (shown["status"], shown["finality"]) == ("pending", "provisional")
    assert len(switch.posted) == 1


def test_a_late_answer_settles_what_was_unknown(asha, switch, settings):
    settings.UPI_TIMERS_FIXED = settings.UPI_TIMERS_FIXED | {Timer.ACCOUNT_ANSWER: 0}
    request = ask(asha, RequestKind.OTP)
    advance_due(at=clock.now())
    advance_due(at=clock.now())

    receive(endpoint.receive_otp_answer, answer_of(request))

    assert state_of(request) == ("SUCCESS", "00")


def test_an_answer_may_come_before_the_ack_is_read(asha, switch):
    switch.plan = ["nack:U01"]
    request = ask(asha, RequestKind.OTP)

    original = switch._take

    def answer_first(posted):
        try:
            receive(endpoint.receive_otp_answer, answer_of(request))
        finally:
            connections["default"].close()
        return original(posted)

    switch._take = answer_first
    advance_due(at=clock.now())

    assert state_of(request) == ("SUCCESS", "00")


def test_a_request_whose_block_is_gone_is_not_sent(asha, switch):
    request = ask(asha, RequestKind.BALANCE)
    PinBlock.objects.all().delete()

    advance_due(at=clock.now())

    assert state_of(request) == ("FAILED", "CREDENTIAL_GONE")
    assert switch.posted == []
    assert not Exchange.objects.filter(pk=request.exchange_id).exists()


def test_twins_of_a_request_make_one(asha):
    transaction_id = new_transaction_id()

    made = at_once([lambda: ask(asha, RequestKind.OTP, transaction_id=transaction_id).pk] * 6)

    assert len(made) == 6
    assert len(set(made)) == 1
    assert AccountRequest.objects.count() == 1


def test_two_customers_cannot_have_one_transaction_id(asha):
    ravi = enrol_person("RAVI IYER")
    transaction_id = new_transaction_id()

    def race(person):
        try:
            ask(person, RequestKind.OTP, transaction_id=transaction_id)
        except TransactionIdTakenError:
            return "taken"
        return "made"

    outcomes = at_once([partial(race, person) for person in (asha, ravi)])

    assert sorted(outcomes) == ["made", "taken"]
    assert AccountRequest.objects.count() == 1


def test_what_waits_is_seen_by_the_sweeper(asha, switch):
    assert not selectors.requests_are_due()
    ask(asha, RequestKind.OTP)

    assert selectors.requests_are_due()
    advance_due(at=clock.now())
    assert not selectors.requests_are_due()
