"""The running receiver when it is asked too much: X32 and X35."""

import secrets
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from django.db import transaction
from lxml import etree

from apps.common import clock, ids
from apps.upi.budget_models import ApiUse
from apps.upi.models import Exchange
from tests.platform.switch_side import SwitchSide, security_events, traces, verdicts
from tests.upi import wire

pytestmark = [pytest.mark.platform, pytest.mark.timeout(600)]

ASKERS = 16
# Two processes have room for so many questions at once.
ROOM = 2 * 3


@pytest.fixture(scope="module")
def switch(platform, books):
    side = SwitchSide.of(platform)
    yield side
    side.client.close()


def post(switch, root: etree._Element) -> httpx.Response:
    body = wire.sign(root, switch.key)
    headers = {"Content-Type": "application/xml"}
    return switch.client.post(wire.path_of(body), content=body, headers=headers)


def check(org_txn_id: str, *, txn_id: str | None = None) -> etree._Element:
    root = wire.fresh("17_ReqChkTxn", txn_id=txn_id)
    root.find("Txn").set("orgTxnId", org_txn_id)
    root.find("Txn").set("orgTxnDate", wire.now().isoformat())
    return root


def test_x32_questions_that_get_stuck_are_shed_and_payments_go_on(switch):
    """The room for questions is filled by some that wait for a row; the next get their 429."""
    first = check(wire.new_id("EXB"))
    txn_id = first.find("Txn").get("id")
    assert switch.send(first).get("err") == ""
    org_txn_id = first.find("Txn").get("orgTxnId")
    shed = threading.Semaphore(0)

    def ask(_number: int) -> httpx.Response:
        response = post(switch, check(org_txn_id, txn_id=txn_id))
        if response.status_code == 429:
            shed.release()
        return response

    with ThreadPoolExecutor(ASKERS) as threads:
        with transaction.atomic():
            Exchange.objects.select_for_update().get(txn_id=txn_id)
            asked = [threads.submit(ask, number) for number in range(ASKERS)]
            for _ in range(ASKERS - ROOM):
                assert shed.acquire(timeout=60)
            debit = wire.fresh("DEBIT")
            debit.find("Txn").set("custRef", f"{secrets.randbelow(10**12):012}")
            taken = switch.send(debit)
        answers = [each.result() for each in asked]

    assert taken.get("err") == ""
    assert traces(debit.find("Txn").get("id"))["exchange"] == 1
    refused = [each for each in answers if each.status_code == 429]
    assert len(refused) >= ASKERS - ROOM
    assert {(each.content, each.headers["Retry-After"]) for each in refused} == {(b"", "1")}
    # Whoever waited five seconds for the row is told to come again; nobody is left without answer.
    assert {each.status_code for each in answers} <= {200, 429, 503}
    assert len(verdicts(txn_id)) <= 1 + ROOM
    assert post(switch, wire.fresh("HEARTBEAT")).status_code == 200


def test_x32_a_flood_of_questions_is_answered_or_shed_and_every_payment_is_taken(switch):
    def ask(_number: int) -> int:
        return post(switch, check(wire.new_id("EXB"))).status_code

    def pay(_number: int) -> str:
        debit = wire.fresh("DEBIT")
        debit.find("Txn").set("custRef", f"{secrets.randbelow(10**12):012}")
        return switch.send(debit).get("err")

    with ThreadPoolExecutor(ASKERS) as threads, ThreadPoolExecutor(2) as payers:
        asked = threads.map(ask, range(200))
        errors = list(payers.map(pay, range(10)))
        statuses = Counter(asked)

    assert errors == [""] * 10
    assert set(statuses) <= {200, 429}
    assert statuses[200] > 0


def question(name: str, *, payer: str, number: int) -> etree._Element:
    root = wire.fresh(name)
    root.find("Payer").set("addr", payer)
    mobile = f"9170{number:08}"
    if name == "32_ReqListAccount":
        root.find("Link").set("value", mobile)
        root.find("Payer/Device/Tag[@name='MOBILE']").set("value", mobile)
    else:
        root.find("Payee").set("addr", f"{mobile}@exbank")
    return root


def spend(api: str, payer: str, *, uses: int) -> None:
    """Let a customer have asked so often already."""
    ApiUse.objects.bulk_create(
        ApiUse(
            exchange_id=ids.uuid7(),
            direction="IN",
            api=api,
            subject_kind="CUSTOMER",
            subject=payer,
            used_at=clock.now(),
        )
        for _ in range(uses)
    )


@pytest.mark.parametrize(
    ("name", "api", "cap"),
    [("32_ReqListAccount", "ListAccount", 25), ("30_ReqValAdd", "ValAdd", 200)],
)
def test_x35_numbers_are_not_listed_by_asking_for_one_after_the_other(switch, name, api, cap):
    payer = f"mallory{secrets.token_hex(8)}@sandbox"
    spend(api, payer, uses=cap - 2)

    answers = [post(switch, question(name, payer=payer, number=number)) for number in range(4)]
    other = post(switch, question(name, payer=f"x{payer}", number=0))

    assert [each.status_code for each in answers] == [200, 200, 429, 429]
    for refused in answers[2:]:
        assert 0 < int(refused.headers["Retry-After"]) <= 24 * 3600 + 1
        assert etree.fromstring(refused.content).get("err") == "U80"
        txn_id = str(refused.request.url).rpartition(":")[2]
        assert verdicts(txn_id) == [("REFUSED", "U80")]
        assert security_events(txn_id) == [("U80", "operations")]
        assert traces(txn_id) == {}
    assert other.status_code == 200
