"""A statement on paper: A4, as PDF, in the person's language, with the ledger's signed head at the foot of each page.

The fonts are our own subsets (``fonts/README.md``): Latin, Greek, Cyrillic and Chinese. A character that they lack is
printed as □, and the page says so. All text is laid out here, line by line, so that a row never breaks over two pages.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Final

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal
from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import TTFFont

from formicary.base.money import format_minor
from formicary.gateway.edge_values import read_time
from formicary.gateway.statement.telling import Movement, Statement
from formicary.gateway.statement.words import LOCALES, words_of

FONTS: Final = Path(__file__).parent / "fonts"
FAMILY: Final = "Statement"
MISSING: Final = "□"
INK: Final = (26, 26, 26)
GREY: Final = (110, 110, 110)
ACCENT: Final = (122, 46, 22)
RULE: Final = (214, 208, 200)
SHADE: Final = (247, 244, 240)
MARGIN: Final = 18.0
WIDTH: Final = 210.0 - 2 * MARGIN
FOOT: Final = 30.0
"""Millimetres at the foot of a page."""
DATE, DETAILS, FEE, AMOUNT, BALANCE = 24.0, 77.0, 19.0, 26.0, 28.0
NOTE_LINES_MAX: Final = 4
"""Lines of a note that are printed; the rest of a longer one is in the other forms."""
ROW, SMALL_ROW = 5.0, 4.0
NOTE_SIZE: Final = 7.5

assert abs(DATE + DETAILS + FEE + AMOUNT + BALANCE - WIDTH) < 0.01, "the columns fill the page"


def write_pdf(statement: Statement, *, origin: str, sandbox: bool) -> bytes:
    """Draw the statement; ``origin`` is where receipts are checked. takes milliseconds a line."""
    return _Paper(statement, origin=origin, sandbox=sandbox).draw()


@cache
def glyphs(style: str) -> frozenset[int]:
    """The characters that a font has (``regular``, ``bold``)."""
    paper = FPDF()
    paper.add_font(FAMILY, "", FONTS / f"{style}.ttf")
    font = paper.fonts[FAMILY.lower()]
    assert isinstance(font, TTFFont), "a font of ours is TrueType"
    found = frozenset(font.cmap)
    _close_fonts(paper)
    return found


def _close_fonts(paper: FPDF) -> None:
    """Close the files that fpdf2 leaves open for the garbage collector."""
    for font in paper.fonts.values():
        if isinstance(font, TTFFont):
            font.ttfont.close()


class _Paper(FPDF):
    """One statement being drawn."""

    def __init__(self, statement: Statement, *, origin: str, sandbox: bool) -> None:
        super().__init__(format="A4")
        self._told = statement
        self._origin = origin
        self._sandbox = sandbox
        self._locale = LOCALES.get(statement.language, LOCALES["en"])
        self._words = words_of(statement.language)
        self._substituted = False
        self._widths: dict[str, float] = {}
        self._date = self._day(statement.made)
        self.add_font(FAMILY, "", FONTS / "regular.ttf")
        self.add_font(FAMILY, "B", FONTS / "bold.ttf")
        self.set_margins(MARGIN, 16)
        self.set_auto_page_break(auto=False)
        self.alias_nb_pages("{nb}")
        self.set_title(f"{self._words['title']} {statement.first} – {statement.last}")
        self.set_author(statement.institution.name)
        self.set_creator("Formicary")
        self.set_lang(self._locale.replace("_", "-"))
        self.set_creation_date(dt.datetime.fromtimestamp(read_time(statement.made) // 10**9, dt.UTC))

    def draw(self) -> bytes:
        """Lay everything out."""
        self.add_page()
        self._opening_block()
        self._table_head()
        for line in self._told.items:
            self._row(line)
        if not self._told.items:
            self._write(0, 10, self._words["nothing"], color=GREY, size=9, last=True)
        self._closing_block()
        data = bytes(self.output())
        _close_fonts(self)
        return data

    # ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def header(self) -> None:
        """Institution and title, on every page."""
        self._write(WIDTH / 2, 8, self._told.institution.name, size=15, color=ACCENT)
        self._write(0, 8, self._words["title"], size=12, bold=True, align="R", last=True)
        self.set_draw_color(*ACCENT)
        self.set_line_width(0.5)
        self.line(MARGIN, self.get_y() + 1, MARGIN + WIDTH, self.get_y() + 1)
        self.set_y(self.get_y() + 5)
        if self.page > 1:
            self._table_head()

    def footer(self) -> None:
        """The ledger, its signed head, and which page this is."""
        head, words = self._told.head, self._words
        self.set_y(-FOOT + 4)
        self._rule()
        time = self._moment(head.time)
        signed = words["head"].format(leaves=self._count(int(head.size)), entry=self._count(int(head.entry)), time=time)
        lines = [
            f"{words['ledger']} {self._told.ledger}",
            signed,
            f"{words['root']} {head.root}",
            f"{words['signature']} {head.signature}",
            f"{words['times']} {words['sandbox'] if self._sandbox else ''}",
        ]
        self.set_y(self.get_y() + 1)
        for text in lines[:-1]:
            self._write(0, 3.6, text, size=6.5, color=GREY, last=True)
        self._write(WIDTH * 0.75, 3.6, lines[-1], size=6.5, color=GREY)
        pages = words["page"].format(page=self.page, pages="{nb}")
        self._write(0, 3.6, pages, size=7.5, color=GREY, align="R", last=True)

    def _opening_block(self) -> None:
        told, words = self._told, self._words
        period = f"{self._day(told.first)} – {self._day(told.last)}"
        grouped = " ".join(told.account[first : first + 8] for first in range(0, 32, 8))
        facts = (
            (words["holder"], told.holder.name or told.holder.id),
            (words["account"], grouped),
            (words["currency"], told.asset),
            (words["period"], period),
            (words["made"], self._moment(told.made)),
        )
        for label, text in facts:
            self._write(36, 6, label, size=9, color=GREY)
            self._write(0, 6, text, size=11 if label == words["holder"] else 9, last=True)
        self.set_y(self.get_y() + 4)
        sums = [
            ("opening", told.opening_minor),
            ("in", told.in_minor),
            ("out", -told.out_minor),
            ("fees", -told.fee_minor),
            ("closing", told.closing_minor),
        ]
        if not told.fee_minor:
            del sums[3]
        each, top = WIDTH / len(sums), self.get_y()
        self.set_fill_color(*SHADE)
        self.rect(MARGIN, top, WIDTH, 15, style="F")
        for place, (name, amount_minor) in enumerate(sums):
            bold = name in {"opening", "closing"}
            self.set_xy(MARGIN + place * each + 2, top + 2)
            self._write(each - 4, 4.5, words[name], size=7.5, color=GREY)
            self.set_xy(MARGIN + place * each + 2, top + 7)
            self._write(each - 4, 6, self._money(amount_minor), size=10, bold=bold)
        self.set_xy(MARGIN, top + 20)

    def _closing_block(self) -> None:
        told, words = self._told, self._words
        self._room(26)
        self._rule()
        self._write(DATE + DETAILS + FEE, 7, words["closing"], size=9.5, bold=True)
        self._write(
            AMOUNT + BALANCE, 7, f"{self._money(told.closing_minor)} {told.asset}", size=9.5, bold=True, align="R"
        )
        self.ln(7)
        if told.held_minor:
            self._write(DATE + DETAILS + FEE, 5, words["held"], size=8.5, color=GREY)
            self._write(AMOUNT + BALANCE, 5, self._money(told.held_minor), size=8.5, color=GREY, align="R", last=True)
        self.set_y(self.get_y() + 2)
        self._write(0, 4, words["receipts"].format(origin=self._origin), size=7.5, color=GREY, last=True)
        if self._substituted:
            self._write(0, 4, words["substituted"], size=7.5, color=GREY, last=True)

    # ── the table ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _table_head(self) -> None:
        names = (("date", DATE, "L"), ("details", DETAILS, "L"), ("fee", FEE, "R"), ("amount", AMOUNT, "R"))
        for name, width, align in names:
            self._write(width, 6, self._words[name], size=8, bold=True, align=align)
        self._write(BALANCE, 6, self._words["balance"], size=8, bold=True, align="R", last=True)
        self._rule()

    def _row(self, line: Movement) -> None:
        words = self._words
        kind = words.get(f"kind.{line.kind}", line.kind)
        title = f"{kind} · {line.other.name}" if line.other.name else kind
        purpose = words.get(f"purpose.{line.purpose}", line.purpose)
        under = " · ".join(text for text in (purpose, self._known(line.note or "")) if text)
        notes = self._wrap(under, DETAILS - 2) if under else []
        self._room(ROW + SMALL_ROW * len(notes) + 2)
        top = self.get_y()
        self._write(DATE, ROW, self._day(line.at), size=8.5)
        self._write(DETAILS, ROW, self._cut(title, DETAILS - 2, 9), size=9)
        self._write(FEE, ROW, self._money(line.fee_minor) if line.fee_minor else "", size=8.5, color=GREY, align="R")
        self._write(AMOUNT, ROW, self._money(line.amount_minor, signed=True), size=9, align="R")
        self._write(BALANCE, ROW, self._money(line.balance_minor), size=9, align="R")
        self.set_xy(MARGIN, top + ROW)
        for text in notes:
            self.set_x(MARGIN + DATE)
            self._write(DETAILS, SMALL_ROW, text, size=NOTE_SIZE, color=GREY, last=True)
        self.set_y(self.get_y() + 1)
        self._rule()

    def _wrap(self, text: str, width: float) -> list[str]:
        """Break a text into lines at spaces, and at any character where there are none, as in Chinese."""
        lines, start, space, used = [""], 0, -1, 0.0
        for place, character in enumerate(text):
            size = self._width(character)
            if used + size > width:
                end = space if space > start else place
                lines[-1] = text[start:end].strip()
                lines.append("")
                start, space = end, -1
                used = sum(self._width(each) for each in text[start:place])
            if character == " ":
                space = place
            used += size
        lines[-1] = text[start:].strip()
        if len(lines) > NOTE_LINES_MAX:
            lines = [*lines[: NOTE_LINES_MAX - 1], f"{lines[NOTE_LINES_MAX - 1][:-1]}…"]
        return lines

    def _width(self, character: str) -> float:
        """Millimetres of a character of a note; asked once of fpdf2, which takes its time."""
        if character not in self._widths:
            self.set_font(FAMILY, size=NOTE_SIZE)
            self._widths[character] = self.get_string_width(character)
        return self._widths[character]

    def _cut(self, text: str, width: float, size: float) -> str:
        """Shorten what is too wide for its column."""
        text = self._known(text)
        self.set_font(FAMILY, size=size)
        if self.get_string_width(text) <= width:
            return text
        while text and self.get_string_width(f"{text}…") > width:
            text = text[:-1]
        return f"{text}…"

    # ── single things ───────────────────────────────────────────────────────────────────────────────────────────────

    def _room(self, height: float) -> None:
        """Begin a new page where the rest of this one is too small."""
        if self.get_y() + height > self.h - FOOT:
            self.add_page()

    def _rule(self) -> None:
        self.set_draw_color(*RULE)
        self.set_line_width(0.2)
        self.line(MARGIN, self.get_y(), MARGIN + WIDTH, self.get_y())

    def _write(
        self,
        width: float,
        height: float,
        text: str,
        *,
        size: float,
        bold: bool = False,
        align: str = "L",
        color: tuple[int, int, int] = INK,
        last: bool = False,
    ) -> None:
        shown = self._known(text)
        is_bold = bold and all(ord(each) in glyphs("bold") for each in shown)
        self.set_font(FAMILY, "B" if is_bold else "", size)
        self.set_text_color(*color)
        x, y = (XPos.LMARGIN, YPos.NEXT) if last else (XPos.RIGHT, YPos.TOP)
        self.c_margin = 0
        self.cell(width, height, shown, align=align, new_x=x, new_y=y)

    def _known(self, text: str) -> str:
        """A text in characters that can be printed, on one line; others become a box, and the page will say so."""
        plain = "".join(" " if each.isspace() else each for each in unicodedata.normalize("NFC", text))
        kept = [each for each in plain if unicodedata.category(each) not in {"Cc", "Cf", "Cs", "Mn"}]
        known = glyphs("regular")
        shown = [each if ord(each) in known else MISSING for each in kept]
        self._substituted |= shown != kept
        return "".join(shown)

    def _money(self, amount_minor: int, *, signed: bool = False) -> str:
        decimals = self._told.decimals
        pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
        text = format_decimal(Decimal(format_minor(amount_minor, decimals)), format=pattern, locale=self._locale)
        shown = str(text).replace("\u202f", "\u00a0").replace("-", "−")
        return f"+{shown}" if signed and amount_minor > 0 else shown

    def _count(self, number: int) -> str:
        return str(format_decimal(number, locale=self._locale)).replace("\u202f", "\u00a0")

    def _day(self, text: str) -> str:
        return str(format_date(dt.date.fromisoformat(text[:10]), "medium", locale=self._locale))

    def _moment(self, text: str) -> str:
        moment = dt.datetime.fromtimestamp(read_time(text) // 10**9, dt.UTC)
        return f"{format_datetime(moment, 'medium', tzinfo=dt.UTC, locale=self._locale)} UTC"
