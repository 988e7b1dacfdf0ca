"""What a phone's camera sees: a film in YUV4MPEG2 that Chromium plays instead of a real camera.

The code that is filmed is the very picture that another page shows, so that nothing between screen and camera is left
out: the drawing of the code, its colours, its quiet zone.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

WIDTH: Final = 640
HEIGHT: Final = 480
CODE_SIZE: Final = 280
"""Side of the code in the film, in pixels: inside the middle that the wallet's scanner looks at."""
FRAMES: Final = 2
DESK: Final = 170
"""Grey of the desk behind the code."""

assert CODE_SIZE <= HEIGHT * 2 // 3, "the scanner looks at the middle two thirds"


def film_nothing(path: Path) -> None:
    """Film the empty desk."""
    _write(path, np.full((HEIGHT, WIDTH), DESK, np.uint8))


def film_picture(path: Path, png: bytes) -> None:
    """Film a picture of a code, such as a screenshot of it, in the middle of the view."""
    picture = Image.open(io.BytesIO(png)).convert("L").resize((CODE_SIZE, CODE_SIZE), Image.Resampling.LANCZOS)
    frame = np.full((HEIGHT, WIDTH), DESK, np.uint8)
    top, left = (HEIGHT - CODE_SIZE) // 2, (WIDTH - CODE_SIZE) // 2
    frame[top : top + CODE_SIZE, left : left + CODE_SIZE] = np.asarray(picture)
    _write(path, frame)


def film_text(path: Path, text: str) -> None:
    """Film a QR code of a text."""
    import zxingcpp

    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    drawn = io.BytesIO()
    Image.fromarray(np.asarray(code.to_image(scale=4, add_quiet_zones=True))).save(drawn, "PNG")
    film_picture(path, drawn.getvalue())


def text_of(png: bytes) -> str:
    """Read the code in a picture, as another reader than the wallet's; empty when there is none."""
    import zxingcpp

    found = zxingcpp.read_barcodes(np.asarray(Image.open(io.BytesIO(png)).convert("L")))
    return found[0].text if found else ""


def _write(path: Path, light: NDArray[np.uint8]) -> None:
    """Write the frames: the light as it is, no colour (128 in both planes of a quarter of the size)."""
    header = f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode()
    frame = b"FRAME\n" + light.tobytes() + bytes([128]) * (WIDTH * HEIGHT // 2)
    path.write_bytes(header + frame * FRAMES)
