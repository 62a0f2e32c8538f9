"""Take the switch's lists into the directory: all of a list at once, or nothing of it."""

import base64
import binascii
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)
from django.conf import settings

from apps.common.clock import IST
from apps.upi.contracts import (
    AccPvd,
    Key,
    RespListAccPvd,
    RespListKeys,
    RespListPsp,
    RespListVae,
    ResponseMessage,
    Vae,
    Version,
)
from apps.upi.contracts import (
    Psp as ListedPsp,
)
from apps.upi.directory_models import AccountProvider, DirectoryList, Psp, VerifiedMerchant
from apps.upi.errors import KeyRefusedError
from apps.upi.models import PeerKey
from apps.upi.services import directory

log = structlog.get_logger(__name__)

Entry = dict[str, Any]
Row = Psp | AccountProvider | VerifiedMerchant
_BATCH_ROWS = 1000
# The switch's own keys by their type; other members' are of no use to us, for only it signs to us.
_PURPOSES = {"SIGN": PeerKey.Purpose.SIGNING, "PKI": PeerKey.Purpose.CREDENTIAL}
_KEY_DAY = "%Y%m%d"


def entries_of(message: ResponseMessage) -> list[Entry]:
    """Return a page of a list as what is kept of it; contact persons are not."""
    if isinstance(message, RespListPsp):
        return [_psp(each) for each in message.psp_list]
    if isinstance(message, RespListAccPvd):
        return [_provider(each) for each in message.acc_pvd_list]
    if isinstance(message, RespListVae):
        return [_merchant(each) for each in message.vae_list]
    assert isinstance(message, RespListKeys), "nothing else lists the directory"
    return [_key(each) for each in message.key_list]


def store(name: DirectoryList, entries: Sequence[Entry], *, at: dt.datetime) -> int:
    """Put a whole list in the place of the old one; return how many rows it has."""
    return _STORES[name](entries, at)


def _psp(listed: ListedPsp) -> Entry:
    return {
        "name": listed.name,
        "handles": list(listed.handles),
        "is_active": listed.active,
        "versions": _versions(listed.version_supported),
        "modified_at": _instant(listed.last_modified_ts),
    }


def _provider(listed: AccPvd) -> Entry:
    return {
        "ifsc": listed.ifsc,
        "iin": listed.iin,
        "name": listed.name,
        "is_active": listed.active,
        "products": [each.strip() for each in (listed.prods or "").split(",") if each.strip()],
        "registration_format": listed.mob_reg_format or "",
        "versions": _versions(listed.version_supported),
        "modified_at": _instant(listed.last_modified_ts),
    }


def _merchant(listed: Vae) -> Entry:
    return {
        "address": listed.addr.lower(),
        "name": listed.name,
        "logo": listed.logo or "",
        "url": listed.url or "",
        "keys": [_key(each) for each in listed.keys],
    }


def _key(listed: Key) -> Entry:
    return {
        "code": listed.code,
        "owner": listed.owner or listed.code,
        "type": listed.type,
        "key_index": listed.ki,
        "value": listed.key_value,
    }


def _versions(listed: Sequence[Version]) -> list[str]:
    return [version.no for version in listed]


def _instant(at: dt.datetime | None) -> str | None:
    return at.isoformat() if at else None


def _replace(
    model: type[Row], key: str, columns: Sequence[str]
) -> Callable[[Sequence[Entry], dt.datetime], int]:
    rows: Any = model.objects

    def work(entries: Sequence[Entry], _: dt.datetime) -> int:
        # Of a key that is listed twice the last entry counts.
        fresh = {entry[key]: model(**entry) for entry in entries}
        rows.bulk_create(
            fresh.values(),
            batch_size=_BATCH_ROWS,
            update_conflicts=True,
            unique_fields=[key],
            update_fields=columns,
        )
        rows.exclude(**{f"{key}__in": list(fresh)}).delete()
        return len(fresh)

    return work


def _store_keys(entries: Sequence[Entry], at: dt.datetime) -> int:
    """
    Enter the switch's new keys.

    The message is signed by a key of the switch that is valid now: that is what vouches for the
    new one. A key counts from the day that its index names, not before now; the old one counts
    until its own end, or until it is revoked, whatever the list says.
    """
    taken = 0
    for entry in entries:
        purpose = _PURPOSES.get(entry["type"])
        if entry["owner"] != settings.UPI_SWITCH_ORG_ID or purpose is None:
            continue
        try:
            begins_at = max(at, _first_instant(entry["key_index"]))
            directory.register_key(
                settings.UPI_SWITCH_ORG_ID, purpose, _pem(entry["value"]), valid_from_at=begins_at
            )
        except KeyRefusedError as error:
            log.warning("listed_key_refused", key_index=entry["key_index"], reason=error.detail)
            continue
        taken += 1
    return taken


def _first_instant(key_index: str) -> dt.datetime:
    try:
        return dt.datetime.strptime(key_index, _KEY_DAY).replace(tzinfo=IST)
    except ValueError as error:
        raise KeyRefusedError("the key's index is not a day") from error


def _pem(value: str) -> bytes:
    try:
        der = base64.b64decode("".join(value.split()), validate=True)
        key = load_der_public_key(der)
    except (binascii.Error, ValueError) as error:
        raise KeyRefusedError("the key is not a DER key in base64") from error
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


_STORES: Mapping[DirectoryList, Callable[[Sequence[Entry], dt.datetime], int]] = {
    DirectoryList.PSPS: _replace(Psp, "name", ["handles", "is_active", "versions", "modified_at"]),
    DirectoryList.PROVIDERS: _replace(
        AccountProvider,
        "ifsc",
        [
            "iin",
            "name",
            "is_active",
            "products",
            "registration_format",
            "versions",
            "modified_at",
        ],
    ),
    DirectoryList.MERCHANTS: _replace(VerifiedMerchant, "address", ["name", "logo", "url", "keys"]),
    DirectoryList.KEYS: _store_keys,
}
