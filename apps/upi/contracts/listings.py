"""The parts of directory and account messages: lists, keys, links, and their answers."""

import datetime as dt
from dataclasses import dataclass, field

from apps.common.secret import Secret
from apps.upi.contracts.parts import MerchantBlock, Resp


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What accounts are looked up by: a mobile number with its country code."""

    type: str = "MOBILE"
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedCredential:
    """A credential that an account takes, and how long it is."""

    type: str
    sub_type: str
    d_type: str
    d_length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedAccount:
    """
    An account that an issuer found for a mobile number.

    `mbeba` says that its UPI PIN is set, `aeba` that it is open to Aadhaar.
    """

    acc_type: str
    acc_ref_number: str
    masked_accnumber: str
    ifsc: str
    mmid: str | None = None
    name: str
    aeba: bool
    mbeba: bool
    aadhaar_no: Secret[str] | None = None
    creds_allowed: tuple[AllowedCredential, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key of the switch's directory, or a common-library token (type TOKEN, never logged)."""

    code: str
    owner: str | None = None
    type: str
    ki: str
    key_value: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version of the protocol that a member speaks."""

    no: str
    description: str | None = None
    mandatory: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Psp:
    """A PSP of the directory; `codes` are its handles, parted by commas."""

    name: str
    codes: str
    active: bool
    url: str | None = None
    spoc_name: str | None = None
    spoc_email: str | None = None
    spoc_phone: str | None = None
    last_modified_ts: dt.datetime | None = None
    version_supported: tuple[Version, ...] = ()

    @property
    def handles(self) -> tuple[str, ...]:
        """Return the handles, in lower case."""
        return tuple(code.strip().lower() for code in self.codes.split(",") if code.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class AccPvd:
    """An account provider, which is a bank whose accounts can be linked."""

    name: str
    iin: str
    ifsc: str
    active: bool
    url: str | None = None
    spoc_name: str | None = None
    spoc_email: str | None = None
    spoc_phone: str | None = None
    prods: str | None = None
    last_modified_ts: dt.datetime | None = None
    mob_reg_format: str | None = None
    version_supported: tuple[Version, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Vae:
    """A verified merchant and its keys; `op` and `seq_num` say what ManageVae does with it."""

    op: str | None = None
    seq_num: str | None = None
    name: str
    addr: str
    logo: str | None = None
    url: str | None = None
    keys: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VaeRef:
    """What became of one verified merchant of a ManageVae."""

    op: str
    seq_num: str
    addr: str
    resp_code: str
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqMsg:
    """Whose pending collects are asked for."""

    type: str = "MOBILE"
    value: str
    addr: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ValAddResp(Resp):
    """What the PSP of an address tells about it."""

    mask_name: str | None = None
    code: str | None = None
    type: str | None = None
    ifsc: str | None = None
    iin: str | None = None
    p_type: str | None = None
    acc_type: str | None = None
    merchant: MerchantBlock | None = None
    feature_supported: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ManageVaeResp(Resp):
    """What became of the verified merchants of a ManageVae, one by one."""

    vae_refs: tuple[VaeRef, ...] = ()
