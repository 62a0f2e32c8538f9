"""The tables of directory and account messages: lists, keys, links (upi-protocol 2.4)."""

from apps.upi.codec import kinds
from apps.upi.codec.kinds import one_of, printable, text
from apps.upi.codec.parties import MERCHANT
from apps.upi.codec.parts import RESULT
from apps.upi.codec.shapes import OTHER, Attribute, Flat, Many, One, Shape, Wrapped
from apps.upi.contracts import (
    AccPvd,
    AllowedCredential,
    Key,
    Link,
    ListedAccount,
    ManageVaeResp,
    Psp,
    ReqMsg,
    Vae,
    VaeRef,
    ValAddResp,
    Version,
)

_WORD = text("[A-Za-z0-9]{1,20}")
_WEB_ADDRESS = text(r"(?=.{1,255}\Z)https?://[!-~]+")
_URL_OR_EMPTY = text(r"(?:https?://[!-~]{1,240})?")

# Nobody may look people up by Aadhaar here, nor is such a number ever read or kept.
LINK = Shape(
    Link,
    (
        Attribute("type", "type", one_of("MOBILE"), "Y02", is_required=True),
        Attribute("value", "value", kinds.MOBILE, "Y03", is_required=True),
    ),
)

_ALLOWED = Shape(
    AllowedCredential,
    (
        Attribute("type", "type", _WORD, OTHER, is_required=True),
        Attribute("subType", "sub_type", text("[A-Za-z0-9-]{1,20}"), OTHER, is_required=True),
        Attribute("dType", "d_type", one_of("Numeric", "Alphanumeric"), OTHER, is_required=True),
        Attribute("dLength", "d_length", kinds.NUMBER, OTHER, is_required=True),
    ),
)

_ACCOUNT = Shape(
    ListedAccount,
    (
        Attribute("accType", "acc_type", kinds.ACCOUNT_TYPE, OTHER, is_required=True),
        Attribute("accRefNumber", "acc_ref_number", printable(1, 50), OTHER, is_required=True),
        Attribute("maskedAccnumber", "masked_accnumber", printable(1, 30), OTHER, is_required=True),
        Attribute("ifsc", "ifsc", kinds.IFSC, OTHER, is_required=True),
        Attribute("mmid", "mmid", text("[0-9]{7}"), OTHER),
        Attribute("name", "name", kinds.NAME, OTHER, is_required=True),
        Attribute("aeba", "aeba", kinds.FLAG, OTHER, is_required=True),
        Attribute("mbeba", "mbeba", kinds.FLAG, OTHER, is_required=True),
        Attribute("aadhaarNo", "aadhaar_no", kinds.SECRET, OTHER),
    ),
    (Many("CredsAllowed", "creds_allowed", _ALLOWED),),
)
ACCOUNT_LIST = Wrapped("AccountList", Many("Account", "account_list", _ACCOUNT), empty_code=OTHER)

_KEY = Shape(
    Key,
    (
        Attribute("code", "code", _WORD, OTHER, is_required=True),
        Attribute("owner", "owner", printable(1, 99), OTHER),
        Attribute("type", "type", _WORD, OTHER, is_required=True),
        Attribute("ki", "ki", _WORD, OTHER, is_required=True),
    ),
    (
        Flat(
            "keyValue",
            (),
            text=Attribute("keyValue", "key_value", text(r"[\t\n\r -~]{1,8192}"), OTHER),
            missing_code=OTHER,
        ),
    ),
)
KEY_LIST = Wrapped("keyList", Many("key", "key_list", _KEY), empty_code=OTHER)

_VERSION = Shape(
    Version,
    (
        Attribute("no", "no", text(r"[0-9]{1,3}(\.[0-9]{1,3})?"), OTHER, is_required=True),
        Attribute("description", "description", printable(0, 255), OTHER),
        Attribute("mandatory", "mandatory", kinds.TRUTH, OTHER),
    ),
)
_VERSIONS = Wrapped(
    "VersionSupported", Many("Version", "version_supported", _VERSION), empty_code=OTHER
)
_CONTACT = (
    Attribute("url", "url", _WEB_ADDRESS, OTHER),
    Attribute("spocName", "spoc_name", printable(0, 99), OTHER),
    Attribute("spocEmail", "spoc_email", printable(0, 255), OTHER),
    Attribute("spocPhone", "spoc_phone", printable(0, 20), OTHER),
    # The wire really spells it so.
    Attribute("lastModifedTs", "last_modified_ts", kinds.INSTANT, OTHER),
)
_PSP = Shape(
    Psp,
    (
        Attribute("name", "name", kinds.NAME, OTHER, is_required=True),
        Attribute("codes", "codes", text("[A-Za-z0-9., ]{1,999}"), OTHER, is_required=True),
        Attribute("active", "active", kinds.FLAG, OTHER, is_required=True),
        *_CONTACT,
    ),
    (_VERSIONS,),
)
PSP_LIST = Wrapped("PspList", Many("Psp", "psp_list", _PSP), empty_code=OTHER)

_ACC_PVD = Shape(
    AccPvd,
    (
        Attribute("name", "name", kinds.NAME, OTHER, is_required=True),
        Attribute("iin", "iin", text("[0-9]{1,11}"), OTHER, is_required=True),
        Attribute("ifsc", "ifsc", text("[A-Z]{4}(0[A-Z0-9]{6})?"), OTHER, is_required=True),
        Attribute("active", "active", kinds.FLAG, OTHER, is_required=True),
        *_CONTACT,
        Attribute("prods", "prods", text("[A-Za-z0-9,]{0,99}"), OTHER),
        Attribute("mobRegFormat", "mob_reg_format", text("[A-Z0-9,]{1,50}"), OTHER),
    ),
    (_VERSIONS,),
)
ACC_PVD_LIST = Wrapped("AccPvdList", Many("AccPvd", "acc_pvd_list", _ACC_PVD), empty_code=OTHER)

_OPERATION = one_of("ADD", "UPDATE", "REMOVE")
_VAE = Shape(
    Vae,
    (
        Attribute("op", "op", _OPERATION, OTHER),
        Attribute("seqNum", "seq_num", kinds.SEQUENCE, OTHER),
        Attribute("name", "name", kinds.NAME, OTHER, is_required=True),
        Attribute("addr", "addr", kinds.ADDRESS, OTHER, is_required=True),
        Attribute("logo", "logo", printable(0, 255), OTHER),
        Attribute("url", "url", _URL_OR_EMPTY, OTHER),
    ),
    (Many("key", "keys", _KEY),),
)
# The switch may know no verified merchant at all.
VAE_LIST = Wrapped("VaeList", Many("Vae", "vae_list", _VAE), empty_code="")
MANAGED_VAE_LIST = Wrapped(
    "VaeList", Many("Vae", "vae_list", _VAE), empty_code=OTHER, missing_code=OTHER
)

REQ_MSG = Shape(
    ReqMsg,
    (
        Attribute("type", "type", one_of("MOBILE"), OTHER, is_required=True),
        Attribute("value", "value", kinds.MOBILE, OTHER, is_required=True),
        Attribute("addr", "addr", kinds.ADDRESS, OTHER),
    ),
)

VAL_ADD_RESP = Shape(
    ValAddResp,
    (
        *RESULT,
        Attribute("maskName", "mask_name", kinds.NAME, OTHER),
        Attribute("code", "code", kinds.CODE_4, OTHER),
        Attribute("type", "type", one_of("PERSON", "ENTITY"), OTHER),
        Attribute("IFSC", "ifsc", text("(?:[A-Z]{4}0[A-Z0-9]{6})?"), OTHER),
        Attribute("IIN", "iin", text("[0-9]{0,11}"), OTHER),
        Attribute("pType", "p_type", text("[A-Z]{0,20}"), OTHER),
        Attribute("accType", "acc_type", kinds.ACCOUNT_TYPE, OTHER),
    ),
    (
        One("Merchant", "merchant", MERCHANT),
        Flat(
            "FeatureSupported",
            (Attribute("value", "feature_supported", text("[0-9,]{1,50}"), OTHER),),
        ),
    ),
)

_VAE_REF = Shape(
    VaeRef,
    (
        Attribute("op", "op", _OPERATION, OTHER, is_required=True),
        Attribute("seqNum", "seq_num", kinds.SEQUENCE, "E08", is_required=True),
        Attribute("addr", "addr", kinds.ADDRESS, "E09", is_required=True),
        Attribute("respCode", "resp_code", kinds.RESULT_CODE, "E13", is_required=True),
        Attribute("result", "result", one_of("SUCCESS", "FAILURE"), "E03", is_required=True),
    ),
)
MANAGE_VAE_RESP = Shape(ManageVaeResp, RESULT, (Many("Ref", "vae_refs", _VAE_REF),))
