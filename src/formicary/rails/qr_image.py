"""Pictures of codes: QR and Code 128 as SVG, drawn by zxing-cpp; and read back, for what arrives as a picture.

Every SVG is black on white with its quiet zone, scales to any size, and holds no script, style or reference.
"""

from __future__ import annotations

from typing import Any, Final

from formicary.base.errors import BadInput

QR_TEXT_BYTES_MAX: Final = 1200
"""Bytes of text that are still read well from a phone's screen."""
BARCODE_CHARS_MAX: Final = 48
QUIET_QR: Final = 4
"""Modules of white round a QR code (ISO/IEC 18004)."""
QUIET_BARCODE: Final = 10
"""Modules of white beside a Code 128 (ISO/IEC 15417)."""
BARCODE_HEIGHT: Final = 40


def qr_svg(text: str, *, level: str = "M") -> str:
    """Draw a QR code; ``level`` L, M, Q or H is how much damage it bears. Refuses an empty or too long text."""
    if not 0 < len(text.encode()) <= QR_TEXT_BYTES_MAX:
        raise BadInput(f"1 to {QR_TEXT_BYTES_MAX} bytes of text can be drawn", where="text")
    return _svg(_modules(text, "QRCode", level), quiet=QUIET_QR)


def code_128_svg(text: str) -> str:
    """Draw a Code 128 for till scanners; refuses what is not 1 to 48 printable ASCII characters."""
    if not 0 < len(text) <= BARCODE_CHARS_MAX or not (text.isascii() and text.isprintable()):
        raise BadInput(f"1 to {BARCODE_CHARS_MAX} printable ASCII characters can be drawn", where="text")
    row = _modules(text, "Code128", "")[0]
    return _svg([row], quiet=QUIET_BARCODE, height=BARCODE_HEIGHT)


def _modules(text: str, symbology: str, level: str) -> list[list[bool]]:
    """Rows of dark and light modules, without quiet zone."""
    import zxingcpp  # noqa: PLC0415 - drawing is rare, and loads a large library

    options: dict[str, Any] = {"ec_level": level} if level else {}
    barcode = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, symbology), **options)
    picture: Any = barcode.to_image(scale=1, add_quiet_zones=False)
    image: Any = memoryview(picture).tolist()
    return [[pixel < 128 for pixel in row] for row in image]


def _svg(rows: list[list[bool]], *, quiet: int, height: int = 0) -> str:
    """One path of dark runs. ``height``: draw one row that high."""
    across = len(rows[0]) + 2 * quiet
    down = height or len(rows) + 2 * quiet
    runs = []
    for place, row in enumerate(rows):
        top, tall = (0, height) if height else (place + quiet, 1)
        start = None
        for column, dark in enumerate([*row, False]):
            if dark and start is None:
                start = column
            elif not dark and start is not None:
                runs.append(f"M{start + quiet} {top}h{column - start}v{tall}h-{column - start}z")
                start = None
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {across} {down}" shape-rendering="crispEdges"'
        f' role="img">'
        f'<path fill="#fff" d="M0 0h{across}v{down}H0z"/><path fill="#000" d="{"".join(runs)}"/></svg>'
    )
