"""Where imported rows come from: a CSV or a Parquet file, read in chunks of text columns, in constant memory.

Everything is text up to the parser, so that a CSV and a Parquet file of the same rows import the same. Floating-point
columns are refused: they don't hold money, or an id, exactly.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, islice
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, Protocol

from formicary.base.errors import BadInput, Refusal
from formicary.kernel.records import BATCH_MAX

CHUNK_ROWS: Final = BATCH_MAX
"""Rows read, parsed and posted together."""
DELIMITERS: Final = ",;\t|"
"""What a CSV's first line is searched for when no delimiter is given."""
_SNIFF_BYTES: Final = 64 << 10


class Problem(NamedTuple):
    """One thing wrong with one row: ``line`` as an editor counts it (a Parquet row counts from 1)."""

    line: int
    column: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}{', column ' + self.column if self.column else ''}: {self.message}"


@dataclass(frozen=True, slots=True)
class Rows:
    """A chunk: its columns by name, each as long as ``lines``, and the rows that had the wrong number of fields."""

    lines: Sequence[int]
    columns: dict[str, list[str]]
    problems: list[Problem] = field(default_factory=list)


class Source(Protocol):
    """A file of rows."""

    name: str
    header: list[str]
    size: int
    """Of the whole, in the unit of ``position``: bytes of a CSV, rows of a Parquet file."""

    @property
    def position(self) -> int:
        """How far it has been read."""

    def chunks(self, wanted: Iterable[str]) -> Iterator[Rows]:
        """Read on, giving only the columns that are wanted."""

    def close(self) -> None:
        """Let go of the file."""


def open_source(
    path: Path,
    *,
    delimiter: str | None = None,
    quote: str = '"',
    encoding: str = "utf-8",
    header: bool = True,
) -> Source:
    """Open a ``.parquet`` file as Parquet, all else as CSV; columns without a header are named 1, 2, 3 and so on."""
    if not path.is_file() and not path.is_fifo() and not path.is_char_device():
        raise Refusal(f"there is no file {path}", code="file_not_found")
    if path.suffix.lower() in {".parquet", ".pq"}:
        return ParquetSource(path)
    return CsvSource(path, delimiter=delimiter, quote=quote, encoding=encoding, header=header)


class CsvSource:
    """Comma-separated text of any delimiter, quote and encoding."""

    def __init__(self, path: Path, *, delimiter: str | None, quote: str, encoding: str, header: bool) -> None:
        self.name = str(path)
        self._binary: BinaryIO = path.open("rb")
        self.size = path.stat().st_size
        self.encoding = "utf-8-sig" if encoding.lower().replace("_", "-") in {"utf-8", "utf8"} else encoding
        self._line = 1
        self._waiting: list[list[str]] = []
        try:
            self._begin(delimiter=delimiter, quote=quote, header=header)
        except BaseException:
            self.close()
            raise

    @property
    def position(self) -> int:
        """Bytes read."""
        return self._binary.tell() if self._binary.seekable() else 0

    def close(self) -> None:
        """Let go of the file."""
        self._binary.close()

    def chunks(self, wanted: Iterable[str]) -> Iterator[Rows]:
        """Read on; rows that don't have as many fields as the header become problems, blank lines nothing."""
        places = [(name, self.header.index(name)) for name in wanted]
        while rows := self._waiting or self._next_rows(CHUNK_ROWS):
            self._waiting = []
            yield self._chunk(rows, places)

    def _chunk(self, rows: list[list[str]], places: Sequence[tuple[str, int]]) -> Rows:
        lines: Sequence[int] = self._lines_of(rows)
        problems: list[Problem] = []
        width = len(self.header)
        if set(map(len, rows)) != {width}:
            numbered = [(line, row) for line, row in zip(lines, rows, strict=True) if row]
            problems = [
                Problem(line, "", f"{len(row)} fields, and the header has {width}")
                for line, row in numbered
                if len(row) != width
            ]
            numbered = [(line, row) for line, row in numbered if len(row) == width]
            lines, rows = [line for line, _ in numbered], [row for _, row in numbered]
        turned = list(zip(*rows, strict=True)) if rows else [()] * width
        return Rows(lines, {name: list(map(str.strip, turned[place])) for name, place in places}, problems)

    def _lines_of(self, rows: list[list[str]]) -> Sequence[int]:
        """Number the first line of each row; a quoted field may hold line breaks, so the sum decides."""
        first, after = self._line, self._reader.line_num + 1
        self._line = after
        if after - first == len(rows):
            return range(first, after)
        heights = [1 + sum(map(_line_breaks, row)) for row in rows]
        return list(accumulate(heights[:-1], initial=first))

    def _next_rows(self, count: int) -> list[list[str]]:
        try:
            return list(islice(self._reader, count))
        except UnicodeDecodeError as error:
            where = f"{self.name}, after line {self._line}"
            raise BadInput(
                f"byte {error.object[error.start]:#04x} is not {error.encoding}; is it another --encoding?", where=where
            ) from None
        except csv.Error as error:
            raise BadInput(f"{error}", where=f"{self.name}, after line {self._line}") from None

    def _begin(self, *, delimiter: str | None, quote: str, header: bool) -> None:
        first = self._binary.peek(_SNIFF_BYTES)[:_SNIFF_BYTES]  # type: ignore[attr-defined]  # a BufferedReader
        self.delimiter = delimiter or _likely_delimiter(first.split(b"\n", 1)[0])
        self._reader = self._open_reader(quote)
        self.header = self._read_header() if header else self._number_columns()

    def _open_reader(self, quote: str) -> Any:  # noqa: ANN401 - the type of csv.reader has no public name
        try:
            text = io.TextIOWrapper(self._binary, encoding=self.encoding, newline="")
        except LookupError:
            raise BadInput(f"there is no encoding {self.encoding!r}; try utf-8 or latin-1") from None
        if len(self.delimiter) != 1 or len(quote) > 1:
            raise BadInput("a delimiter is one character, and a quote one or none")
        if not quote:
            return csv.reader(text, delimiter=self.delimiter, quoting=csv.QUOTE_NONE, strict=True)
        return csv.reader(text, delimiter=self.delimiter, quotechar=quote, strict=True)

    def _read_header(self) -> list[str]:
        rows = self._next_rows(1)
        if not rows or not any(cell.strip() for cell in rows[0]):
            raise BadInput("the file is empty; the first line must name the columns", where=self.name)
        self._line = self._reader.line_num + 1
        return _checked_header([cell.strip() for cell in rows[0]], self.name)

    def _number_columns(self) -> list[str]:
        self._waiting = self._next_rows(CHUNK_ROWS)
        return [str(place + 1) for place in range(max(map(len, self._waiting), default=0))]


class ParquetSource:
    """A Parquet file, through pyarrow (``pip install formicary[data]``)."""

    def __init__(self, path: Path) -> None:
        try:
            import pyarrow.parquet  # noqa: PLC0415 - an extra
        except ImportError:
            raise Refusal(
                "reading Parquet needs pyarrow: pip install 'formicary[data]'", code="extra_missing"
            ) from None
        self.name = str(path)
        try:
            self._file = pyarrow.parquet.ParquetFile(path)
        except pyarrow.ArrowInvalid as error:
            raise BadInput(f"not a Parquet file: {error}", where=self.name) from None
        self.header = _checked_header(list(self._file.schema_arrow.names), self.name)
        self.size = self._file.metadata.num_rows
        self.position = 0

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def chunks(self, wanted: Iterable[str]) -> Iterator[Rows]:
        """Read on, each value as the text that a CSV would have."""
        names = list(wanted)
        for batch in self._file.iter_batches(batch_size=CHUNK_ROWS, columns=names):
            lines = range(self.position + 1, self.position + 1 + batch.num_rows)
            columns = {name: _texts(batch.column(name), name, self.name) for name in names}
            self.position += batch.num_rows
            yield Rows(lines, columns)


class JsonLinesSource:
    """One JSON object a line, such as a program writes to our stdin; its keys are the fields, as a header's are."""

    size = 0

    def __init__(self, lines: BinaryIO, name: str, fields: Sequence[str]) -> None:
        self.name = name
        self.header = list(fields)
        self.position = 0
        self._lines = lines

    def close(self) -> None:
        """Leave stdin alone: it is not ours."""

    def chunks(self, wanted: Iterable[str]) -> Iterator[Rows]:
        """Read on; a line that is no flat object of these fields becomes a problem."""
        names = list(wanted)
        while chunk := list(islice(self._lines, CHUNK_ROWS)):
            lines: list[int] = []
            columns: dict[str, list[str]] = {name: [] for name in names}
            problems: list[Problem] = []
            for line, text in enumerate(chunk, self.position + 1):
                if not text.strip():
                    continue
                try:
                    values = _flat_object(text, self.header)
                except BadInput as error:
                    problems.append(Problem(line, "", str(error)))
                    continue
                lines.append(line)
                for name in names:
                    columns[name].append(values.get(name, ""))
            self.position += len(chunk)
            yield Rows(lines, columns, problems)


def _flat_object(text: bytes, fields: Sequence[str]) -> dict[str, str]:
    """Read a JSON object of texts and numbers, each as it is written: no number becomes a float on the way."""
    try:
        value = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except ValueError as error:
        raise BadInput(f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise BadInput("not a JSON object")
    unknown = next((key for key in value if key not in fields), None)
    if unknown is not None:
        raise BadInput(f"{unknown!r} is not a field; there are {', '.join(fields)}")
    wrong = next((key for key, each in value.items() if not isinstance(each, str)), None)
    if wrong is not None:
        raise BadInput(f"{wrong!r} is neither text nor a number")
    return {key: each.strip() for key, each in value.items()}


def _texts(column: Any, name: str, file: str) -> list[str]:  # noqa: ANN401 - an Arrow array
    """Write an Arrow array's values as text: nothing for null, nanoseconds for a time, no excess zeros of a decimal."""
    import pyarrow as pa  # noqa: PLC0415 - an extra
    import pyarrow.compute as pc  # noqa: PLC0415

    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_floating(kind):
        raise BadInput(
            f"column {name} holds floating-point numbers, which are not exact; make it a decimal, an integer or text",
            where=file,
        )
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("ns", tz=kind.tz)).cast(pa.int64())
    texts = pc.fill_null(column.cast(pa.string()), "").to_pylist()
    if pa.types.is_decimal(kind) and kind.scale > 0:
        return [text.rstrip("0").rstrip(".") if "." in text else text for text in texts]
    return [text.strip() for text in texts]


def _line_breaks(cell: str) -> int:
    return cell.count("\n") + cell.count("\r") - cell.count("\r\n")


def _likely_delimiter(first_line: bytes) -> str:
    """Choose the delimiter that stands most often in the first line, outside quotes; a comma when none does."""
    bare = re.sub(rb'"[^"]*"', b"", first_line).decode("latin-1")
    return max(DELIMITERS, key=bare.count)


def _checked_header(names: list[str], file: str) -> list[str]:
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise BadInput(f"two columns are named {doubled[0]!r}", where=file)
    return names
