"""A statement as CSV: RFC 4180, UTF-8, for spreadsheets and accountants' programs.

Columns and codes are the same in every language, so that programs can rely on them. No cell that people wrote can be a
formula: one that a spreadsheet might compute begins with an apostrophe.
"""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Final

from formicary.base.money import format_minor

if TYPE_CHECKING:
    from formicary.gateway.statement.telling import Statement

COLUMNS: Final = (
    "time", "kind", "other", "purpose", "note", "amount", "fee", "balance", "currency", "payment", "transfer",
    "reference",
)  # fmt: skip
_FORMULA: Final = re.compile(r"\s*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""What a spreadsheet takes for a formula, full-width signs included (OWASP, CSV injection)."""
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def write_csv(statement: Statement) -> bytes:
    """Write a header, the opening balance, every line, and the closing balance; lines end in CR LF.

    Amounts are decimals with a point: ``opening + Σ amount − Σ fee = closing``.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)

    def money(amount_minor: int) -> str:
        return format_minor(amount_minor, statement.decimals)

    def edge(day: str, kind: str, balance_minor: int) -> None:
        writer.writerow((day, kind, "", "", "", "", "", money(balance_minor), statement.asset, "", "", ""))

    edge(statement.first, "opening", statement.opening_minor)
    for line in statement.items:
        writer.writerow(
            (
                line.at,
                line.kind,
                harmless(line.other.name),
                line.purpose,
                harmless(line.note or ""),
                money(line.amount_minor),
                money(line.fee_minor),
                money(line.balance_minor),
                statement.asset,
                line.payment,
                line.transfer,
                line.reference,
            )
        )
    edge(statement.last, "closing", statement.closing_minor)
    return text.getvalue().encode()


def harmless(text: str) -> str:
    """A text that no spreadsheet computes: without control characters, and with an apostrophe before a formula."""
    plain = _CONTROL.sub("", text)
    return f"'{plain}" if _FORMULA.match(plain) else plain
