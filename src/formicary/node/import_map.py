"""The column map of an import: which columns make which field of a record, and how their text becomes numbers.

A map names a column (``id=order_id``) or is a template over columns (``credit={bank_to}:{account_to}``); ``{row}`` is
the row's line. What no column gives may be a constant. Parsing goes column by column over a whole chunk: the usual
forms of a column are recognised at once by one regular expression, and only what is unusual is looked at cell by cell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from string import Formatter
from typing import Final, TypeVar

from formicary.base.errors import BadInput
from formicary.base.ids import parse_id
from formicary.base.iso4217 import DECIMALS_MAX
from formicary.base.money import AMOUNT_MAX, asset_decimals, parse_asset, parse_minor
from formicary.kernel.records import AccountFlag, TransferFlag
from formicary.node.import_source import Problem, Rows

Value = TypeVar("Value")

TRANSFER_FIELDS: Final = (
    "id", "debit", "credit", "amount", "amount_minor", "asset", "code", "flags", "hold", "timeout",
    "user_data", "user_data_64", "user_data_32", "time",
)  # fmt: skip
ACCOUNT_FIELDS: Final = ("id", "name", "asset", "code", "flags", "user_data", "user_data_64", "user_data_32")
ROW: Final = "row"
"""The name by which a template asks for the row's line."""
DEFAULTS: Final = {"code": "1"}
"""What stands for a field that neither a column nor a constant gives."""

_CELLS_OF_IDS: Final = re.compile(r"(?:[1-9][0-9]{0,18}\n)*")


@dataclass(frozen=True, slots=True)
class FieldSource:
    """Where one field comes from: columns put together by a format, or a constant."""

    label: str
    columns: tuple[str, ...]
    form: str | None

    def texts(self, rows: Rows) -> list[str]:
        """Give this field's text for every row of a chunk."""
        if not self.columns:
            return [self.form or ""] * len(rows.lines)
        columns = [_column(rows, name) for name in self.columns]
        return columns[0] if self.form is None else list(map(self.form.format, *columns))


class ColumnMap:
    """Where every field of a kind of record comes from, checked against a file's header."""

    def __init__(
        self,
        header: Sequence[str],
        fields: Sequence[str],
        *,
        maps: Iterable[str] = (),
        constants: Mapping[str, str] | None = None,
        leave_out: Iterable[str] = (),
    ) -> None:
        given = dict(_parse_map(each, fields) for each in maps)
        constants = constants or {}
        by_name = {name.lower(): name for name in header}
        self.sources: dict[str, FieldSource] = {}
        for name in fields:
            if given.get(name):
                self.sources[name] = _source(name, given[name], header)
            elif constants.get(name):
                self.sources[name] = FieldSource(name, (), constants[name])
            elif name in by_name and name not in given and name not in leave_out:
                self.sources[name] = FieldSource(by_name[name], (by_name[name],), None)
            elif name in DEFAULTS:
                self.sources[name] = FieldSource(name, (), DEFAULTS[name])

    def columns(self) -> list[str]:
        """Return the file's columns that are needed, each once."""
        names = (name for source in self.sources.values() for name in source.columns if name != ROW)
        return list(dict.fromkeys(names))

    def need(self, *names: str) -> None:
        """Refuse a map that gives one of these fields no source."""
        for name in names:
            if name not in self.sources:
                raise BadInput(f"no column gives {name!r}: name one with --map {name}=COLUMN", code="column_missing")


class Cells:
    """One chunk being parsed: gives each field's values, and gathers what is wrong with which row."""

    def __init__(self, rows: Rows, column_map: ColumnMap) -> None:
        self._rows = rows
        self._map = column_map
        self.lines = rows.lines
        self.problems = list(rows.problems)
        self.bad: set[int] = set()
        self.count = len(rows.lines)

    def has(self, field: str) -> bool:
        """Whether the field has any source."""
        return field in self._map.sources

    def texts(self, field: str) -> list[str]:
        """Give the field's text for every row; nothing where it has no source."""
        return self._map.sources[field].texts(self._rows) if self.has(field) else [""] * self.count

    def note(self, place: int, field: str, message: str) -> None:
        """Record that the row at ``place`` can't be used, and why."""
        self.bad.add(place)
        self.problems.append(Problem(self.lines[place], self._map.sources[field].label, message))

    def each(self, field: str, parse: Callable[[str], Value], fallback: Value) -> list[Value]:
        """Parse cell by cell: for columns in which most values differ."""
        values = []
        for place, text in enumerate(self.texts(field)):
            try:
                values.append(parse(text))
            except BadInput as error:
                self.note(place, field, str(error))
                values.append(fallback)
        return values

    def few(self, field: str, parse: Callable[[str], Value], fallback: Value) -> list[Value]:
        """Parse each different text once: for columns of few values, such as assets and codes."""
        texts = self.texts(field)
        known: dict[str, Value | BadInput] = {text: _parsed(parse, text) for text in dict.fromkeys(texts)}
        if not any(isinstance(value, BadInput) for value in known.values()):
            return [known[text] for text in texts]  # type: ignore[misc]  # no value is an error here
        return self.each(field, parse, fallback)

    def ids(self, field: str, from_text: Callable[[str], int]) -> list[int]:
        """Parse a column of references: ids as they are, any other text through ``from_text``."""
        texts = self.texts(field)
        if _all_match(_CELLS_OF_IDS, texts):
            return list(map(int, texts))
        return self.each(field, lambda text: reference(text, from_text), 0)

    def amounts(self, assets: Sequence[int]) -> list[int]:
        """Parse the amounts, each with the decimals of its row's asset."""
        if not self.has("amount"):
            return self.each("amount_minor", lambda text: parse_minor(text, 0), 0)
        texts = self.texts("amount")
        if len(set(assets)) == 1 and _all_match(_cells_of_amounts(asset_decimals(assets[0])), texts):
            return [int(text.replace(".", "")) for text in texts]
        decimals = iter([asset_decimals(asset) if asset else DECIMALS_MAX for asset in assets])
        return self.each("amount", lambda text: parse_minor(text, next(decimals)), 0)


def reference(text: str, from_text: Callable[[str], int]) -> int:
    """Read an id, or make one of another system's reference; digits with a zero in front are such a reference."""
    if not text:
        raise BadInput("the id is missing")
    if text[0] == "0" and text.isdigit() and len(text) != 32:
        return from_text(text)
    try:
        return parse_id(text)
    except BadInput:
        return from_text(text)


def whole_number(text: str, most: int, *, least: int = 0) -> int:
    """Read a small integer field; nothing is its least value."""
    if not text:
        return least
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(AMOUNT_MAX)) + 1 and least <= int(text) <= most):
        raise BadInput(f"{text!r} is not a whole number from {least} to {most}")
    return int(text)


def user_data(text: str) -> int:
    """Read 128 bits of the caller's own: written as an id is, or nothing or 0 for none."""
    return 0 if text in {"", "0"} else parse_id(text)


def asset_number(text: str) -> int:
    """Read an asset; say so when it is missing."""
    if not text:
        raise BadInput("the asset is missing: give a column or --asset")
    return parse_asset(text)


def flags_from(text: str, kind: type[AccountFlag | TransferFlag]) -> int:
    """Read flags: their names joined by ``|``, capitals or not, or their number."""
    if not text:
        return 0
    if text.isascii() and text.isdigit():
        return whole_number(text, 0xFFFF)
    names = {flag.name.lower(): flag.value for flag in kind if flag.name}
    total = 0
    for name in text.lower().replace(" ", "").split("|"):
        if name not in names:
            raise BadInput(f"{name!r} is not a flag; there are {', '.join(names)}")
        total |= names[name]
    return total


def flags_text(number: int, kind: type[AccountFlag | TransferFlag]) -> str:
    """Write flags as :func:`flags_from` reads them."""
    return "|".join(flag.name.lower() for flag in kind if flag.name and number & flag)


def time_ns(text: str) -> int:
    """Read a time: nanoseconds since 1970, or ISO 8601 with up to nine decimals; UTC where no zone is given."""
    if text.isascii() and text.isdigit():
        return whole_number(text, AMOUNT_MAX)
    match = re.fullmatch(
        r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?)?(Z|[-+]\d\d:\d\d)?", text, re.ASCII
    )
    if match is None:
        raise BadInput(f"{text!r} is not a time: write 2026-01-31T12:00:00Z or nanoseconds since 1970")
    zone = "+00:00" if match[4] in {None, "Z"} else match[4]
    try:
        moment = datetime.fromisoformat(f"{match[1]}T{match[2] or '00:00:00'}{zone}")
    except ValueError as error:
        raise BadInput(f"{text!r} is not a time: {error}") from None
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + int((match[3] or "0").ljust(9, "0"))


def _all_match(cells: re.Pattern[str], texts: Sequence[str]) -> bool:
    """Whether every cell has the usual form, decided by one match over all of them."""
    joined = "\n".join([*texts, ""])
    return joined.count("\n") == len(texts) and cells.fullmatch(joined) is not None


def _parsed(parse: Callable[[str], Value], text: str) -> Value | BadInput:
    try:
        return parse(text)
    except BadInput as error:
        return error


def _column(rows: Rows, name: str) -> list[str]:
    return list(map(str, rows.lines)) if name == ROW else rows.columns[name]


def _parse_map(text: str, fields: Sequence[str]) -> tuple[str, str]:
    """Split ``field=column``; an empty column leaves the field without its default column."""
    field, equals, source = text.partition("=")
    if not equals or field not in fields:
        raise BadInput(f"{text!r} is not a map: write FIELD=COLUMN, where FIELD is one of {', '.join(fields)}")
    return field, source


def _source(field: str, text: str, header: Sequence[str]) -> FieldSource:
    if text in header:
        return FieldSource(text, (text,), None)
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        raise BadInput(f"the map {field}={text} is not a template: {error}") from None
    columns = tuple(name for _, name, _, _ in parts if name is not None)
    unknown = [name for name in columns or (text,) if name not in header and name != ROW]
    if unknown:
        raise BadInput(
            f"the map {field}={text} needs a column {unknown[0]!r}; there are {', '.join(header)}",
            code="column_missing",
        )
    if any(spec or conversion for _, _, spec, conversion in parts):
        raise BadInput(f"the map {field}={text} is not a template: only plain {{column}} is read")
    form = "".join(_escaped(literal) + ("{}" if name is not None else "") for literal, name, _, _ in parts)
    return FieldSource(text, columns, form)


def _escaped(literal: str) -> str:
    return literal.replace("{", "{{").replace("}", "}}")


@cache
def _cells_of_amounts(decimals: int) -> re.Pattern[str]:
    """Match a column of amounts that all have every decimal and fit an int64 whatever their digits."""
    fraction = rf"\.[0-9]{{{decimals}}}" if decimals else ""
    return re.compile(rf"(?:[0-9]{{1,{18 - decimals}}}{fraction}\n)+")
