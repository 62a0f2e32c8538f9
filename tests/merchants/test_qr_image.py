"""Our QR codes as pictures: a reader that is not ours reads exactly what was written."""

import base64
import re
from xml.etree import ElementTree as ET

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.common.addresses import VpaAddress
from apps.merchants import qr_image
from apps.upi.links import emv, uri
from apps.upi.links.emv import EmvCode
from apps.upi.links.intent import Action, Intent
from tests.api.links import STATIC, make_code
from tests.api.people import open_shop

SCALE = 4
_SQUARE = re.compile(r"M(\d+),(\d+)H(\d+)V(\d+)H\d+z")
PAYEE = VpaAddress("store1", "exbank")


def pixels(document):
    """Draw an SVG document of squares, four pixels a module: its ground as it says, then black."""
    root = ET.fromstring(document)
    ground, path = root
    side = int(root.get("viewBox").split()[2])
    assert (ground.get("width"), ground.get("fill")) == ("100%", "#ffffff")
    assert path.get("fill", "#000000") in {"#000", "#000000"}
    rows = [bytearray(b"\xff" * side * SCALE) for _ in range(side * SCALE)]
    drawn = path.get("d")
    assert _SQUARE.sub("", drawn) == ""
    for left, top, right, bottom in (map(int, found) for found in _SQUARE.findall(drawn)):
        black = b"\x00" * ((right - left) * SCALE)
        for row in rows[top * SCALE : bottom * SCALE]:
            row[left * SCALE : right * SCALE] = black
    return memoryview(b"".join(rows)).cast("B", (side * SCALE, side * SCALE))


def scanned(document):
    [found] = zxingcpp.read_barcodes(pixels(document), text_mode=zxingcpp.TextMode.Plain)
    assert found.format == zxingcpp.BarcodeFormat.QRCode
    return found.text


@pytest.mark.parametrize(
    "text",
    [
        uri.write(Intent(action=Action.PAY, payee=PAYEE, payee_name="Example Store")),
        uri.write(Intent(action=Action.PAY, payee=PAYEE, payee_name="नीला बुक्स & Sons")),
        emv.write(EmvCode(payee=PAYEE, payee_name="EXAMPLE STORE", city="MUMBAI", mcc="5411")),
        "upi://pay?pa=a@exbank&pn=" + "x" * 900,
    ],
    ids=["link", "Devanagari", "EMV", "large"],
)
def test_a_picture_says_the_text_sign_for_sign(text):
    assert scanned(qr_image.svg(text)) == text
    image = base64.b64decode(qr_image.data_uri(text).partition(",")[2]).decode()
    assert scanned(image) == text


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=300))
def test_whatever_a_link_may_hold_comes_back(tail):
    text = "upi://pay?" + tail

    assert scanned(qr_image.svg(text)) == text


@pytest.mark.django_db
@pytest.mark.parametrize("more", [{}, {"format": "bharatqr", "city": "Mumbai"}])
@pytest.mark.parametrize("key", ["uri-ec-1", "uri-rsa-1"])
def test_what_the_api_serves_is_scanned_and_read_again(settings, key, more):
    settings.HSM_URI_KEYS = (key, *(set(settings.HSM_URI_KEYS) - {key}))

    document = make_code(open_shop(), **STATIC, store="STORE07", **more).json()

    text = scanned(document["qr_svg"])
    assert text == document["payload"]
    if more:
        assert emv.read(text).store == "STORE07"
    else:
        assert uri.read(text).intent.other("msid") == "STORE07"
