"""The fence round a handler's rows: its own product's tables, integers, texts and bytes, in a settled order.

A statement is judged once for each product, before it first runs: by its words (``sql.py``), and by SQLite itself,
whose authorizer is told of every table, column and function that the statement would touch. Afterwards it runs
unwatched at full speed. Results are still looked at: no float may come back, and no more rows than the limit.

Breaking the fence is a bug in the product, not an outcome: ``FenceBroken`` is an assertion, and the node stops before
two nodes can disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import Any, Final

import apsw

from formicary.machine.points import Point, point_of
from formicary.machine.sql import TableShape, Unsafe, check_statement, tokens_of
from formicary.machine.working_set import Table, WorkingSet
from formicary.products.anatomy import Product

ROWS_MAX: Final = 10_000
"""Rows that one query of a handler may return."""
KNOWN_MAX: Final = 1 << 16
"""Answers out of steady tables that one product's rows keep in memory."""
Value = int | str | bytes | None
Row = tuple[Any, ...]
"""Values of a result, each of the type that its STRICT column has."""

FUNCTIONS: Final = frozenset({
    "coalesce", "count", "glob", "hex", "ifnull", "iif", "instr", "length", "like", "lower", "max", "min", "nullif",
    "substr", "substring", "unhex", "upper",
})  # fmt: skip
"""Functions that a handler may use in SQL: the same answer on every node, and no float from integers."""

_READS: Final = frozenset({"select"})
_WRITES: Final = frozenset({"insert", "replace", "update", "delete"})
_VALUE_TYPES: Final = frozenset({int, str, bytes, type(None)})
_TOUCHING: Final = frozenset({apsw.SQLITE_READ, apsw.SQLITE_INSERT, apsw.SQLITE_UPDATE, apsw.SQLITE_DELETE})
_SCHEMA_ACTIONS: Final = frozenset({apsw.SQLITE_CREATE_TABLE, apsw.SQLITE_CREATE_INDEX})
_CATALOGUE: Final = frozenset({"sqlite_master", "sqlite_schema"})
_TYPE_OF: Final = {"INTEGER": int, "TEXT": str, "BLOB": bytes}
"""What a STRICT column of a type holds, beside NULL."""
_SCHEMA_WORDS_REFUSED: Final = frozenset({
    "always", "as", "autoincrement", "cascade", "check", "collate", "current_date", "current_time", "current_timestamp",
    "generated", "random", "select", "temp", "temporary", "trigger", "view", "virtual",
})  # fmt: skip


class FenceBroken(AssertionError):
    """A product said something to the database that could make two nodes differ."""

    def __init__(self, product: str, sql: str, why: str) -> None:
        super().__init__(f"{product}: {why}: {' '.join(sql.split())}")


class Fence:
    """Judges what products say to one database."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def rows_of(self, product: Product, working: WorkingSet) -> FencedRows:
        """The rows of one product, for its handlers."""
        return FencedRows(self._connection, product, working)

    def create_tables(self, product: Product) -> None:
        """Run a product's schema, and refuse tables whose rows could differ or could not be told apart."""
        try:
            refused = {token.text for token in tokens_of(product.schema)} & _SCHEMA_WORDS_REFUSED
        except Unsafe as error:
            raise FenceBroken(product.name, product.schema, str(error)) from None
        if refused:
            raise FenceBroken(product.name, product.schema, f"{min(refused)} is not for a schema")
        with _watched(self._connection, product.name, product.schema, lambda *seen: _allows_creation(product, *seen)):
            self._connection.execute(product.schema)
        for table in _tables(self._connection, product):
            _check_table(self._connection, product, table)


class FencedRows:
    """What a handler sees of the database."""

    def __init__(self, connection: apsw.Connection, product: Product, working: WorkingSet) -> None:
        self._connection = connection
        self._product = product
        self._working = working
        self._shapes = {table: _shape(connection, table) for table in _tables(connection, product)}
        self._tables = {table.name: table for table in map(partial(_table, connection), self._shapes) if table}
        for table in self._tables.values():
            working.add(table)
        self._approved: dict[str, str] = {}
        self._points: dict[str, Point] = {}
        """Statements that name one row by its key."""
        self._touches: dict[str, tuple[Table, ...]] = {}
        """Tables of the other statements, as far as their rows may wait in the working set."""
        self._touched: set[str] = set()
        """Tables of the statement that is being judged."""
        self._steady_reads: set[str] = set()
        self._steady_writes: set[str] = set()
        """Statements that read nothing but steady tables, and those that write one."""
        self._known: dict[tuple[str, tuple[Value, ...]], Row | None] = {}
        """What :meth:`one` found in steady tables."""
        self._unsettled = False
        assert product.steady <= self._shapes.keys(), f"{product.name}: {product.steady} are not all its tables"

    def all(self, sql: str, *values: Value) -> list[Row]:
        """Every row of a query, in its order; at most 10,000."""
        self._judge(sql, values, _READS)
        point = self._points.get(sql)
        if point is not None and point.fits(values):
            found = point.read(self._working, values)
            return [] if found is None else [found]
        self._see_all(sql)
        rows: list[Row] = list(islice(self._connection.execute(sql, values), ROWS_MAX + 1))
        if len(rows) > ROWS_MAX:
            raise FenceBroken(self._product.name, sql, f"more than {ROWS_MAX} rows")
        for row in rows:
            self._check(sql, row)
        return rows

    def one(self, sql: str, *values: Value) -> Row | None:
        """The only row of a query, or None; a second row is a bug."""
        self._judge(sql, values, _READS)
        point = self._points.get(sql)
        if point is not None and point.fits(values):
            return point.read(self._working, values)
        if sql in self._steady_reads and not self._unsettled:
            key = (sql, values)
            if key not in self._known:
                if len(self._known) >= KNOWN_MAX:
                    self._known.clear()
                self._known[key] = self._look_up(sql, values)
            return self._known[key]
        return self._look_up(sql, values)

    def _look_up(self, sql: str, values: tuple[Value, ...]) -> Row | None:
        self._see_all(sql)
        cursor = self._connection.execute(sql, values)
        row: Row | None = cursor.fetchone()
        if row is None:
            return None
        if cursor.fetchone() is not None:
            raise FenceBroken(self._product.name, sql, "more than one row")
        self._check(sql, row)
        return row

    def run(self, sql: str, *values: Value) -> int:
        """Insert, update or delete; answer how many rows it touched."""
        self._judge(sql, values, _WRITES)
        if sql in self._steady_writes:
            self.unsettle()
        point = self._points.get(sql)
        if point is not None and point.fits(values):
            if self._working.waits:
                return point.change(self._working, values)
            point.forget(values)
        else:
            self._working.write_through()
            for table in self._touches[sql]:
                table.known.clear()
        self._connection.execute(sql, values)
        return self._connection.changes()

    def _see_all(self, sql: str) -> None:
        """Let SQLite have the rows that a query looks at, if some of them are in memory only."""
        if any(table.before for table in self._touches[sql]):
            self._working.write_through()

    def unsettle(self) -> None:
        """Forget what was read of steady tables, and read them anew until :meth:`settle`."""
        self._known.clear()
        self._unsettled = True

    def settle(self) -> None:
        """Between two entries: what is written now is not taken back by itself."""
        self._unsettled = False

    def _judge(self, sql: str, values: tuple[Value, ...], verbs: frozenset[str]) -> None:
        if not _VALUE_TYPES.issuperset(map(type, values)):
            odd = next(type(value) for value in values if type(value) not in _VALUE_TYPES)
            raise FenceBroken(self._product.name, sql, f"{odd.__name__} is not a value for a row")
        if self._approved.get(sql) not in verbs:
            self._approve(sql, values, verbs)

    def _approve(self, sql: str, values: tuple[Value, ...], verbs: frozenset[str]) -> None:
        """Judge a statement that this product has not used before."""
        try:
            verb = check_statement(sql, self._shapes)
        except Unsafe as error:
            raise FenceBroken(self._product.name, sql, str(error)) from None
        if verb not in verbs:
            raise FenceBroken(self._product.name, sql, f"{verb} is not for this method")
        self._touched.clear()
        with _watched(self._connection, self._product.name, sql, self._allows):
            # EXPLAIN compiles the statement, which is what the authorizer watches, and runs nothing of it.
            self._connection.execute(sql, values, explain=1, can_cache=False).fetchall()
        self._approved[sql] = verb
        self._touches[sql] = tuple([self._tables[name] for name in sorted(self._touched) if name in self._tables])
        point = point_of(sql, self._tables)
        if point is not None:
            self._points[sql] = point
        steady = self._product.steady
        if verb == "select" and self._touched and self._touched <= steady:
            self._steady_reads.add(sql)
        elif verb != "select" and not self._touched.isdisjoint(steady):
            self._steady_writes.add(sql)

    def _allows(self, action: int, first: str | None, second: str | None) -> str:
        """Why SQLite may not do this for the product; empty when it may."""
        if action == apsw.SQLITE_SELECT:
            return ""
        if action == apsw.SQLITE_FUNCTION:
            return "" if second in FUNCTIONS else f"{second}() is not allowed"
        if action not in _TOUCHING:
            return f"{apsw.mapping_authorizer_function[action]} is not allowed"
        if first not in self._shapes:
            return f"{first} is not a table of {self._product.name}"
        self._touched.add(str(first))
        if action == apsw.SQLITE_UPDATE and any(second in key for key in self._shapes[str(first)].keys):
            return f"{second} is part of a key: delete and insert instead"
        return ""

    def _check(self, sql: str, row: Row) -> None:
        if float in map(type, row):  # det-ok: it looks for floats
            raise FenceBroken(self._product.name, sql, "a float came back")


def _allows_creation(product: Product, action: int, first: str | None, second: str | None) -> str:
    """Why a schema may not do this; empty when it may."""
    if action in _SCHEMA_ACTIONS:
        # An index that SQLite makes by itself, for a key, is called sqlite_autoindex_<table>_<number>.
        own = str(first).removeprefix("sqlite_autoindex_").startswith(product.prefix)
        return "" if own else f"{first} does not begin with {product.prefix}"
    internal = action in _TOUCHING and first in _CATALOGUE
    harmless = action in {apsw.SQLITE_SELECT, apsw.SQLITE_REINDEX}
    own_table = action in _TOUCHING and str(first).startswith(product.prefix)
    return "" if internal or harmless or own_table else f"{apsw.mapping_authorizer_function[action]} {first} {second}"


@contextmanager
def _watched(connection: apsw.Connection, product: str, sql: str, allows: Callable[..., str]) -> Iterator[None]:
    """Ask ``allows`` about each step that SQLite would take; break the fence at the first that it does not allow."""
    reasons: list[str] = []

    def authorize(action: int, first: str | None, second: str | None, database: str | None, _via: str | None) -> int:
        why = allows(action, first, second) if database in {None, "main"} else f"database {database} is not allowed"
        reasons.extend([why] if why else [])
        return apsw.SQLITE_DENY if why else apsw.SQLITE_OK

    connection.authorizer = authorize
    try:
        yield
    except (apsw.AuthError, apsw.SQLError) as error:
        raise FenceBroken(product, sql, reasons[0] if reasons else str(error)) from error
    finally:
        connection.authorizer = None


def _tables(connection: apsw.Connection, product: Product) -> list[str]:
    sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB ? ORDER BY name"
    return [str(name) for (name,) in connection.execute(sql, (f"{product.prefix}*",))]


def _shape(connection: apsw.Connection, table: str) -> TableShape:
    """Columns and keys of a table; a key that can hold NULL identifies nothing and is left out."""
    columns = connection.execute(
        'SELECT name, "notnull", pk FROM pragma_table_xinfo(?) ORDER BY cid', (table,)
    ).fetchall()
    required = {name for name, not_null, _ in columns if not_null}
    keys = [frozenset(str(name) for name, _, place in columns if place)]
    sql = 'SELECT name FROM pragma_index_list(?) WHERE "unique" AND NOT partial ORDER BY seq'
    for (index,) in connection.execute(sql, (table,)).fetchall():
        names = connection.execute("SELECT name FROM pragma_index_info(?) ORDER BY seqno", (index,)).fetchall()
        keys.append(frozenset(str(name) for (name,) in names))
    return TableShape(
        frozenset(str(name) for name, _, _ in columns), tuple(key for key in keys if key and key <= required)
    )


def _table(connection: apsw.Connection, name: str) -> Table | None:
    """A table whose rows may wait in memory; None when SQLite has more to say of a row than its primary key.

    With another unique key the order of writing counts, and a default value is SQLite's to know.
    """
    unique = connection.execute(
        'SELECT count(*) FROM pragma_index_list(?) WHERE "unique" AND origin <> ?', (name, "pk")
    )
    columns = connection.execute(
        "SELECT name, type, pk, dflt_value, hidden FROM pragma_table_xinfo(?) ORDER BY cid", (name,)
    ).fetchall()
    if unique.fetchone() != (0,) or any(default is not None or hidden for _, _, _, default, hidden in columns):
        return None
    key = sorted((int(place), number) for number, (_, _, place, _, _) in enumerate(columns) if place)
    return Table(
        name,
        tuple([str(column).lower() for column, *_ in columns]),
        tuple([_TYPE_OF[str(kind)] for _, kind, *_ in columns]),
        tuple([number for _, number in key]),
    )


def _check_table(connection: apsw.Connection, product: Product, table: str) -> None:
    """STRICT, a key that is never NULL, and columns that can hold no float."""
    sql = "SELECT strict FROM pragma_table_list(?) WHERE schema = 'main'"
    if connection.execute(sql, (table,)).fetchone() != (1,):
        raise FenceBroken(product.name, table, "the table is not STRICT")
    sql = "SELECT name, type FROM pragma_table_xinfo(?) ORDER BY cid"
    for name, kind in connection.execute(sql, (table,)):
        if kind not in _TYPE_OF:
            raise FenceBroken(product.name, f"{table}.{name}", f"{kind} is not INTEGER, TEXT or BLOB")
    if not _shape(connection, table).keys:
        raise FenceBroken(product.name, table, "the table has no key of NOT NULL columns")
    primary = connection.execute(
        'SELECT count(*) FROM pragma_table_xinfo(?) WHERE pk AND "notnull"', (table,)
    ).fetchone()
    if primary == (0,):
        raise FenceBroken(product.name, table, "the table has no PRIMARY KEY of NOT NULL columns")
