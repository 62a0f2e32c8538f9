"""A small bank for these tests: a real server with its own signer, codec and book of legs."""

import asyncio
import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp
import httpx
from aiohttp import web
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree

UPI = "http://npci.org/upi/schema/"
DS = "http://www.w3.org/2000/09/xmldsig#"


@dataclass
class Message:
    """A message as the test sees it."""

    root: etree._Element

    @property
    def api(self) -> str:
        return etree.QName(self.root).localname

    def get(self, path: str, name: str) -> str:
        return self.root.find(path).get(name, "")

    @property
    def type(self) -> str:
        return self.get("Txn", "type")

    @property
    def txn_id(self) -> str:
        return self.get("Txn", "id")

    @property
    def about(self) -> str:
        return self.get("Txn", "orgTxnId") or self.txn_id

    @property
    def message_id(self) -> str:
        return self.get("Head", "msgId")


class Signer:
    """Signs by lxml and cryptography alone, so that two implementations must agree."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(65537, 2048)

    def pem(self) -> bytes:
        return self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def sign(self, root: etree._Element) -> bytes:
        unsigned = etree.tostring(root)
        digest = base64.b64encode(hashlib.sha256(_c14n(unsigned)).digest()).decode()
        info = (
            "<SignedInfo>"
            '<CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"/>'
            '<SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>'
            '<Reference URI=""><Transforms><Transform Algorithm="http://www.w3.org/2000/09/xmldsig'
            '#enveloped-signature"/></Transforms><DigestMethod Algorithm="http://www.w3.org/2001/04'
            f'/xmlenc#sha256"/><DigestValue>{digest}</DigestValue></Reference></SignedInfo>'
        )
        scope = f'<SignedInfo xmlns="{DS}" xmlns:upi="{UPI}">'
        signature = self.key.sign(
            _c14n(info.replace("<SignedInfo>", scope, 1).encode()),
            padding.PKCS1v15(),
            hashes.SHA256(),
        )
        numbers = self.key.public_key().public_numbers()
        modulus = base64.b64encode(numbers.n.to_bytes(256)).decode()
        root.append(
            etree.fromstring(
                f'<Signature xmlns="{DS}">{info}'
                f"<SignatureValue>{base64.b64encode(signature).decode()}</SignatureValue>"
                f"<KeyInfo><KeyValue><RSAKeyValue><Modulus>{modulus}</Modulus>"
                "<Exponent>AQAB</Exponent></RSAKeyValue></KeyValue></KeyInfo></Signature>"
            )
        )
        return etree.tostring(root)


def _c14n(document: bytes) -> bytes:
    return etree.tostring(etree.fromstring(document), method="c14n")


def new_id() -> str:
    return f"EXB{secrets.token_hex(16)}"


Answer = Callable[["Bank", Message], "etree._Element | None"]


@dataclass
class Bank:
    """Answers as a good bank does; a test replaces single answers by its own."""

    switch_url: str
    natural: Answer
    issuer: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    signer: Signer = field(default_factory=Signer)
    heard: list[Message] = field(default_factory=list)
    acks: dict[str, str] = field(default_factory=dict)
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)
    nacks: dict[tuple[str, str], str] = field(default_factory=dict)
    posted: dict[tuple[str, str], int] = field(default_factory=dict)
    reversed: set[str] = field(default_factory=set)
    buried: set[tuple[str, str]] = field(default_factory=set)
    verify: Callable[[bytes], None] = lambda _body: None
    problems: list[Exception] = field(default_factory=list)
    port: int = 0

    def start(self) -> None:
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(10)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(10)

    def reset(self) -> None:
        for table in (self.heard, self.acks, self.answers, self.nacks, self.problems):
            table.clear()

    def _run(self, ready: threading.Event) -> None:
        asyncio.run(self._serve(ready))

    async def _serve(self, ready: threading.Event) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        self._tasks: set[asyncio.Task] = set()
        async with aiohttp.ClientSession() as self._session:
            runner = web.ServerRunner(web.Server(self._take, access_log=None))
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.port = runner.addresses[0][1]
            ready.set()
            await self._stopped.wait()
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=5)
            await runner.cleanup()

    async def _take(self, request: web.BaseRequest) -> web.Response:
        body = await request.read()
        try:
            self.verify(body)
        except Exception as problem:  # noqa: BLE001 - told to the test that waits
            self.problems.append(problem)
        message = Message(etree.fromstring(body))
        self.heard.append(message)
        code = self.nacks.get((message.api, message.type), "")
        if not code and message.api.startswith("Req"):
            task = self._loop.create_task(self._answer(message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        ack = etree.Element(f"{{{UPI}}}Ack", nsmap={"upi": UPI})
        for name, value in (("api", message.api), ("reqMsgId", message.message_id), ("err", code)):
            ack.set(name, value)
        return web.Response(body=etree.tostring(ack), content_type="application/xml")

    async def _answer(self, message: Message) -> None:
        answer = self.answers.get((message.api, message.type), self.natural)(self, message)
        if answer is not None:
            await self.apost(answer)

    async def apost(self, root: etree._Element) -> str:
        body, url = self._wrapped(root)
        async with self._session.post(url, data=body) as response:
            return self._acked(root, await response.read())

    def post(self, root: etree._Element) -> str:
        """Sign and send a message; return the Ack's code."""
        body, url = self._wrapped(root)
        return self._acked(root, httpx.post(url, content=body, timeout=20).content)

    def post_bytes(self, body: bytes, *, api: str, txn_id: str) -> str:
        url = f"{self.switch_url}/upi/{api}/2.0/urn:txnid:{txn_id}"
        return etree.fromstring(httpx.post(url, content=body, timeout=20).content).get("err")

    def _wrapped(self, root: etree._Element) -> tuple[bytes, str]:
        message = Message(root)
        url = f"{self.switch_url}/upi/{message.api}/2.0/urn:txnid:{message.txn_id}"
        return self.signer.sign(root), url

    def _acked(self, root: etree._Element, body: bytes) -> str:
        code = etree.fromstring(body).get("err")
        self.acks[Message(root).message_id] = code
        return code

    def wait_for(self, api: str, about: str, kind: str = "", *, seconds: float = 60) -> Message:
        """Return the latest message of this kind about a transaction, waiting for it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for message in reversed(self.heard):
                fits = message.api == api and message.about == about
                if fits and kind in {"", message.type}:
                    return message
            time.sleep(0.005)
        raise AssertionError(f"{api} {kind} never came")

    def kinds(self, about: str) -> list[str]:
        """Return the requests heard about a transaction, in order."""
        names = []
        for message in self.heard:
            if message.about == about and message.api.startswith("Req"):
                kind = message.type
                if kind == "REVERSAL":
                    kind = f"REVERSAL({message.get('Txn', 'subType')})"
                names.append(f"{message.api}:{kind}")
        return names
