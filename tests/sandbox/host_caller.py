"""A bank that speaks to the core-banking host with its own hands, and with no code of ours."""

import socket
import ssl
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.cmac import CMAC

TERMINAL = "EXBUPI01"
DEBIT, CREDIT, RETURN = "000000", "210000", "200000"
BALANCE, ENQUIRY = "310000", "380000"
SENT_AT = "1123040000"
ACQUIRER = "900001"
# number: digits of the length before it, and the size of a field without.
PREFIXES = {32: 2, 44: 2, 48: 3, 54: 3, 60: 3, 102: 2, 103: 2}
SIZES = {
    3: 6, 4: 12, 7: 10, 11: 6, 12: 6, 13: 4, 15: 4, 37: 12, 38: 6, 39: 2, 41: 8, 42: 15, 43: 40,
    49: 3, 70: 3, 90: 42,
}  # fmt: skip


class ClosedError(Exception):
    """The host ended the connection."""


def written(mti: str, fields: dict[int, str], *, announced=()) -> bytes:
    """Write a message up to its MAC, whose bit is set; `announced` fields are bits without data."""
    numbers = {*fields, *announced}
    numbers.add(128 if any(number > 64 for number in numbers) else 64)
    bits = sum(1 << (128 - number) for number in numbers)
    bitmap = (bits | 1 << 127).to_bytes(16) if 128 in numbers else bits.to_bytes(16)[:8]
    parts = [
        f"{len(fields[number]):0{PREFIXES[number]}}{fields[number]}"
        if number in PREFIXES
        else fields[number]
        for number in sorted(fields)
    ]
    return mti.encode() + bitmap + "".join(parts).encode()


def read(message: bytes) -> tuple[str, dict[int, str], bytes]:
    """Return a message's MTI, fields and MAC."""
    mti, bitmap, place = message[:4].decode(), message[4:12], 12
    if bitmap[0] & 0x80:
        bitmap, place = message[4:20], 20
    bits = int.from_bytes(bitmap.ljust(16, b"\0"))
    fields, mac = {}, b""
    for number in range(2, 129):
        if not bits >> (128 - number) & 1:
            continue
        if number in {64, 128}:
            mac, place = message[place : place + 8], place + 8
            continue
        size = SIZES.get(number, 0)
        if number in PREFIXES:
            digits = PREFIXES[number]
            size, place = int(message[place : place + digits]), place + digits
        fields[number], place = message[place : place + size].decode(), place + size
    assert place == len(message)
    return mti, fields, mac


class Caller:
    """One connection."""

    def __init__(
        self, port: int, tls: Path, mac_key: bytes, *, certificate="receiver", terminal=TERMINAL
    ) -> None:
        context = ssl.create_default_context(cafile=tls / "ca.pem")
        context.load_cert_chain(tls / f"{certificate}.pem", tls / f"{certificate}.key")
        raw = socket.create_connection(("127.0.0.1", port), timeout=30)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self._socket = context.wrap_socket(raw, server_hostname="localhost")
        except OSError:
            raw.close()
            raise
        self.mac_key = mac_key
        self.terminal = terminal
        self._stan = 0

    def __enter__(self):
        return self

    def __exit__(self, *_error) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def mac(self, signed: bytes) -> bytes:
        code = CMAC(algorithms.AES(self.mac_key))
        code.update(signed)
        return code.finalize()[:8]

    def framed(self, mti: str, fields: dict[int, str], mac: bytes | None = None) -> bytes:
        signed = written(mti, fields)
        message = signed + (self.mac(signed) if mac is None else mac)
        return len(message).to_bytes(2) + message

    def send(self, content: bytes) -> None:
        self._socket.sendall(content)

    def receive_raw(self) -> bytes:
        return self._exactly(int.from_bytes(self._exactly(2)))

    def receive(self) -> tuple[str, dict[int, str]]:
        message = self.receive_raw()
        mti, fields, mac = read(message)
        assert mac == self.mac(message[:-8])
        return mti, fields

    def hears_nothing_before_an_echo(self) -> bool:
        """Say whether the next thing to be heard is the answer to a fresh echo."""
        return self.network("301")[0] == "0810"

    def network(self, code: str) -> tuple[str, dict[int, str]]:
        self.send(self.framed("0800", self.named() | {70: code}))
        return self.receive()

    def sign_on(self) -> None:
        mti, fields = self.network("001")
        assert (mti, fields[39]) == ("0810", "00")

    def named(self) -> dict[int, str]:
        self._stan += 1
        return {7: SENT_AT, 11: f"{self._stan:06}", 41: self.terminal}

    def request(self, processing: str, account: str, paise: int, **changes) -> dict[int, str]:
        """Return a financial request's fields, each with a STAN and an RRN of its own."""
        named = self.named()
        return named | {
            3: processing, 4: f"{paise:012}", 12: "093000", 13: "1123", 32: ACQUIRER,
            37: f"{int(named[11]):012}", 48: "EXB" + "0" * 32, 49: "356",
            103 if processing in {CREDIT, RETURN} else 102: account,
        } | {int(number[2:]): value for number, value in changes.items()}  # fmt: skip

    def ask(self, mti: str, fields: dict[int, str]) -> dict[int, str]:
        """Send a request and return the fields of its answer."""
        self.send(self.framed(mti, fields))
        answer_mti, answered = self.receive()
        assert answer_mti == mti[:2] + "30" if mti.startswith("04") else answer_mti == "0210"
        return answered

    def debit(self, account: str, paise: int, **changes) -> dict[int, str]:
        return self.ask("0200", self.request(DEBIT, account, paise, **changes))

    def reversal(self, original: dict[int, str], **changes) -> dict[int, str]:
        return self.about(original) | {60: "4021"} | changes

    def enquiry(self, original: dict[int, str]) -> dict[int, str]:
        return self.about(original) | {3: ENQUIRY}

    def about(self, original: dict[int, str]) -> dict[int, str]:
        named = "0200" + original[11] + original[7] + original[32].rjust(11, "0") + "0" * 11
        return original | self.named() | {90: named}

    def _exactly(self, size: int) -> bytes:
        received = b""
        while len(received) < size:
            try:
                part = self._socket.recv(size - len(received))
            except (ConnectionError, ssl.SSLError) as error:
                raise ClosedError from error
            if not part:
                raise ClosedError
            received += part
        return received
