"""Messages with their MAC, made in the token: what it does not vouch for never came."""

import hmac
from collections import Counter
from collections.abc import Mapping, Sequence

import structlog
from django.conf import settings

from apps.accounts.core_banking.iso8583_codec import (
    MAC_BYTES,
    Codec,
    MessageError,
    Parsed,
    frame,
)
from hsm.mac import cmacs

log = structlog.get_logger(__name__)


class Sealer:
    """Seals what goes out and opens what came in; `counts` says how often something was dropped."""

    def __init__(self, codec: Codec, counts: "Counter[str]") -> None:
        self._codec = codec
        self._counts = counts

    def seal(self, messages: Sequence[Mapping[str, str]]) -> list[bytes]:
        """Return the frames of messages, by one use of the token. Raises HsmError."""
        parts = [self._codec.encode(fields) for fields in messages]
        codes = cmacs(settings.HSM_HOST_MAC_KEY, parts)
        return [frame(part + code[:MAC_BYTES]) for part, code in zip(parts, codes, strict=True)]

    def open(self, messages: Sequence[bytes]) -> list[Parsed]:
        """Return those messages that are well formed and whose MAC is right. Raises HsmError."""
        coded = [
            (parsed, parsed.mac)
            for parsed in map(self._parsed, messages)
            if parsed is not None and parsed.mac is not None
        ]
        if not coded:
            return []
        codes = cmacs(settings.HSM_HOST_MAC_KEY, [parsed.signed for parsed, _ in coded])
        genuine = []
        for (parsed, mac), code in zip(coded, codes, strict=True):
            if hmac.compare_digest(mac, code[:MAC_BYTES]):
                genuine.append(parsed)
            else:
                self._counts["bad_mac"] += 1
                log.warning("host_mac_wrong", mti=parsed.mti)
        return genuine

    def _parsed(self, message: bytes) -> Parsed | None:
        try:
            parsed = self._codec.decode(message)
        except MessageError as error:
            self._counts["malformed"] += 1
            log.warning("host_message_malformed", reason=str(error))
            return None
        if parsed.mac is None:
            self._counts["no_mac"] += 1
            log.warning("host_mac_missing", mti=parsed.mti)
        return parsed
