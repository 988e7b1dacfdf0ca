"""Makes the two fonts that statements are printed with; see src/formicary/gateway/statement/fonts/README.md.

``python -m tools.fonts SOURCE_SANS NOTO_REGULAR NOTO_BOLD``, where the first is the folder of Source Sans Pro's
TrueType files and the others are Noto Sans CJK's collections. Latin, Greek and Cyrillic are Source Sans, Chinese is
Noto Sans: one design, by the same hands. The characters are those of GB 2312 and the first level of Big5, so nearly
every name.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

FOLDER: Final = Path(__file__).parent.parent / "src/formicary/gateway/statement/fonts"
SIMPLIFIED: Final = 2
"""Which font of Noto's collections."""
LATIN: Final = ((0x20, 0x17F), (0x180, 0x24F), (0x370, 0x52F), (0x1E00, 0x1EFF), (0x2000, 0x214F), (0x2190, 0x22FF))
SYMBOLS: Final = ((0x3000, 0x30FF), (0xFF00, 0xFFEF), (0x25A0, 0x25FF))
MISTAKE_MAX: Final = 1.0
"""Thousandths of the type's size by which a curve may differ from the original."""


def main(source_sans: str, noto_regular: str, noto_bold: str) -> None:
    """Write both fonts."""
    from formicary.gateway.statement.words import WORDS  # noqa: PLC0415 - only the bold font needs them

    labels = {ord(each) for words in WORDS.values() for text in words.values() for each in text}
    make(Path(source_sans) / "SourceSansPro-Regular.ttf", noto_regular, set(_hanzi()), "Regular")
    make(Path(source_sans) / "SourceSansPro-Semibold.ttf", noto_bold, labels, "Bold")


def make(latin: Path, noto: str, hanzi: set[int], style: str) -> None:
    """Join the Latin of one font and the Chinese of another to one TrueType font under a name of its own."""
    from fontTools.merge import Merger  # noqa: PLC0415 - fonttools comes with fpdf2
    from fontTools.ttLib import TTFont  # noqa: PLC0415

    with TemporaryDirectory() as folder:
        first, second = Path(folder) / "latin.ttf", Path(folder) / "hanzi.ttf"
        western = _subset(TTFont(latin), set(_all(LATIN)))
        western.save(first)
        chinese = _subset(
            TTFont(noto, fontNumber=SIMPLIFIED), (hanzi | set(_all(SYMBOLS))) - set(western.getBestCmap())
        )
        _as_truetype(chinese)
        chinese.save(second)
        joined = Merger().merge([str(first), str(second)])
    for record in list(joined["name"].names):
        if record.nameID not in {0, 13, 14}:
            joined["name"].removeNames(nameID=record.nameID)
    family = "Formicary Statement"
    for number, text in {1: family, 2: style, 4: f"{family} {style}", 6: f"FormicaryStatement-{style}"}.items():
        joined["name"].setName(text, number, 3, 1, 0x409)
    joined.save(FOLDER / f"{style.lower()}.ttf")


def _all(ranges: tuple[tuple[int, int], ...]) -> Iterator[int]:
    for first, last in ranges:
        yield from range(first, last + 1)


def _hanzi() -> Iterator[int]:
    """GB 2312, and Big5's first level of common characters."""
    for encoding, rows, cells in (
        ("gb2312", range(0xA1, 0xF8), range(0xA1, 0xFF)),
        ("big5", range(0xA4, 0xC7), range(0x40, 0xFF)),
    ):
        for row in rows:
            for cell in cells:
                found = bytes((row, cell)).decode(encoding, "ignore")
                if len(found) == 1 and ord(found) > 0x7F:
                    yield ord(found)


def _subset(font: Any, characters: set[int]) -> Any:  # noqa: ANN401 - fontTools has no types
    from fontTools import subset  # noqa: PLC0415

    options = subset.Options(
        layout_features=[], hinting=False, desubroutinize=True, name_IDs=["*"], notdef_outline=True
    )
    options.drop_tables += ["vhea", "vmtx", "VORG", "BASE", "GPOS", "GSUB", "GDEF", "kern", "DSIG"]
    wanted = subset.Subsetter(options)
    wanted.populate(unicodes=characters)
    wanted.subset(font)
    return font


def _as_truetype(font: Any) -> None:  # noqa: ANN401
    """Replace cubic outlines by quadratic ones, which every reader of PDF draws."""
    from fontTools.pens.cu2quPen import Cu2QuPen  # noqa: PLC0415
    from fontTools.pens.ttGlyphPen import TTGlyphPen  # noqa: PLC0415
    from fontTools.ttLib import newTable  # noqa: PLC0415

    glyphs, order = font.getGlyphSet(), font.getGlyphOrder()
    drawn = {}
    for name in order:
        pen = TTGlyphPen(glyphs)
        glyphs[name].draw(Cu2QuPen(pen, MISTAKE_MAX, reverse_direction=True))
        drawn[name] = pen.glyph()
    font["loca"], table = newTable("loca"), newTable("glyf")
    table.glyphOrder, table.glyphs = order, drawn
    font["glyf"] = table
    for name in order:
        drawn[name].recalcBounds(table)
        font["hmtx"].metrics[name] = (font["hmtx"].metrics[name][0], getattr(drawn[name], "xMin", 0))
    maxp = font["maxp"]
    maxp.tableVersion = 0x00010000
    for each in ("maxZones", "maxTwilightPoints", "maxStorage", "maxFunctionDefs", "maxInstructionDefs"):
        setattr(maxp, each, 1 if each == "maxZones" else 0)
    for each in ("maxStackElements", "maxSizeOfInstructions", "maxComponentElements", "maxComponentDepth"):
        setattr(maxp, each, 0)
    for each in ("maxPoints", "maxContours", "maxCompositePoints", "maxCompositeContours"):
        setattr(maxp, each, 0)
    post = font["post"]
    post.formatType, post.extraNames, post.mapping, post.glyphOrder = 2.0, [], {}, order
    del font["CFF "]
    font.sfntVersion = "\x00\x01\x00\x00"


if __name__ == "__main__":
    main(*sys.argv[1:])
