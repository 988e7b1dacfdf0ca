"""Pictures are read back by another reader than who drew them: the SVG's own path is painted and scanned."""

from __future__ import annotations

import re

import numpy as np
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from formicary.base.errors import BadInput
from formicary.rails.qr_image import code_128_svg, qr_svg

from tests.rails.published_codes import EMVCO

SCALE = 3


def paint(svg: str) -> np.ndarray:
    """Paint the dark runs of an SVG."""
    found = re.search(r'viewBox="0 0 (\d+) (\d+)"', svg)
    assert found is not None
    across, down = int(found[1]), int(found[2])
    image = np.full((down, across), 255, np.uint8)
    dark = svg.split('fill="#000" d="')[1]
    for left, top, wide, tall in re.findall(r"M(\d+) (\d+)h(\d+)v(\d+)h-\d+z", dark):
        image[int(top) : int(top) + int(tall), int(left) : int(left) + int(wide)] = 0
    return np.kron(image, np.ones((SCALE, SCALE), np.uint8))


def read(svg: str) -> list[tuple[str, str]]:
    """Scan a painted SVG: (symbology, text)."""
    return [(code.format.name, code.text) for code in zxingcpp.read_barcodes(paint(svg))]


def test_a_qr_code_with_other_scripts_reads_back() -> None:
    """The standard's example, with Chinese in it."""
    assert [text for _, text in read(qr_svg(EMVCO))] == [EMVCO]


@pytest.mark.parametrize("level", ["L", "M", "Q", "H"])
def test_every_level_reads_back(level: str) -> None:
    """More damage borne, larger picture."""
    assert [text for _, text in read(qr_svg("https://example.org/pay/1", level=level))] == ["https://example.org/pay/1"]


@given(digits=st.text("0123456789", min_size=18, max_size=18))
@settings(max_examples=25, deadline=None)
def test_eighteen_digits_as_code_128(digits: str) -> None:
    """What a payer's phone shows to a till's scanner."""
    assert read(code_128_svg(digits)) == [("Code128", digits)]


@pytest.mark.parametrize("text", ["", "x" * 49, "é", "a\nb"])
def test_what_no_scanner_reads_is_not_drawn_as_code_128(text: str) -> None:
    """Too long, or not printable ASCII."""
    with pytest.raises(BadInput):
        code_128_svg(text)


@pytest.mark.parametrize("text", ["", "x" * 1201, "é" * 601])
def test_what_no_phone_reads_is_not_drawn_as_qr(text: str) -> None:
    """Bytes are counted, not characters."""
    with pytest.raises(BadInput):
        qr_svg(text)


def test_an_svg_holds_no_text_of_the_code() -> None:
    """Markup in the code can't become markup of the page."""
    svg = qr_svg('"><script>alert(1)</script>')
    assert "script" not in svg
