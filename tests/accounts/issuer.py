"""What the tests of the issuer speak with: messages in, drained work, answers and SMS out."""

import datetime as dt
import json
import os
import re
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from django.conf import settings
from django.db import transaction

from apps.accounts import endpoint
from apps.accounts.contracts import DebitCard, TryAsk
from apps.accounts.models import CredentialRequest, PinState
from apps.accounts.services import credentials, pin
from apps.accounts.services.open_account import deposit, open_account
from apps.common import clock, ids
from apps.common.money import Money
from apps.common.secret import Secret
from apps.messaging import channels
from apps.upi.contracts import (
    AccountAddress,
    Balance,
    Credential,
    Device,
    Head,
    Party,
    Received,
    RegDetails,
    ReqBalEnq,
    ReqOtp,
    ReqRegMob,
    ReqSetCre,
    Txn,
)
from apps.upi.models import Exchange
from apps.upi.services import pin_blocks
from hsm.pin import PinBinding
from hsm.signing import public_pem
from tests import bank_host
from tests.hsm import credentials as blocks
from tests.upi.switch import Switch

NUMBER = "001234567890"
MOBILE = "919800000001"
CARD = DebitCard("123456", "1239")
ADDRESS = "9800000001@exbank"


class SmsGateway:
    """
    Takes messages as a gateway does, or is away.

    Its address has a path that nobody else knows: a message that goes astray, here or elsewhere,
    is refused there and not lost in silence.
    """

    def __init__(self) -> None:
        self.texts: list[dict[str, str]] = []
        # Every request ever, for whoever misses a text.
        self.seen: list[tuple[str, int]] = []
        self.is_down = False
        gateway, path = self, f"/{secrets.token_hex(8)}"

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                text = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status = 503 if gateway.is_down else 202 if self.path == f"{path}/sms" else 404
                gateway.seen.append((self.path, status))
                if status == 202:
                    gateway.texts.append(text)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}{path}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        channels.close()

    def otp(self) -> str:
        deadline = time.monotonic() + 10
        while not self.texts and time.monotonic() < deadline:
            time.sleep(0.02)
        assert self.texts, self._what_is_known()
        found = re.search(r"\b[0-9]{6}\b", self.texts[-1]["text"])
        assert found
        return found[0]

    def _what_is_known(self) -> str:
        rows = CredentialRequest.objects.values(
            "id", "kind", "state", "result_code", "attempts", "received_at", "answered_at"
        )
        return (
            f"no text here at {self.url}; they go to {settings.SMS_GATEWAY_URL}; the last requests "
            f"here: {self.seen[-5:]}; asked of the bank: {list(rows)}; threads: "
            f"{threading.enumerate()}; sent by {channels.send_sms} of process {os.getpid()}"
        )


def block(digits, binding, *, number=NUMBER, bank_code="EXB"):
    """Make the issuer block of a PIN or an OTP, as the switch does."""
    made = blocks.parts(
        public_pem(settings.HSM_ISSUER_KEY),
        digits,
        binding.text().decode(),
        bank_code=bank_code,
        account=number,
    )
    return f"2.0|{blocks.text(made)}"


def credential(digits, binding, *, kind="PIN", number=NUMBER):
    return Credential(
        type=kind,
        sub_type="SMS" if kind == "OTP" else "MPIN",
        code="NPCI",
        ki=settings.HSM_ISSUER_KEY.removeprefix("issuer-"),
        data=Secret(block(digits, binding, number=number)),
    )


def debit_binding(txn_id, *, amount="149.50"):
    return PinBinding("ReqPay", "DEBIT", txn_id, amount, ADDRESS, "shop@smplbank")


class Issuer:
    """The switch's side of the conversation with our bank as issuer."""

    def __init__(self, switch: Switch, gateway: SmsGateway) -> None:
        self.switch = switch
        self.gateway = gateway

    def open(self, *, number=NUMBER, mobile=MOBILE, card=CARD, paise=0):
        account = open_account(number=number, holder_name="ASHA RAO", mobile=mobile, card=card)
        if paise:
            deposit(number=number, amount=Money(paise), reference=f"opening {number}")
        bank_host.open_account(number, paise)
        return account

    def open_with_pin(self, digits="123456", *, paise=100_000, **facts):
        """Give an account a PIN in the only way there is: OTP and registration on the wire."""
        account = self.open(paise=paise, **facts)
        number, mobile = account.number, account.mobile
        assert self.ask_otp(number=number, mobile=mobile) == "00"
        assert self.register(self.gateway.otp(), digits, number=number, mobile=mobile) == "00"
        return account

    def ask_otp(self, *, number=NUMBER, mobile=MOBILE, card=CARD):
        return self.work(self.send_otp_request(number=number, mobile=mobile, card=card))

    def send_otp_request(self, *, number=NUMBER, mobile=MOBILE, card=CARD):
        txn = self._txn("Otp")
        message = ReqOtp(
            head=self._head(),
            txn=txn,
            payer=self._payer(number, mobile),
            reg_details=RegDetails(mobile=mobile, card_digits=card.digits, exp_date=card.expiry),
        )
        return self._receive(endpoint.receive_otp, message)

    def register(self, otp, digits, **facts):
        return self.work(self.send_registration(otp, digits, **facts))

    def send_registration(self, otp, digits, *, number=NUMBER, mobile=MOBILE, creds=None):
        txn = self._txn("ReqRegMob")
        binding = PinBinding("ReqRegMob", "ReqRegMob", txn.id, "", ADDRESS, "")
        proof = (
            credential(otp, binding, kind="OTP", number=number),
            credential(digits, binding, number=number),
        )
        message = ReqRegMob(
            head=self._head(),
            txn=txn,
            payer=self._payer(number, mobile),
            reg_details=RegDetails(
                mobile=mobile,
                card_digits=CARD.digits,
                exp_date=CARD.expiry,
                creds=proof if creds is None else creds,
            ),
        )
        return self._receive(endpoint.receive_registration, message)

    def change_pin(self, old, new, *, number=NUMBER, mobile=MOBILE):
        txn = self._txn("SetCre")
        binding = PinBinding("ReqSetCre", "SetCre", txn.id, "", ADDRESS, "")
        payer = self._payer(
            number,
            mobile,
            creds=(credential(old, binding, number=number),),
            new_cred=(credential(new, binding, number=number),),
        )
        message = ReqSetCre(head=self._head(), txn=txn, payer=payer)
        return self.work(self._receive(endpoint.receive_pin_change, message))

    def ask_balance(self, digits, **facts):
        return self.work(self.send_balance_enquiry(digits, **facts))

    def send_balance_enquiry(
        self, digits, *, number=NUMBER, mobile=MOBILE, creds=None, bound_to=None
    ):
        txn = self._txn("BalEnq")
        binding = PinBinding("ReqBalEnq", "BalEnq", bound_to or txn.id, "", ADDRESS, "")
        if creds is None:
            creds = (credential(digits, binding, number=number),)
        message = ReqBalEnq(
            head=self._head(), txn=txn, payer=self._payer(number, mobile, creds=creds)
        )
        return self._receive(endpoint.receive_balance_enquiry, message)

    def work(self, exchange_id):
        """Drain what is due, and return the code of this request's answer."""
        while credentials.work_due():
            pass
        return self.code(exchange_id)

    def code(self, exchange_id):
        return CredentialRequest.objects.get(pk=exchange_id).result_code

    def answer(self, exchange_id):
        """Return the answer that reached the switch, as XML."""
        message_id = CredentialRequest.objects.get(pk=exchange_id).message_id
        (root,) = [
            posted.root
            for posted in self.switch.posted
            if posted.root.find("Resp").get("reqMsgId") == message_id
        ]
        return root

    def told_balance(self, exchange_id):
        data = self.answer(exchange_id).find("Payer/Bal/Data")
        return Balance(code="NPCI", ki=data.get("ki"), data=Secret(data.text)).amount()

    def store_debit_block(self, digits, *, amount="149.50"):
        """Do what payments does with a ReqPay(DEBIT): keep the block; return how to ask for it."""
        exchange_id, txn_id = ids.uuid7(), ids.new_upi_id("EXB")
        binding = debit_binding(txn_id, amount=amount)
        pin_blocks.store(exchange_id, [credential(digits, binding)])
        return TryAsk(exchange_id, NUMBER, MOBILE, binding)

    def pin_state(self, account):
        return PinState.objects.get(pk=account.pk)

    def _receive(self, handler, message):
        now = clock.now()
        exchange_id = ids.uuid7()
        with transaction.atomic():
            Exchange.objects.create(
                id=exchange_id,
                direction=Exchange.Direction.IN,
                organisation="NPCI",
                api=message.api,
                type=message.txn.type,
                txn_id=message.txn.id,
                msg_id=message.head.msg_id,
                opened_at=now,
                body_digest=b"body",
                content_digest=b"content",
            )
            handler(
                Received(
                    message=message,
                    exchange_id=exchange_id,
                    organisation="NPCI",
                    received_at=now,
                )
            )
        return exchange_id

    def _head(self):
        return Head(ts=clock.now(), org_id="NPCI", msg_id=ids.new_upi_id("NPC"))

    def _txn(self, kind):
        return Txn(id=ids.new_upi_id("EXB"), ts=clock.now(), type=kind, note="note")

    def _payer(self, number, mobile, **credentials_):
        return Party(
            addr=ADDRESS,
            name="ASHA RAO",
            type="PERSON",
            code="0000",
            device=Device(mobile=mobile),
            ac=AccountAddress(ifsc="EXBK0000001", account_type="SAVINGS", account_number=number),
            **credentials_,
        )


def verify(asks):
    """Take, verify and record as a step of payments does; return the codes in order."""
    claim = ids.uuid7()
    with transaction.atomic():
        tries = pin.take_tries(asks, claim=claim)
    results = pin.verify(tries)
    with transaction.atomic():
        outcomes = {each.exchange_id: each for each in pin.record_verdicts(results, claim=claim)}
    return [
        outcomes[each.exchange_id].code if each.exchange_id in outcomes else each.code or each.state
        for each in tries
    ]


LOCK = dt.timedelta(days=1)
