"""The page that shows the traffic, without secrets, and what it reads."""

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.platform.test_browser import CHROMIUM, FLAGS
from tests.sandbox import spoken
from tests.sandbox.conftest import wait_until


def passed(world, txn_id: str) -> list[dict]:
    found = world.control.get("/traffic").json()["messages"]
    return [message for message in found if message["txn_id"] == txn_id]


def shown(world, txn_id: str) -> dict:
    return world.control.get(f"/payments/{txn_id}").json()


def test_the_page_loads_nothing_from_elsewhere(world):
    response = world.control.get("/")

    assert response.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "://" not in response.text.replace("http-equiv", "")


def test_messages_are_shown_as_they_pass(world):
    txn_id = world.send_pay("ravi@smplbank")
    world.bank.wait_for("RespPay", txn_id)
    wait_until(lambda: passed(world, txn_id)[-1]["api"] == "RespPay")

    told = [(each["direction"], each["api"], each["type"]) for each in passed(world, txn_id)]

    assert told[0] == ("in", "ReqPay", "PAY")
    assert ("out", "ReqPay", "DEBIT") in told
    last = passed(world, txn_id)[-1]
    shown = world.control.get("/traffic", params={"after": last["number"]}).json()
    assert passed(world, txn_id) and last not in shown["messages"]  # noqa: PT018 - one cut
    payment = next(each for each in shown["payments"] if each["txn_id"] == txn_id)
    assert (payment["status"], payment["payee"]) == ("SUCCESS", "ravi@smplbank")


def messages_after(world, number):
    return world.control.get("/traffic/messages", params={"after": number}).json()["messages"]


def everything_kept(world):
    """Read one answer after the other: each holds so many messages only."""
    kept = messages_after(world, 0)
    while more := messages_after(world, kept[-1]["number"]):
        kept += more
    return kept


def test_no_secret_is_shown(world):
    request = spoken.pay_request(world.switch_key, "ravi@smplbank")
    block = request.findtext("Payer/Creds/Cred/Data")
    assert world.bank.post(request) == ""
    txn_id = request.find("Txn").get("id")
    world.ended(txn_id)
    debit = world.bank.wait_for("ReqPay", txn_id, "DEBIT")
    secrets = [block, debit.root.findtext("Payer/Creds/Cred/Data")]
    secrets += [spoken.ACCOUNT, "009876500001", spoken.DEVICE["MOBILE"], spoken.DEVICE["ID"]]

    kept = everything_kept(world)
    shown = [each for each in kept if each["txn_id"] == txn_id]
    texts = [world.control.get(f"/traffic/{each['number']}").text for each in shown]

    assert any("•••7890" in text for text in texts)
    assert [secret for secret in secrets for text in texts if secret in text] == []
    assert [each["xml"] for each in shown] == texts
    after = messages_after(world, kept[0]["number"])
    assert after[: len(kept) - 1] == kept[1 : len(after) + 1]


@pytest.mark.parametrize("number", ["0", "999999999"])
def test_a_message_no_longer_kept_is_not_found(world, number):
    assert world.control.get(f"/traffic/{number}").status_code == 404


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_the_page_shows_payments_as_they_are_and_finds_their_messages(world):
    txn_id = world.send_pay("ravi@smplbank", "123456.78")
    failed = world.send_pay("fail.xi@sandbox")
    for each in (txn_id, failed):
        wait_until(lambda each=each: shown(world, each)["stage"] == "DONE")

    with sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS).new_page()
        page.set_default_timeout(60_000)
        page.goto(str(world.control.base_url))
        row = page.locator(f"#payments tr[title='{txn_id}']")
        expect(row).to_contain_text("₹1,23,456.78", timeout=60_000)
        expect(page.locator("#clock")).to_contain_text(", ", timeout=60_000)
        row.click()
        expect(page.locator("#traffic tr")).to_have_count(
            len(passed(world, txn_id)), timeout=60_000
        )
        page.fill("#wanted", failed)
        page.check("#only-trouble")
        expect(page.locator("#traffic tr .bad").first).to_have_text("U31~XI", timeout=60_000)
        page.fill("#wanted", "nothing like this")
        expect(page.locator("#no-traffic")).to_have_text("No message fits.", timeout=60_000)
