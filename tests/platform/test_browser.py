"""Staff and developers use the pages in a real browser, in light and dark."""

import base64
import hashlib
import hmac
import json
import shutil
import struct
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Page, sync_playwright

from apps.common import ids

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-headless-shell")
pytestmark = [
    pytest.mark.platform,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        CHROMIUM is None,
        reason="no Chromium on this machine: apt-get install --no-install-recommends chromium",
    ),
]
# Without these, Chromium looks for hosts of its maker at every start.
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
]  # fmt: skip
PERIOD_SECONDS = 30
PROPOSALS = "/admin/operators/proposal/"


def one_time_code(url: str, at: float) -> str:
    """Return what an authenticator app shows (RFC 6238, six digits)."""
    secret = parse_qs(urlparse(url).query)["secret"][0]
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    counter = struct.pack(">Q", int(at) // PERIOD_SECONDS)
    digest = hmac.new(key, counter, hashlib.sha1).digest()
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**6:06d}"


class Visit:
    """What a member of staff saw: each page's text, and everything the browser complained of."""

    def __init__(self, page: Page, url: str, folder: Path) -> None:
        self.complaints: list[str] = []
        self._page, self._url, self._folder = page, url, folder
        # A loaded machine takes its time to draw a page.
        page.set_default_timeout(120_000)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._listen)

    def _listen(self, message: Any) -> None:
        if message.type == "error" and "favicon" not in message.location.get("url", ""):
            self.complaints.append(message.text)

    def open(self, path: str, name: str) -> str:
        # `goto` returns when all that the page names is there. That the network falls silent after
        # it is no promise of a browser: it may keep a request of its own open.
        self._page.goto(self._url + path)
        self._page.evaluate("document.fonts.ready")
        if name.startswith("docs"):
            # It draws itself from the schema that it fetches.
            self._page.get_by_text("/app/v1/payments").first.wait_for()
        self._shoot(name)
        return self._page.inner_text("body")

    def propose(self, label: str) -> str:
        """Propose that a key be made; return what is to change, as the page says it."""
        self._page.goto(self._url + PROPOSALS)
        self._page.get_by_role("link", name="Propose a key ceremony").click()
        self._page.select_option("[name=action]", "CREATE_KEY")
        self._page.fill("[name=label]", label)
        self._page.fill("[name=reason]", "The yearly change of the key")
        self._shoot("proposal-form")
        preview = self._confirm("proposal-preview", "Propose it")
        self._shoot("proposals")
        return preview

    def approve(self, label: str, name: str) -> str:
        """Approve the proposal about a key; return what the page says then."""
        self._page.goto(self._url + PROPOSALS)
        self._page.get_by_role("row", name=label).get_by_role("link").first.click()
        self._shoot(f"{name}-row")
        self._page.get_by_role("link", name="Approve", exact=True).click()
        self._page.fill("[name=reason]", "Agreed with the key custodians")
        self._confirm(f"{name}-preview", "Approve it")
        self._shoot(name)
        return self._page.inner_text("body")

    def _confirm(self, name: str, submit: str) -> str:
        self._page.get_by_role("button", name="Show what will change").click()
        self._page.get_by_role("button", name=submit).wait_for()
        self._shoot(name)
        shown = self._page.inner_text("body")
        with self._page.expect_navigation():
            self._page.get_by_role("button", name=submit).click()
        return shown

    def _shoot(self, name: str) -> None:
        self._page.evaluate("document.fonts.ready")
        self._page.screenshot(path=self._folder / f"{name}.png", full_page=True)

    def log_in(self, person: dict[str, str]) -> None:
        self._page.goto(self._url + "/admin/")
        self._page.fill("[name=username]", person["email"])
        self._page.fill("[name=password]", person["password"])
        self._page.fill("[name=code]", one_time_code(person["totp_url"], time.time()))
        self._page.click("button[type=submit]")
        self._page.wait_for_url("**/admin/")


def tour(
    url: str, person: dict[str, str], shown: dict[str, str], scheme: str, folder: Path
) -> dict[str, Any]:
    """Log in and open every page; return what was seen. Playwright wants a thread of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(
            color_scheme=scheme, viewport={"width": 1440, "height": 1000}, locale="en-IN"
        )
        visit = Visit(context.new_page(), url, folder)
        visit.log_in(person)
        seen = {
            name: visit.open(path, f"{name}-{scheme}")
            for name, path in {
                "home": "/admin/",
                "transactions": "/admin/payments/transaction/",
                "timeline": f"/admin/payments/transaction/{shown['txn_id']}/change/",
                "accounts": "/admin/accounts/bankaccount/",
                "vpas": "/admin/vpa/vpa/",
                "merchants": "/admin/merchants/merchant/",
                "qr": f"/admin/merchants/qrcode/{shown['qr']}/change/",
                "qr-print": f"/admin/merchants/qrcode/{shown['qr']}/print/",
                "docs": "/docs",
                "errors": "/docs/errors#invalid_amount",
            }.items()
        }
        browser.close()
    return {"complaints": visit.complaints, **seen}


@pytest.fixture(scope="module")
def txn_id(stage) -> str:
    return str(stage["asha"].pay(stage["ravi"].vpa, 123_456, note="shown")["txn_id"])


@pytest.fixture(scope="module")
def qr(stage) -> str:
    """The row of a QR code that the shop made for its counter."""
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    made = stage.merchant("POST", "/v1/qr_codes", {"kind": "static", "store": "S7"}, **headers)
    return str(ids.parse_public_id("qr", made["id"]))


@pytest.fixture
def folder(platform) -> Path:
    path = platform.directory.root / "screenshots"
    path.mkdir(exist_ok=True)
    return path


@pytest.mark.parametrize(("scheme", "role"), [("light", "Auditor"), ("dark", "Operations")])
def test_staff_follow_a_payment_from_list_to_timeline(  # and see what shops let people scan
    platform, txn_id, qr, folder, scheme, role
):
    staff = json.loads((platform.directory.root / "phones" / "staff.json").read_text())
    person = next(each for each in staff if each["role"] == role)

    with ThreadPoolExecutor(1) as pool:
        seen = pool.submit(
            tour, platform.urls["public"], person, {"txn_id": txn_id, "qr": qr}, scheme, folder
        ).result()  # fmt: skip

    assert seen["complaints"] == []
    assert txn_id in seen["transactions"]
    assert "₹1,234.56" in seen["transactions"]
    assert "RECEIVED → POSTED" in seen["timeline"].replace("\n", " ")
    assert "payer PSP" in seen["timeline"]
    assert "asha@exbank" not in seen["timeline"]
    assert "001100000001" not in seen["accounts"]
    assert "nilabooks@exbank" in seen["vpas"]
    assert "nilabooks@exbank" in seen["qr"]
    assert "by this bank" in seen["qr"]
    assert "Scan with any UPI app" in seen["qr-print"]
    assert "/app/v1/payments" in seen["docs"]
    assert "invalid_amount" in seen["errors"]


def test_what_one_officer_proposes_only_another_approves(platform, folder):
    staff = json.loads((platform.directory.root / "phones" / "staff.json").read_text())
    officers = [each for each in staff if each["role"] == "Security officer"]

    with ThreadPoolExecutor(1) as pool:
        seen = pool.submit(_as_officers, platform.urls["public"], officers, folder).result()

    # A refusal is a page of its own, by its status; the browser notes that.
    assert [text for text in seen["complaints"] if "403" not in text] == []
    assert KEY in seen["preview"]
    assert "another officer" in seen["preview"]
    assert "second person" in seen["own"].lower()
    assert "approved" in seen["other"]


KEY = "mac-7"


def _as_officers(url: str, officers: list[dict[str, str]], folder: Path) -> dict[str, Any]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        visits = []
        for officer in officers:
            page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
            visits.append(Visit(page, url, folder))
            visits[-1].log_in(officer)
        one, other = visits
        seen = {
            "preview": one.propose(KEY),
            "own": one.approve(KEY, "proposal-own"),
            "other": other.approve(KEY, "proposal-approved"),
        }
        browser.close()
    return {"complaints": one.complaints + other.complaints, **seen}


def test_a_stranger_sees_only_the_login_page(platform):
    with ThreadPoolExecutor(1) as pool:
        text = pool.submit(_as_stranger, platform.urls["public"]).result()

    assert "Log in" in text
    assert "Transactions" not in text


def _as_stranger(url: str) -> str:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        page.goto(url + "/admin/payments/transaction/")
        text = page.inner_text("body")
        browser.close()
    return text
