"""QR codes of receipts: drawing one, and reading one from a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from formicary.base.errors import BadInput, Refusal

PIXELS: Final = 4
"""Width of a module, enough for a phone to read the largest code from a screen."""
LEVELS: Final = ("M", "L")
"""Error correction, the better first: 15 % of the code may be unreadable, or 7 %."""
PICTURE_PIXELS_MAX: Final = 64_000_000
PICTURES: Final = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")


def draw_code(text: str, path: Path) -> str:
    """Draw one QR code into a PNG or SVG file, by the path's ending; return its version and level, like ``24-M``."""
    code = _encode(text)
    if path.suffix.lower() == ".svg":
        path.write_text(code.to_svg(add_quiet_zones=True), encoding="utf-8")
    elif path.suffix.lower() == ".png":
        import numpy as np
        from PIL import Image

        Image.fromarray(np.array(code.to_image(scale=PIXELS, add_quiet_zones=True))).save(path, optimize=True)
    else:
        raise BadInput("write the code to a .png or an .svg file", where=str(path))
    modules, _ = code.to_image(scale=1, add_quiet_zones=False).shape
    return f"{(modules - 17) // 4}-{code.ec_level}"


def read_codes(path: Path) -> list[str]:
    """Return the texts of all QR codes in a picture; refuse a file that is no picture."""
    import zxingcpp
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            if picture.width * picture.height > PICTURE_PIXELS_MAX:
                raise BadInput(f"{picture.width} × {picture.height} pixels are too many", where=str(path))
            grey = picture.convert("L")
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise BadInput("this is not a picture that can be read", where=str(path)) from error
    formats = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])
    return [code.text for code in zxingcpp.read_barcodes(grey, formats=formats)]


def _encode(text: str) -> Any:  # noqa: ANN401 - zxing-cpp has no types
    import zxingcpp

    for level in LEVELS:
        try:
            return zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level=level)
        except ValueError:
            continue  # too long for this level
    raise Refusal(f"{len(text):,} characters are too long for one QR code: keep the file instead", code="qr_too_long")
