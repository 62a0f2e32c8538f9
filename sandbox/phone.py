"""A customer's phone: the bank's app, its device key, and the PIN page that only the phone sees."""

import base64
import json
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlencode

import httpx
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from sandbox import credentials, ids, library, world
from sandbox.codec import rupees

# The life of a PIN page is a minute: a call that takes longer is lost to the user anyway.
_TIMEOUT_SECONDS = 60.0
_POLL_SECONDS = 0.1
_LONG_POLL_SECONDS_MAX = 30
_WAIT_SECONDS = 60.0
_PENDING = {"created", "pending"}
_BANK = next(each for each in world.MEMBERS if each.org_id == world.BANK)


class RefusedError(Exception):
    """The app API refused; `code` is its stable code and `document` what it said."""

    def __init__(self, status: int, document: dict[str, Any]) -> None:
        self.status = status
        self.document = document
        self.code = str(document.get("code", ""))
        super().__init__(f"{status} {self.code}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Handset:
    """What the bank bound: the device's id and key, and what the device says of itself."""

    device_id: str
    key: ec.EllipticCurvePrivateKey = field(repr=False)
    mobile: str
    identifier: str
    app_id: str

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read a handset as the demonstration's seed writes it; the key lies beside it."""
        return cls.from_document(json.loads(path.read_text(encoding="utf-8")), beside=path.parent)

    @classmethod
    def from_document(cls, document: dict[str, Any], *, beside: Path | None = None) -> Self:
        """Read a handset whose key is in the document, or in a file named there."""
        pem = document.get("private_key_pem")
        if pem is None:
            assert beside is not None, "a key file needs the folder that it lies in"
            pem = (beside / document["key_file"]).read_text(encoding="ascii")
        key = serialization.load_pem_private_key(pem.encode(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey), "device keys are P-256 keys"
        return cls(
            device_id=document["device_id"],
            key=key,
            mobile=document["mobile"],
            identifier=document["device_identifier"],
            app_id=document["app_id"],
        )

    def sign(self, challenge: str) -> str:
        """Sign a log-in challenge."""
        text = f"upi-session|{self.device_id}|{challenge}".encode()
        return base64.b64encode(self.key.sign(text, ec.ECDSA(hashes.SHA256()))).decode()


class Phone:
    """One customer's app, used by one thread at a time; `sent_ids` are the Txn.ids it minted."""

    def __init__(
        self,
        handset: Handset,
        *,
        api_url: str,
        switch_key: rsa.RSAPublicKey,
        key_index: str = world.SWITCH_KEY_INDEX,
        live_url: str | None = None,
        client: httpx.Client | None = None,
    ) -> None:
        self.handset = handset
        self.address = ""
        self.sent_ids: list[str] = []
        self._api_url = api_url.rstrip("/")
        self._live_url = (live_url or api_url).rstrip("/")
        self._switch_key = switch_key
        self._key_index = key_index
        self._client = client or httpx.Client(timeout=_TIMEOUT_SECONDS)
        self._token = ""

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def login(self) -> None:
        """Begin a session. The customer's own address is known from now on."""
        named = {"device_id": self.handset.device_id}
        challenge = self._post("/app/v1/sessions/challenges", named)["challenge"]
        signed = {"challenge": challenge, "signature": self.handset.sign(challenge)}
        session = self._post("/app/v1/sessions", named | signed)
        self._token = session["token"]
        self.address = session["customer"]["address"]

    def accounts(self) -> list[dict[str, Any]]:
        """Return the customer's linked accounts."""
        found: list[dict[str, Any]] = self._get("/app/v1/accounts")["data"]
        return found

    def resolve(self, address: str) -> dict[str, Any]:
        """Return who is behind an address of this bank."""
        return self._get(f"/app/v1/vpas/resolution?{urlencode({'address': address})}")

    def verify(self, address: str) -> dict[str, Any]:
        """Ask whose an address of any bank is; `verification` tells what its bank answered."""
        return self._post("/app/v1/vpas/verify", {"address": address})

    def verification(self, verification_id: str) -> dict[str, Any]:
        """Return what is known of a question whose an address is."""
        return self._get(f"/app/v1/vpas/verify/{verification_id}")

    def register_library(self, kind: str = "initial") -> dict[str, Any]:
        """Register the common library with the switch, or renew its token; wait for its word."""
        data = library.make_challenge(self.handset.identifier, self._switch_key)
        challenge = {"ki": self._key_index, "data": data}
        asked = self._post("/app/v1/device-tokens", {"kind": kind, "challenge": challenge})
        return self._wait(f"/app/v1/device-tokens/{asked['id']}")

    def request_otp(self, account_id: str, *, card_digits: str, card_expiry: str) -> dict[str, Any]:
        """Ask the account's bank for an OTP and wait until it has been sent."""
        card = {"card_digits": card_digits, "card_expiry": card_expiry}
        body = {"txn_id": new_transaction_id(), **card}
        asked = self._post(f"/app/v1/accounts/{account_id}/otp-requests", body)
        return self.wait_request(asked["id"])

    def set_pin(
        self, account_id: str, *, otp: str, pin: str, card_digits: str, card_expiry: str
    ) -> dict[str, Any]:
        """Set the UPI PIN with an OTP, and wait for the bank's word."""
        transaction_id = new_transaction_id()
        asked = self._post(
            f"/app/v1/accounts/{account_id}/pin-registrations",
            {
                "txn_id": transaction_id,
                "card_digits": card_digits,
                "card_expiry": card_expiry,
                "otp_block": self.block(otp, transaction_id=transaction_id, sub_type="SMS"),
                "pin_block": self.block(pin, transaction_id=transaction_id),
            },
        )
        return self.wait_request(asked["id"])

    def change_pin(self, account_id: str, *, present: str, new: str) -> dict[str, Any]:
        """Change the UPI PIN, and wait for the bank's word."""
        transaction_id = new_transaction_id()
        asked = self._post(
            f"/app/v1/accounts/{account_id}/pin-changes",
            {
                "txn_id": transaction_id,
                "current_pin_block": self.block(present, transaction_id=transaction_id),
                "new_pin_block": self.block(new, transaction_id=transaction_id),
            },
        )
        return self.wait_request(asked["id"])

    def balance(self, account_id: str, *, pin: str) -> dict[str, Any]:
        """Ask for the balance; `balance` of the answer is in paise, or None on a refusal."""
        transaction_id = new_transaction_id()
        asked = self._post(
            "/app/v1/balance-enquiries",
            {
                "txn_id": transaction_id,
                "account": account_id,
                "pin_block": self.block(pin, transaction_id=transaction_id),
            },
        )
        return self._wait(f"/app/v1/balance-enquiries/{asked['id']}")

    def scan(self, text: str, *, source: str = "camera") -> dict[str, Any]:
        """Return what the app shows of a QR code or a link before anybody pays."""
        return self._post("/app/v1/intents/resolve", {"text": text, "source": source})

    def pay_scanned(
        self,
        shown: dict[str, Any],
        *,
        account_id: str,
        payer: str,
        pin: str,
        amount_paise: int = 0,
    ) -> dict[str, Any]:
        """Pay what `scan` showed, with an amount of one's own where the link leaves it open."""
        payment = shown["payment"]
        order = self.payment_order(
            account_id=account_id,
            payer=payer,
            payee=payment["payee_vpa"],
            amount_paise=payment.get("amount", amount_paise),
            pin=pin,
        )
        return self.send_payment(order | payment)

    def pay(  # noqa: PLR0913 - what a person sees and chooses on the payment page
        self,
        *,
        account_id: str,
        payer: str,
        payee: str,
        amount_paise: int,
        pin: str,
        note: str = "",
        payee_name: str = "",
        reference_id: str = "",
        idempotency_key: str = "",
    ) -> dict[str, Any]:
        """Start a payment and return it as the API accepted it. `wait_payment` tells its end."""
        order = self.payment_order(
            account_id=account_id,
            payer=payer,
            payee=payee,
            amount_paise=amount_paise,
            pin=pin,
            note=note,
            payee_name=payee_name,
            reference_id=reference_id,
        )
        return self.send_payment(order, idempotency_key=idempotency_key)

    def payment_order(  # noqa: PLR0913 - as above
        self,
        *,
        account_id: str,
        payer: str,
        payee: str,
        amount_paise: int,
        pin: str,
        note: str = "",
        payee_name: str = "",
        reference_id: str = "",
    ) -> dict[str, Any]:
        """Return the body of a payment: a fresh Txn.id, and the PIN bound to what is shown."""
        transaction_id = new_transaction_id()
        optional = {"note": note, "payee_name": payee_name, "ref_id": reference_id}
        block = self.block(
            pin,
            transaction_id=transaction_id,
            amount=rupees(amount_paise),
            payer=payer,
            payee=payee,
        )
        return {
            "txn_id": transaction_id,
            "account": account_id,
            "payer_vpa": payer,
            "payee_vpa": payee,
            "amount": amount_paise,
            "currency": world.CURRENCY,
            "pin_block": block,
            **{name: value for name, value in optional.items() if value},
        }

    def send_payment(self, order: dict[str, Any], *, idempotency_key: str = "") -> dict[str, Any]:
        """Send a payment's body; sent again with the same key it stays one payment."""
        key = idempotency_key or str(uuid.uuid4())
        return self._post("/app/v1/payments", order, {"Idempotency-Key": key})

    def payment(self, transaction_id: str) -> dict[str, Any]:
        """Return a payment as it stands."""
        return self._get(f"/app/v1/payments/{transaction_id}")

    def wait_payment(
        self, transaction_id: str, *, seconds: float = _WAIT_SECONDS
    ) -> dict[str, Any]:
        """Return a payment once it has ended; as it stands if it has not by then."""
        deadline = time.monotonic() + seconds
        while True:
            left = deadline - time.monotonic()
            wait = max(1, min(_LONG_POLL_SECONDS_MAX, int(left)))
            path = f"/live/v1/payments/{transaction_id}?wait={wait}"
            shown = self._call("GET", self._live_url + path)
            if shown["status"] not in _PENDING or left <= 0:
                return shown

    def collects(self) -> list[dict[str, Any]]:
        """Return what the customer is, or was, asked for; the newest first."""
        found: list[dict[str, Any]] = self._get("/app/v1/collects")["data"]
        return found

    def approve_collect(
        self, collect: dict[str, Any], *, account_id: str, pin: str, idempotency_key: str = ""
    ) -> dict[str, Any]:
        """Pay what a collect asks for, by the PIN for what it shows."""
        block = self.block(
            pin,
            transaction_id=collect["txn_id"],
            amount=rupees(collect["amount"]),
            payer=collect["payer_vpa"],
            payee=collect["payee_vpa"],
        )
        return self._post(
            f"/app/v1/collects/{collect['txn_id']}/approvals",
            {"account": account_id, "pin_block": block},
            {"Idempotency-Key": idempotency_key or str(uuid.uuid4())},
        )

    def decline_collect(
        self, collect: dict[str, Any], *, is_requester_blocked: bool = False
    ) -> dict[str, Any]:
        """Do not pay what a collect asks for, and never again if its requester is blocked."""
        body = {"block_requester": is_requester_blocked}
        return self._post(f"/app/v1/collects/{collect['txn_id']}/declines", body)

    def unblock_requester(self, address: str) -> None:
        """Let somebody ask the customer for money again."""
        self._call("DELETE", f"{self._api_url}/app/v1/collects/blocked/{quote(address)}")

    def wait_request(self, request_id: str) -> dict[str, Any]:
        """Return an account request once the bank has answered it."""
        return self._wait(f"/app/v1/account-requests/{request_id}")

    def block(
        self,
        secret: str,
        *,
        transaction_id: str,
        amount: str = "",
        payer: str = "",
        payee: str = "",
        sub_type: str = "MPIN",
    ) -> dict[str, str]:
        """Return a secret encrypted to the switch, tied to one message and to this phone."""
        binding = credentials.DeviceBinding(
            transaction_id=transaction_id,
            amount=amount,
            payer=payer or self.address,
            payee=payee,
            mobile=self.handset.mobile,
            device_id=self.handset.identifier,
            app_id=self.handset.app_id,
        )
        data = credentials.make_device_block(
            secret, sub_type=sub_type, binding=binding, switch_key=self._switch_key
        )
        return {"ki": self._key_index, "data": data}

    def _wait(self, path: str) -> dict[str, Any]:
        deadline = time.monotonic() + _WAIT_SECONDS
        while True:
            shown = self._get(path)
            if shown["finality"] == "final" or time.monotonic() > deadline:
                return shown
            time.sleep(_POLL_SECONDS)

    def _get(self, path: str) -> dict[str, Any]:
        return self._call("GET", self._api_url + path)

    def _post(
        self, path: str, body: dict[str, Any], headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        self.sent_ids += [body["txn_id"]] if "txn_id" in body else []
        return self._call("POST", self._api_url + path, body=body, headers=headers)

    def _call(
        self,
        method: str,
        url: str,
        *,
        body: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        named = dict(headers or {})
        if self._token:
            named["Authorization"] = f"Bearer {self._token}"
        response = self._client.request(method, url, json=body, headers=named)
        try:
            document = response.json()
        except ValueError:
            document = {}
        if response.is_error or not isinstance(document, dict):
            raise RefusedError(response.status_code, document)
        return document


def new_transaction_id() -> str:
    """Return a new Txn.id as the app mints it, before its PIN page."""
    return ids.new_id(_BANK.prefix)
