"""
Hostile and unlucky messages about real payments: X22, X25 to X27, X29 to X31 and X33.

The switch's key signs them, so that they reach the engine. No money moves by them, and the payment
stays what it was.
"""

import datetime as dt
import secrets

import pytest
from django.conf import settings
from lxml import etree

from apps.accounts.models import PinState
from apps.common import clock, ids
from apps.customers.models import LinkedAccount
from apps.payments.models import Leg
from apps.upi.models import Exchange, MessageLog, PinBlock
from deploy.local.demo import timeline
from hsm.pin import PinBinding
from tests.hsm import credentials
from tests.platform.switch_side import SwitchSide, security_events, traces, verdicts
from tests.upi import wire

pytestmark = [pytest.mark.platform, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def switch(platform, books):
    side = SwitchSide.of(platform)
    yield side
    side.client.close()


@pytest.fixture
def asha(stage):
    return stage["asha"]


@pytest.fixture
def meera(stage):
    """She pays here: the acts of the demonstration use up what asha may pay in a day."""
    return stage["meera"]


def balance(customer) -> int:
    return timeline.balance_paise(customer.account_id)


def linked_account(customer) -> LinkedAccount:
    return LinkedAccount.objects.get(pk=str(ids.parse_public_id("acc", customer.account_id)))


def tries_left(customer) -> int:
    number = linked_account(customer).account_number
    return PinState.objects.get(account__number=number).tries_left


def answers(txn_id: str) -> list[str]:
    """Return the codes that we have answered about a transaction, in the order of time."""
    entries = MessageLog.objects.filter(txn_id=txn_id, direction="OUT", api="RespPay")
    return [
        etree.fromstring(entry.body.encode()).find("Resp").get("errCode")
        for entry in entries.order_by("pk")
    ]


def legs(txn_id: str) -> dict[str, tuple[str, str]]:
    rows = Leg.objects.filter(transaction_id=txn_id)
    return {leg.role: (leg.state, leg.code) for leg in rows}


def leg_request(name: str, payer) -> etree._Element:
    """Return a leg's request as the switch would send it, with an RRN that nobody used."""
    root = wire.fresh(name)
    root.find("Txn").set("custRef", f"{secrets.randbelow(10**12):012}")
    linked = linked_account(payer)
    root.find("Payer").set("addr", payer.vpa)
    root.find("Payer/Info/Identity").set("id", linked.account_number)
    root.find("Payer/Ac/Detail[@name='ACNUM']").set("value", linked.account_number)
    return root


def final_answer(txn_id: str, *, like: str) -> etree._Element:
    """Return the RespPay of one payment as if it were another's, under a new message id."""
    [kept] = MessageLog.objects.filter(
        txn_id=like, direction="IN", api="RespPay", type="PAY", outcome="ACCEPTED"
    )
    request = Exchange.objects.get(direction="OUT", api="ReqPay", txn_id=txn_id)
    [sent] = MessageLog.objects.filter(exchange_id=request.pk, api="ReqPay")
    root, asked = etree.fromstring(kept.body.encode()), etree.fromstring(sent.body.encode())
    root.find("Head").set("msgId", wire.new_id())
    root.find("Head").set("ts", wire.now().isoformat())
    txn = root.find("Txn")
    for name, value in asked.find("Txn").attrib.items():
        txn.set(name, value)
    root.find("Resp").set("reqMsgId", request.msg_id)
    return root


def judge(root: etree._Element, result: str, code: str = "") -> etree._Element:
    root.find("Resp").set("result", result)
    root.find("Resp").set("errCode", code)
    for ref in root.iter("Ref"):
        ref.set("respCode", code.rpartition("~")[2] or "00")
        ref.set("settAmount", "0.00" if code else ref.get("orgAmount"))
    return root


@pytest.mark.parametrize("action", ["repeat", "duplicate"])
@pytest.mark.parametrize("kind", ["DEBIT", "CREDIT"])
def test_x22_a_leg_that_comes_twice_moves_money_once(stage, meera, kind, action):
    twice = {"match": {"direction": "out", "api": "ReqPay", "type": kind}, "action": action}
    before = balance(meera), balance(stage["ravi"])

    with stage.faults(twice):
        payment = meera.pay(stage["ravi"].vpa, 12_34)

    assert payment["status"] == "succeeded"
    assert timeline.transfers(payment["txn_id"]) == ["UPI_CREDIT", "UPI_DEBIT"]
    assert (balance(meera), balance(stage["ravi"])) == (before[0] - 12_34, before[1] + 12_34)
    taken = MessageLog.objects.filter(
        txn_id=payment["txn_id"], direction="IN", api="ReqPay", type=kind
    )
    assert sorted(entry.outcome for entry in taken) == ["ACCEPTED", "REPEATED"]


def test_x26_a_payment_that_succeeded_stays_so(stage, switch, meera):
    payment = meera.pay(stage["ravi"].vpa, 23_45)
    before = balance(meera)
    other = judge(final_answer(payment["txn_id"], like=payment["txn_id"]), "FAILURE", "U30~XH")

    ack = switch.send(other)

    assert ack.get("err") == "U35"
    assert meera.phone.payment(payment["txn_id"])["status"] == "succeeded"
    assert balance(meera) == before
    assert security_events(payment["txn_id"]) == [("U35", "operations")]


def test_x25_a_payment_that_was_given_back_stays_so(stage, switch, meera):
    before = balance(meera)
    lost = {"match": {"direction": "out", "api": "ReqPay", "type": "CREDIT"}, "action": "lose"}
    with stage.hurried_switch(0.2), stage.faults(lost):
        payment = meera.pay(stage["ravi"].vpa, 34_56)
    other = judge(final_answer(payment["txn_id"], like=payment["txn_id"]), "SUCCESS")

    ack = switch.send(other)

    assert ack.get("err") == "U35"
    assert meera.phone.payment(payment["txn_id"])["status"] == "failed"
    assert balance(meera) == before
    assert security_events(payment["txn_id"]) == [("U35", "operations")]


def test_x27_an_answer_about_another_payment_ends_none(stage, switch, meera):
    like = meera.pay(stage["ravi"].vpa, 45_67)["txn_id"]
    lost = {"match": {"direction": "out", "api": "RespPay", "type": "PAY"}, "action": "lose"}
    with stage.faults(lost):
        txn_id = meera.start(stage["ravi"].vpa, 45_67)["txn_id"]
        assert stage.wait_for(lambda: timeline.transfers(txn_id) == ["UPI_CREDIT", "UPI_DEBIT"])
        ended = stage.control("GET", f"/payments/{txn_id}?wait=30")
    assert ended["status"] == "SUCCESS"

    errors = {}
    for name, edit in WRONG.items():
        root = final_answer(txn_id, like=like)
        edit(root)
        errors[name] = switch.send(root).get("err")
    still = meera.phone.payment(txn_id)["status"]
    right = switch.send(final_answer(txn_id, like=like)).get("err")

    assert errors == {"amount": "U12", "swapped": "U60", "currency": "E11", "rrn": "U07"}
    assert still in {"created", "pending"}
    assert [code for code, _ in security_events(txn_id)] == list(errors.values())
    assert right == ""
    assert meera.phone.wait_payment(txn_id)["status"] == "succeeded"


def other_amount(root):
    for ref in root.iter("Ref"):
        ref.set("settAmount", "45.68")


def swap(root):
    payer, payee = root.findall("Resp/Ref")
    payer_address = payer.get("addr")
    payer.set("addr", payee.get("addr"))
    payee.set("addr", payer_address)


def other_currency(root):
    for ref in root.iter("Ref"):
        ref.set("settCurrency", "USD")


def other_rrn(root):
    root.find("Txn").set("custRef", f"{secrets.randbelow(10**12):012}")


WRONG = {
    "amount": other_amount,
    "swapped": swap,
    "currency": other_currency,
    "rrn": other_rrn,
}


def no_block(root, _payer):
    for creds in root.findall("Payer/Creds"):
        root.find("Payer").remove(creds)


def other_key(root, _payer):
    root.find("Payer/Creds/Cred/Data").set("ki", "20990101")


def cut_block(root, _payer):
    data = root.find("Payer/Creds/Cred/Data")
    data.text = data.text[:-4]


def foreign_block(root, payer):
    """Put in a block that is whole and bound to this very debit, but made for another key."""
    txn_id, linked = root.find("Txn").get("id"), linked_account(payer)
    amount = root.find("Payer/Amount").get("value")
    payee = root.find("Payees/Payee").get("addr")
    made = credentials.parts(
        wire.public_pem(wire.new_key().public_key()),
        payer.pin,
        PinBinding("ReqPay", "DEBIT", txn_id, amount, payer.vpa, payee).text().decode(),
        bank_code="EXB",
        account=linked.account_number,
    )
    data = root.find("Payer/Creds/Cred/Data")
    data.text = f"2.0|{credentials.text(made)}"
    data.set("ki", settings.HSM_ISSUER_KEY.removeprefix("issuer-"))


@pytest.mark.parametrize(
    ("edit", "code"),
    [(no_block, "XF"), (other_key, "XF"), (cut_block, "XF"), (foreign_block, "B6")],
)
def test_x29_a_debit_without_a_proper_pin_block_is_declined(stage, switch, asha, edit, code):
    root, before = leg_request("DEBIT", asha), (balance(asha), tries_left(asha))
    edit(root, asha)
    txn_id = root.find("Txn").get("id")

    ack = switch.send(root)

    assert ack.get("err") == ""
    assert stage.wait_for(lambda: answers(txn_id))
    assert answers(txn_id) == [code]
    assert legs(txn_id) == {"DEBIT": ("DECLINED", code)}
    assert timeline.transfers(txn_id) == []
    assert (balance(asha), tries_left(asha)) == before
    exchange = Exchange.objects.get(txn_id=txn_id)
    assert not PinBlock.objects.filter(pk=exchange.pk).exists()


def test_x30_x31_a_reversal_before_its_original_refuses_it_for_ever(stage, switch, asha):
    debit, before = leg_request("DEBIT", asha), balance(asha)
    original, rrn = debit.find("Txn").get("id"), debit.find("Txn").get("custRef")
    reversal = leg_request("REVERSAL", asha)
    reversal.find("Txn").set("orgTxnId", original)
    for name in ("custRef", "orgRrn"):
        reversal.find("Txn").set(name, rrn)
    reversal_id = reversal.find("Txn").get("id")

    first = switch.send(reversal)
    assert stage.wait_for(lambda: answers(reversal_id) == ["OD"])
    second = switch.send(debit)

    assert (first.get("err"), second.get("err")) == ("", "")
    assert stage.wait_for(lambda: answers(original) == ["XB"])
    assert legs(original)["DEBIT"] == ("REFUSED_BY_REVERSAL", "XB")
    assert (timeline.transfers(original), balance(asha)) == ([], before)
    assert verdicts(original) == [("ACCEPTED", "")]
    assert traces(original)["leg"] >= 1


def payer_leg(txn_id: str) -> Leg:
    return Leg.objects.get(transaction_id=txn_id, role="PAYER_PSP")


def checks_sent(txn_id: str) -> int:
    """Return how many status checks about a payment have left us."""
    entries = MessageLog.objects.filter(direction="OUT", api="ReqChkTxn")
    return entries.filter(body__contains=f'orgTxnId="{txn_id}"').count()


def make_due(stage, txn_id: str) -> None:
    """Have the poller look at a payment now, and wait until it has put it off."""
    now = clock.now()
    Leg.objects.filter(pk=payer_leg(txn_id).pk).update(next_action_at=now, claim=None)

    def is_put_off() -> bool:
        due_at = payer_leg(txn_id).next_action_at
        return due_at is None or due_at > clock.now() + dt.timedelta(seconds=30)

    assert stage.wait_for(is_put_off)


def refusals_logged(stage) -> int:
    lines = (stage.platform.directory.logs / "payments.log").read_text().splitlines()
    return sum("api_call_refused" in line and "ChkTxn" in line for line in lines)


def test_x33_our_poller_never_asks_too_early_or_too_often(stage, switch, meera):
    """Whatever makes the leg due; and if it were miscounted, the governor of the wire refuses."""
    like = meera.pay(stage["ravi"].vpa, 56_78)["txn_id"]
    lost = {"match": {"direction": "out", "api": "RespPay", "type": "PAY"}, "action": "lose"}
    with stage.faults(lost):
        txn_id = meera.start(stage["ravi"].vpa, 56_78)["txn_id"]
        assert stage.wait_for(lambda: timeline.transfers(txn_id) == ["UPI_CREDIT", "UPI_DEBIT"])
        assert stage.control("GET", f"/payments/{txn_id}?wait=30")["status"] == "SUCCESS"
        assert stage.wait_for(lambda: payer_leg(txn_id).state == "SENDING")
    make_due(stage, txn_id)
    assert checks_sent(txn_id) == 0

    silent = {"match": {"direction": "out", "api": "RespChkTxn"}, "action": "lose", "count": 3}
    with stage.faults(silent):
        for number in (1, 2, 3):
            make_due(stage, txn_id)
            assert checks_sent(txn_id) == number
    make_due(stage, txn_id)
    assert checks_sent(txn_id) == 3
    refused = refusals_logged(stage)
    Leg.objects.filter(pk=payer_leg(txn_id).pk).update(checks=2)
    make_due(stage, txn_id)

    assert checks_sent(txn_id) == 3
    assert stage.wait_for(lambda: refusals_logged(stage) > refused)
    assert switch.send(final_answer(txn_id, like=like)).get("err") == ""
    assert meera.phone.wait_payment(txn_id)["status"] == "succeeded"
