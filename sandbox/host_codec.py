"""The core-banking host's messages and frames: ISO 8583:1987, read strictly and written."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import iso8583

LENGTH_BYTES = 2
MESSAGE_BYTES_MAX = 2048
# MTI and one bitmap: nothing shorter is a message.
MESSAGE_BYTES_MIN = 12
MAC_BYTES = 8

_MAC_FIELDS = ("64", "128")
# number: content, digits of the length before it (0: fixed), most characters.
_FIELDS: Mapping[str, tuple[str, int, int]] = {
    "3": ("n", 0, 6), "4": ("n", 0, 12), "7": ("n", 0, 10), "11": ("n", 0, 6),
    "12": ("n", 0, 6), "13": ("n", 0, 4), "15": ("n", 0, 4), "32": ("n", 2, 11),
    "37": ("an", 0, 12), "38": ("an", 0, 6), "39": ("an", 0, 2), "41": ("ans", 0, 8),
    "42": ("ans", 0, 15), "43": ("ans", 0, 40), "44": ("ans", 2, 25), "48": ("ans", 3, 999),
    "49": ("n", 0, 3), "54": ("ans", 3, 120), "60": ("ans", 3, 999), "70": ("n", 0, 3),
    "90": ("n", 0, 42), "102": ("ans", 2, 28), "103": ("ans", 2, 28),
}  # fmt: skip
_CONTENTS = {
    "n": re.compile(r"[0-9]*"),
    "an": re.compile(r"[A-Za-z0-9 ]*"),
    "ans": re.compile(r"[\x00-\x7f]*"),
}
_LENGTH = re.compile(rb"[0-9]*")
_SECOND_BITMAP = re.compile(r"6[5-9]|[7-9]\d|1\d\d", re.ASCII)


def _library_spec() -> dict[str, dict[str, object]]:
    """Return the fields in the form that the library takes."""

    def entry(kind: str, size: int, *, name: str, prefix: int = 0) -> dict[str, object]:
        return {
            "data_enc": kind, "len_enc": "ascii", "len_type": prefix, "max_len": size, "desc": name
        }  # fmt: skip

    spec = {
        "h": entry("b", 0, name="no header"),
        "t": entry("ascii", 4, name="message type"),
        "p": entry("b", 8, name="bitmap"),
        "1": entry("b", 8, name="second bitmap"),
    }
    for number, (_, prefix, size) in _FIELDS.items():
        spec[number] = entry("ascii", size, name=f"field {number}", prefix=prefix)
    for number in _MAC_FIELDS:
        spec[number] = entry("b", MAC_BYTES, name="message authentication code")
    return spec


PIN_BLOCK = "52"
_SPEC = _library_spec()
# Nobody reads a PIN block; a faulty host writes one.
_FAULTY_SPEC = _SPEC | {
    PIN_BLOCK: {
        "data_enc": "b", "len_enc": "ascii", "len_type": 0, "max_len": 8, "desc": "field 52"
    }
}  # fmt: skip


class FrameError(Exception):
    """A length that no message has: where the next one begins is lost."""


class MalformedError(Exception):
    """These bytes are no message of this host. The text names a field and never its value."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it came: its fields, the bytes under its MAC, and the MAC itself."""

    mti: str
    fields: Mapping[str, str] = field(repr=False)
    signed: bytes = field(repr=False)
    mac: bytes | None = field(repr=False)

    def get(self, number: int) -> str:
        """Return a field's value; empty if the message does not have it."""
        return self.fields.get(str(number), "")


class Frames:
    """Cuts a stream into messages, wherever the network cut it before."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, received: bytes) -> list[bytes]:
        """Take what came and return the messages that are whole. Raises FrameError."""
        self._buffer += received
        found = []
        while len(self._buffer) >= LENGTH_BYTES:
            length = int.from_bytes(self._buffer[:LENGTH_BYTES])
            if not MESSAGE_BYTES_MIN <= length <= MESSAGE_BYTES_MAX:
                raise FrameError(str(length))
            end = LENGTH_BYTES + length
            if len(self._buffer) < end:
                break
            found.append(bytes(self._buffer[LENGTH_BYTES:end]))
            del self._buffer[:end]
        return found


def frame(message: bytes) -> bytes:
    """Put its length before a message."""
    return len(message).to_bytes(LENGTH_BYTES) + message


def decode(message: bytes) -> Message:
    """Read a message. Raises MalformedError."""
    try:
        found, encoded = iso8583.decode(message, _SPEC)
    except iso8583.DecodeError as error:
        raise MalformedError(f"field {error.field}") from None
    except KeyError as error:
        raise MalformedError(f"field {error.args[0]}") from None
    fields = {number: value for number, value in found.items() if number in _FIELDS}
    for number, value in fields.items():
        content, _, _ = _FIELDS[number]
        if not _CONTENTS[content].fullmatch(value) or not _LENGTH.fullmatch(encoded[number]["len"]):
            raise MalformedError(f"field {number}")
    if not (found["t"].isascii() and found["t"].isdigit()):
        raise MalformedError("field t")
    last = "128" if "1" in found else "64"
    if last == "128" and "64" in found:
        raise MalformedError("field 64")
    mac = bytes.fromhex(found[last]) if last in found else None
    signed = message if mac is None else message[:-MAC_BYTES]
    return Message(found["t"], fields, signed, mac)


def encode(mti: str, fields: Mapping[str, str], *, with_mac: bool = True) -> bytes:
    """
    Write a message up to its MAC, whose bit is set; without a MAC, write it whole.

    The caller appends the MAC: it is made over what this returns.
    """
    content = {"t": mti, **fields}
    if with_mac:
        is_long = any(_SECOND_BITMAP.fullmatch(number) for number in fields)
        content["128" if is_long else "64"] = "00" * MAC_BYTES
    written, _ = iso8583.encode(content, _FAULTY_SPEC)
    return bytes(written[:-MAC_BYTES] if with_mac else written)
