"""Draw a text as a QR code."""

import base64
import functools

import qrcode
from qrcode.constants import ERROR_CORRECT_M
from qrcode.image.svg import SvgPathImage

# ISO/IEC 18004 asks for four modules of quiet zone around the symbol.
QUIET_MODULES = 4
_KEPT = 256


@functools.lru_cache(maxsize=_KEPT)
def svg(text: str) -> str:
    """Return a QR code as an SVG document: black on white, whatever the page around it."""
    code = qrcode.QRCode(
        error_correction=ERROR_CORRECT_M, border=QUIET_MODULES, image_factory=_Image
    )
    code.add_data(text)
    code.make(fit=True)
    drawn: str = code.make_image().to_string(encoding="unicode")
    return drawn


def data_uri(text: str) -> str:
    """Return a QR code for an <img> of a page."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg(text).encode()).decode()


class _Image(SvgPathImage):  # type: ignore[misc]
    """A scanner needs a light ground, on a dark page too."""

    background = "#ffffff"
