"""Take the switch's lists into the directory: all of a list at once, or nothing of it."""

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
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
from apps.upi.directory_models import (
    AccountProvider,
    DirectoryList,
    Psp,
    PspKey,
    VerifiedMerchant,
)
from apps.upi.errors import KeyRefusedError
from apps.upi.links.signature import PublicKey, read_key
from apps.upi.models import PeerKey
from apps.upi.services import directory

log = structlog.get_logger(__name__)

Entry = dict[str, Any]
Row = Psp | AccountProvider | VerifiedMerchant
_BATCH_ROWS = 1000
# The switch's own keys by their type; of other members' only those that sign links are of use.
_PURPOSES = {"SIGN": PeerKey.Purpose.SIGNING, "PKI": PeerKey.Purpose.CREDENTIAL}
_LINK_KEY = "SIGN"
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


def _store_psp_keys(entries: Sequence[Entry], at: dt.datetime) -> int:
    """
    Take the keys with which PSPs sign links.

    A key counts from the day of its index. One that is listed no more ends now; it may come back,
    for the list is what vouches.
    """
    fresh: dict[tuple[str, str], PspKey] = {}
    for entry in entries:
        if entry["type"] != _LINK_KEY:
            continue
        try:
            row = _psp_key(entry)
        except KeyRefusedError as error:
            log.warning("listed_key_refused", key_index=entry["key_index"], reason=error.detail)
            continue
        fresh[row.org_id, row.fingerprint] = row
    PspKey.objects.bulk_create(
        fresh.values(),
        batch_size=_BATCH_ROWS,
        update_conflicts=True,
        unique_fields=["org_id", "fingerprint"],
        update_fields=["owner", "key_index", "valid_from_at", "valid_until_at"],
    )
    running = PspKey.objects.filter(valid_until_at=None).values_list("pk", "org_id", "fingerprint")
    gone = [key for key, *name in running if tuple(name) not in fresh]
    PspKey.objects.filter(pk__in=gone).update(valid_until_at=at)
    return len(fresh)


def _psp_key(entry: Entry) -> PspKey:
    der = _read(entry["value"]).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return PspKey(
        org_id=entry["code"],
        owner=entry["owner"],
        key_index=entry["key_index"],
        fingerprint=hashlib.sha256(der).hexdigest(),
        value="".join(entry["value"].split()),
        valid_from_at=_first_instant(entry["key_index"]),
    )


def _pem(value: str) -> bytes:
    return _read(value).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _read(value: str) -> PublicKey:
    try:
        return read_key(value)
    except ValueError as error:
        raise KeyRefusedError("the key is not a DER key in base64") from error


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
    DirectoryList.PSP_KEYS: _store_psp_keys,
}
