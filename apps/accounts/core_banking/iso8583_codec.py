"""ISO 8583 messages and frames as bytes: written by the profile, and read strictly."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import iso8583

from apps.accounts.core_banking.iso8583_profile import Profile

LENGTH_BYTES = 2
MESSAGE_BYTES_MAX = 2048
MAC_BYTES = 8
FIRST_BITMAP_BITS = 64
_BITMAP_DIGITS = 16
# MTI and the first bitmap: shorter is no message.
_MESSAGE_BYTES_MIN = 12
_ESCAPED = str.maketrans({code: f"\\x{code:02x}" for code in [*range(32), 127]} | {92: r"\\"})


class FrameError(Exception):
    """The stream is not one of frames: nobody can say where the next message begins."""


class MessageError(Exception):
    """A message is not well formed. It names a field at most, never a value."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A message as it came: its fields, the bytes that its MAC vouches for, and the MAC."""

    fields: Mapping[str, str] = field(repr=False)
    signed: bytes = field(repr=False)
    mac: bytes | None = field(repr=False)

    @property
    def mti(self) -> str:
        """The message type."""
        return self.fields["t"]

    def get(self, number: int) -> str:
        """Return a field, "" when the message has none."""
        return self.fields.get(str(number), "")


class Frames:
    """Cuts a stream of bytes into messages, however the network cut it before."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, received: bytes) -> list[bytes]:
        """Return the messages that are whole now. Raises FrameError."""
        self._rest += received
        messages: list[bytes] = []
        place = 0
        while len(self._rest) - place >= LENGTH_BYTES:
            start = place + LENGTH_BYTES
            length = int.from_bytes(self._rest[place:start])
            if not _MESSAGE_BYTES_MIN <= length <= MESSAGE_BYTES_MAX:
                raise FrameError(f"a frame of {length} bytes")
            if len(self._rest) < start + length:
                break
            place = start + length
            messages.append(bytes(self._rest[start:place]))
        del self._rest[:place]
        return messages


def frame(message: bytes) -> bytes:
    """Return a message with its length before it."""
    assert _MESSAGE_BYTES_MIN <= len(message) <= MESSAGE_BYTES_MAX
    return len(message).to_bytes(LENGTH_BYTES) + message


def escape(text: str) -> str:
    """Write what a host sent so that a log or a page stays on its line."""
    return text.translate(_ESCAPED)


class Codec:
    """Writes and reads messages by a profile."""

    def __init__(self, profile: Profile) -> None:
        self._fields = profile.fields
        self._contents = profile.contents()

    def encode(self, fields: Mapping[str, str]) -> bytes:
        """
        Return a message up to its MAC, whose bit is set: append the first eight bytes of the code.

        Raises ValueError when a value does not fit its field.
        """
        document = dict(fields)
        has_second_bitmap = any(key.isdigit() and int(key) > FIRST_BITMAP_BITS for key in document)
        document["128" if has_second_bitmap else "64"] = "00" * MAC_BYTES
        raw, _ = iso8583.encode(document, self._fields)
        return bytes(raw[:-MAC_BYTES])

    def decode(self, message: bytes) -> Parsed:
        """Return a message's fields. Raises MessageError."""
        try:
            fields, parts = iso8583.decode(message, self._fields)
        except iso8583.DecodeError as error:
            # The library's own words may hold a value; what it stumbled over is enough.
            raise MessageError(f"field {error.field} cannot be read") from None
        except KeyError as error:
            raise MessageError(f"field {error} is not in the profile") from None
        self._check(fields, parts)
        last = "128" if "1" in fields else "64"
        if last == "128" and "64" in fields:
            raise MessageError("field 64 is not the last")
        if last not in fields:
            return Parsed(fields, message, None)
        return Parsed(fields, message[:-MAC_BYTES], message[-MAC_BYTES:])

    def _check(self, fields: Mapping[str, str], parts: Mapping[str, Mapping[str, bytes]]) -> None:
        """Refuse what the library lets pass. Raises MessageError."""
        for key, value in fields.items():
            if not self._contents[key].fullmatch(value):
                raise MessageError(f"field {key} has other characters than it may")
            length = parts[key]["len"]
            if length and not length.isdigit():
                raise MessageError(f"field {key} has a length that is no number")
        if len(fields.get("1", "")) > _BITMAP_DIGITS:
            raise MessageError("a third bitmap is not in the profile")
