"""SQL for the operator: read-only questions over a consistent snapshot, and whole tables to take away.

So that nobody needs a back door to ask a question. See :mod:`formicary.gateway.snapshot` for what a question may do.
"""

from __future__ import annotations

import asyncio
import csv
import importlib
import io
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
from starlette.responses import StreamingResponse

from formicary.gateway.problems import Problem
from formicary.gateway.routes import Asked, Route
from formicary.gateway.shared import time_text
from formicary.gateway.snapshot import CODES as SNAPSHOT_CODES
from formicary.gateway.snapshot import SQL_CHARS_MAX, Snapshot, Value
from formicary.products.anatomy import Access

if TYPE_CHECKING:
    from formicary.gateway.door import Door

EXPORT_ROWS_MAX: Final = 5_000_000
EXPORT_SECONDS_MAX: Final = 600.0
EXPORT_CHUNK: Final = 10_000
AT_ONCE_MAX: Final = 2
"""Questions and exports at once; the next one waits."""
CODES: Final = {
    **SNAPSHOT_CODES,
    "extra_missing": "This needs a package that is not installed here: formicary[data].",
}


class Sql(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One SELECT over the tables of the ledger."""

    sql: Annotated[str, msgspec.Meta(max_length=SQL_CHARS_MAX)]


class SqlAnswer(msgspec.Struct, frozen=True):
    """Rows, as of one entry; blobs are hexadecimal digits."""

    columns: tuple[str, ...]
    rows: tuple[tuple[int | float | str | None, ...], ...]
    more: bool
    """Whether there were more rows than an answer holds."""
    entry: int
    time: str
    milliseconds: int


class TablesTold(msgspec.Struct, frozen=True):
    """What can be asked: each table and its columns."""

    tables: dict[str, tuple[str, ...]]


class ExportAsked(msgspec.Struct, frozen=True):
    """Which table, and how."""

    table: Annotated[str, msgspec.Meta(max_length=64)]
    format: Literal["csv", "parquet"] = "csv"


def plain(value: Value) -> int | float | str | None:
    """Write a value for JSON or CSV: a blob as hexadecimal digits."""
    return value.hex() if isinstance(value, bytes) else value


def ask_snapshot(ledger: Any, sql: str) -> SqlAnswer:  # noqa: ANN401 - a Ledger or a Follower
    """Take a snapshot, ask it, and let go of it; blocks."""
    begun = time.monotonic()
    with Snapshot(ledger) as snapshot:
        columns, rows, more = snapshot.ask(sql)
        return SqlAnswer(
            columns=tuple(columns),
            rows=tuple(tuple(plain(value) for value in row) for row in rows),
            more=more,
            entry=snapshot.entry,
            time=time_text(snapshot.time_ns),
            milliseconds=int((time.monotonic() - begun) * 1000),
        )


class OperatorSql:
    """The routes' handlers."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._turn = asyncio.Semaphore(AT_ONCE_MAX)

    async def ask(self, asked: Asked) -> SqlAnswer:
        """Answer one question."""
        async with self._turn:
            return await asyncio.to_thread(ask_snapshot, self._door.ledger, asked.body.sql)

    async def tables(self, _: Asked) -> TablesTold:
        """Tell what can be asked."""
        async with self._turn:
            return await asyncio.to_thread(self._tables)

    def _tables(self) -> TablesTold:
        with Snapshot(self._door.ledger) as snapshot:
            found = {}
            for table in snapshot.tables:
                columns, _, _ = snapshot.ask(f'SELECT * FROM "{table}" LIMIT 1')  # noqa: S608 - one that there is
                found[table] = tuple(columns)
            return TablesTold(found)

    async def export(self, asked: Asked) -> StreamingResponse:
        """Stream a whole table, as of one entry."""
        table, form = asked.query.table, asked.query.format
        if form == "parquet":
            _arrow()
        snapshot = await asyncio.to_thread(Snapshot, self._door.ledger)
        if table not in snapshot.tables:
            snapshot.close()
            raise Problem("sql_refused", f"there is no table {table!r}", status=422, where="table")
        parts = (csv_parts if form == "csv" else parquet_parts)(snapshot, table)
        media = "text/csv" if form == "csv" else "application/vnd.apache.parquet"
        name = f'attachment; filename="{table}-{snapshot.entry}.{form}"'
        return StreamingResponse(parts, media_type=media, headers={"Content-Disposition": name})


def chunks(snapshot: Snapshot, table: str) -> Iterator[tuple[list[str], list[tuple[Value, ...]]]]:
    """Walk over a table in chunks, at least one, and close the snapshot behind it."""
    with snapshot:
        names: list[str] = []
        rows: list[tuple[Value, ...]] = []
        for count, (names, row) in enumerate(snapshot.walk_table(table, seconds_max=EXPORT_SECONDS_MAX)):
            if row is None:
                break
            rows.append(row)
            if len(rows) == EXPORT_CHUNK:
                yield names, rows
                rows = []
            if count > EXPORT_ROWS_MAX:
                raise Problem("sql_too_slow", f"the table has more than {EXPORT_ROWS_MAX:,} rows", status=422)
        yield names, rows


def csv_parts(snapshot: Snapshot, table: str) -> Iterator[bytes]:
    """Write a table as CSV (RFC 4180)."""
    begun = False
    for names, rows in chunks(snapshot, table):
        text = io.StringIO()
        writer = csv.writer(text)
        if not begun:
            writer.writerow(names)
            begun = True
        writer.writerows([plain(value) for value in row] for row in rows)
        yield text.getvalue().encode()


class Pipe(io.RawIOBase):
    """A file that only grows: what was written is taken away at once, and its place is remembered."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401 - anything with bytes
        """Keep bytes until they are taken."""
        part = bytes(data)
        self._parts.append(part)
        self._size += len(part)
        return len(part)

    def tell(self) -> int:
        """Return how much was written in all."""
        return self._size

    def take(self) -> bytes:
        """Take what was written since the last time."""
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


def parquet_parts(snapshot: Snapshot, table: str) -> Iterator[bytes]:
    """Write a table as Parquet; a column is of integers where all of its first values are, else of text."""
    arrow, parquet = _arrow()
    pipe, writer = Pipe(), None
    for names, rows in chunks(snapshot, table):
        columns = list(zip(*rows, strict=True)) or [() for _ in names]
        if writer is None:
            kinds = [
                arrow.int64() if _is_integers(column) and name != "user_data_64" else arrow.string()
                for name, column in zip(names, columns, strict=True)
            ]
            schema = arrow.schema(list(zip(names, kinds, strict=True)))
            writer = parquet.ParquetWriter(pipe, schema, compression="zstd")
        cells = [
            arrow.array(_cells(column, as_text=kind == arrow.string()), kind)
            for column, kind in zip(columns, kinds, strict=True)
        ]
        writer.write_batch(arrow.record_batch(cells, schema=schema))
        yield pipe.take()
    assert writer is not None, "there is at least one chunk"
    writer.close()
    yield pipe.take()


def _is_integers(column: tuple[Value, ...]) -> bool:
    return bool(column) and all(value is None or isinstance(value, int) for value in column)


def _cells(column: tuple[Value, ...], *, as_text: bool) -> list[Any]:
    told = [plain(value) for value in column]
    return [None if value is None else str(value) for value in told] if as_text else told


def _arrow() -> tuple[Any, Any]:
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise Problem("extra_missing", CODES["extra_missing"], status=501) from error


def routes(door: Door) -> list[Route]:
    """The operator's routes of SQL and exports."""
    sql = OperatorSql(door)
    return [
        Route(
            method="POST",
            path="/v1/operator/sql",
            handle=sql.ask,
            summary="Ask the ledger in SQL, read-only, as of one entry.",
            access=Access.OPERATOR,
            scope="ledger:read",
            body=Sql,
            answer=SqlAnswer,
            codes=tuple(SNAPSHOT_CODES),
        ),
        Route(
            method="GET",
            path="/v1/operator/tables",
            handle=sql.tables,
            summary="The tables that SQL can ask, with their columns.",
            access=Access.OPERATOR,
            scope="ledger:read",
            answer=TablesTold,
        ),
        Route(
            method="GET",
            path="/v1/operator/export",
            handle=sql.export,
            summary="A whole table as CSV or Parquet, as of one entry.",
            access=Access.OPERATOR,
            scope="ledger:read",
            query=ExportAsked,
            media="text/csv",
            also=("application/vnd.apache.parquet",),
            codes=("sql_refused", "extra_missing"),
        ),
    ]
