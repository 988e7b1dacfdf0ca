"""A consistent, read-only picture of everything the ledger has, as SQL tables.

It is taken between two entries: the products' rows by one read transaction of a connection of its own, ``accounts`` as
a copy, ``transfers`` as how many there were, for stored transfers never change. So a question may take its time, sees
one moment, and holds nobody up. Nothing in it can be changed: an authorizer lets only SELECT through, and a clock
and limits end what takes too long or grows too large.

Ids are 16-byte blobs in all tables, so that rows of products join with accounts and transfers; they are written as
hexadecimal. There is no personal data in any of it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

import apsw
import numpy as np

from formicary.base.errors import Refusal
from formicary.base.ids import join_ids
from formicary.base.money import asset_code
from formicary.gateway.problems import Problem

if TYPE_CHECKING:
    from formicary.machine.machine import Machine
    from formicary.node.reading import MachineReads

Value: TypeAlias = int | float | str | bytes | None
SQL_SECONDS_MAX: Final = 10.0
SQL_ROWS_MAX: Final = 10_000
SQL_CHARS_MAX: Final = 10_000
SQL_VALUE_BYTES_MAX: Final = 1 << 20
STEPS: Final = 5_000
"""Steps of SQLite's machine between two looks at the clock."""
CODES: Final = {
    "sql_refused": "Only SELECT is allowed, over the tables of the ledger.",
    "sql_malformed": "The question can't be read.",
    "sql_too_slow": "The question took too long; ask for less, or export the tables.",
}
_LIMITS: Final = {
    apsw.SQLITE_LIMIT_LENGTH: SQL_VALUE_BYTES_MAX,
    apsw.SQLITE_LIMIT_SQL_LENGTH: SQL_CHARS_MAX,
    apsw.SQLITE_LIMIT_COLUMN: 200,
    apsw.SQLITE_LIMIT_EXPR_DEPTH: 100,
    apsw.SQLITE_LIMIT_COMPOUND_SELECT: 20,
    apsw.SQLITE_LIMIT_ATTACHED: 0,
    apsw.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 200,
    apsw.SQLITE_LIMIT_VARIABLE_NUMBER: 100,
    apsw.SQLITE_LIMIT_TRIGGER_DEPTH: 1,
}
_ALLOWED: Final = frozenset({apsw.SQLITE_SELECT, apsw.SQLITE_FUNCTION, apsw.SQLITE_RECURSIVE})
_FUNCTIONS_REFUSED: Final = frozenset({"load_extension", "fts3_tokenizer", "randomblob", "zeroblob"})
_SCHEMA_TABLES: Final = frozenset({"sqlite_schema", "sqlite_master"})

ACCOUNT_COLUMNS: Final = (
    "id asset code flags debits_held debits_posted credits_held credits_posted user_data user_data_64 user_data_32 "
    "time_ns transfers"
)
TRANSFER_COLUMNS: Final = (
    "id debit credit amount_minor asset code flags hold timeout_s user_data user_data_64 user_data_32 time_ns"
)
_FIELDS: Final = {"time_ns": "time", "amount_minor": "amount", "timeout_s": "timeout"}
_IDS: Final = frozenset({"id", "debit", "credit", "hold", "user_data"})
CHUNK: Final = 4096


class Snapshot:
    """One moment of a ledger, to ask by SQL; close it soon, for it keeps SQLite from tidying up behind the writer."""

    def __init__(self, ledger: MachineReads) -> None:
        self._ledger = ledger
        self._deadline = 0.0
        self._connection = apsw.Connection(":memory:")
        self.entry, self.time_ns, self._accounts, self._transfers = ledger._read(self._take)  # noqa: SLF001
        names = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
        rows: Any = self._connection.execute(names).fetchall()
        self.tables: tuple[str, ...] = ("accounts", "transfers", *(row[0] for row in rows))
        modules: Any = self._connection.execute("PRAGMA module_list").fetchall()
        self._refused = {row[0] for row in modules} - {"json_each", "json_tree"}
        self._add_tables()
        self._fence()

    def _take(self, machine: Machine) -> tuple[int, int, Any, int]:
        """Run between two entries: whatever is begun or copied here is of one moment."""
        path = machine.rows.path
        if path is None:
            self._connection.deserialize("main", machine.rows.connection.serialize("main"))
        else:
            machine.rows.commit()
            self._connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        self._connection.execute("BEGIN").fetchall()
        self._connection.execute("SELECT count(*) FROM machine_counters").fetchall()
        accounts = machine.kernel.stored_accounts(0, machine.kernel.accounts_count).copy()
        return machine.index, machine.time_ns, accounts, machine.kernel.transfers_count

    def _add_tables(self) -> None:
        accounts: Any = _Records(self._connection, ACCOUNT_COLUMNS, self._all_accounts, self._one_account)
        transfers: Any = _Records(self._connection, TRANSFER_COLUMNS, self._all_transfers, self._one_transfer)
        self._connection.create_module("accounts", accounts, eponymous_only=True, read_only=True)
        self._connection.create_module("transfers", transfers, eponymous_only=True, read_only=True)

    def _all_accounts(self) -> Iterator[Any]:
        for first in range(0, len(self._accounts), CHUNK):
            yield self._accounts[first : first + CHUNK]

    def _one_account(self, number: int) -> Iterator[Any]:
        low, high = number & (2**64 - 1), number >> 64
        yield self._accounts[(self._accounts["id_lo"] == low) & (self._accounts["id_hi"] == high)]

    def _all_transfers(self) -> Iterator[Any]:
        left = self._transfers
        for records in self._ledger.transfer_records(chunk=CHUNK):
            if left <= 0:
                return
            yield records[:left]
            left -= len(records)

    def _one_transfer(self, number: int) -> Iterator[Any]:
        found = self._ledger.lookup_transfers([number])
        yield found[found["time"] <= self.time_ns]

    def _fence(self) -> None:
        for which, limit in _LIMITS.items():
            self._connection.limit(which, limit)
        for option in (apsw.SQLITE_DBCONFIG_DQS_DML, apsw.SQLITE_DBCONFIG_DQS_DDL):
            self._connection.config(option, 0)
        self._connection.set_progress_handler(self._is_late, STEPS)
        self._connection.authorizer = self._authorize

    def _is_late(self) -> bool:
        return time.monotonic() > self._deadline

    def _authorize(self, action: int, one: str | None, two: str | None, *_: object) -> int:
        if action == apsw.SQLITE_READ:
            return apsw.SQLITE_DENY if self._is_foreign(one or "") else apsw.SQLITE_OK
        if action == apsw.SQLITE_FUNCTION and two in _FUNCTIONS_REFUSED:
            return apsw.SQLITE_DENY
        return apsw.SQLITE_OK if action in _ALLOWED else apsw.SQLITE_DENY

    def _is_foreign(self, table: str) -> bool:
        """Whether a name is of a table that is SQLite's own; one that is no table at all is of the question itself."""
        if table in self.tables or table in _SCHEMA_TABLES:
            return False
        return table in self._refused or table.startswith(("sqlite_", "pragma_"))

    def ask(
        self, sql: str, *, rows_max: int = SQL_ROWS_MAX, seconds_max: float = SQL_SECONDS_MAX
    ) -> tuple[list[str], list[tuple[Value, ...]], bool]:
        """Answer (names of columns, rows, whether there were more); blocks.

        Refuses what is not one SELECT (``sql_refused``, ``sql_malformed``) and what takes too long (``sql_too_slow``).
        """
        names: list[str] = []
        rows: list[tuple[Value, ...]] = []
        for self_names, row in self._walk(sql, seconds_max):
            names = self_names
            if row is not None:
                if len(rows) >= rows_max:
                    return names, rows, True
                rows.append(row)
        return names, rows, False

    def walk_table(self, table: str, *, seconds_max: float) -> Iterator[tuple[list[str], tuple[Value, ...] | None]]:
        """Walk over a whole table: first its columns with None, then each row."""
        if table not in self.tables:
            raise Problem("sql_refused", f"there is no table {table[:64]!r}", status=422, where="table")
        return self._walk(f'SELECT * FROM "{table}"', seconds_max)  # noqa: S608 - one of the tables that there are

    def _walk(self, sql: str, seconds_max: float) -> Iterator[tuple[list[str], tuple[Value, ...] | None]]:
        self._deadline = time.monotonic() + seconds_max
        names: list[str] = []
        statements = 0

        def begun(cursor: apsw.Cursor, _sql: str, _bindings: object) -> bool:
            nonlocal statements, names
            statements += 1
            names = [column[0] for column in cursor.get_description()]
            return statements == 1

        cursor = self._connection.cursor()
        cursor.exec_trace = begun
        try:
            for row in cursor.execute(sql):
                yield names, row
            yield names, None
        except apsw.InterruptError:
            raise Problem("sql_too_slow", CODES["sql_too_slow"], status=422) from None
        except (apsw.AuthError, apsw.ReadOnlyError, apsw.ExecTraceAbort):
            raise Problem("sql_refused", CODES["sql_refused"], status=422, where="sql") from None
        except (apsw.Error, Refusal, UnicodeError) as error:
            raise Problem("sql_malformed", str(error)[:300], status=422, where="sql") from None
        finally:
            cursor.close(True)  # noqa: FBT003 - apsw's own: whatever it was at

    def close(self) -> None:
        """Let go of the moment."""
        self._connection.authorizer = None
        self._connection.close(True)  # noqa: FBT003 - apsw's own: even while something is half read

    def __enter__(self) -> Self:
        """Use the snapshot in a ``with`` block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()


class _Records:
    """A virtual table over kernel records: every one, or the one with an id."""

    def __init__(self, connection: apsw.Connection, columns: str, every: Any, one: Any) -> None:  # noqa: ANN401
        self.connection = connection
        self.columns = columns.split()
        self.every = every
        self.one = one

    def Create(self, *_: object) -> tuple[str, _Records]:  # noqa: N802 - apsw calls it so
        """Declare the table."""
        return f"CREATE TABLE x ({', '.join(self.columns)})", self

    Connect = Create

    def BestIndex(self, constraints: Sequence[tuple[int, int]], _orders: object) -> Any:  # noqa: ANN401, N802
        """Choose between the one with an id and all of them."""
        used: list[int | None] = [None] * len(constraints)
        for at, (column, operation) in enumerate(constraints):
            if column == 0 and operation == apsw.SQLITE_INDEX_CONSTRAINT_EQ:
                used[at] = 0
                return used, 1, "", False, 1.0
        return used, 0, "", False, 1e9

    def Open(self) -> _Cursor:  # noqa: N802
        """Begin a walk."""
        return _Cursor(self)

    def Disconnect(self) -> None:  # noqa: N802
        """Nothing to let go of."""

    Destroy = Disconnect


class _Cursor:
    """One walk over a virtual table, some thousand records at a time."""

    def __init__(self, table: _Records) -> None:
        self._table = table
        self._chunks: Iterator[Any] = iter(())
        self._rows: list[tuple[Value, ...]] = []
        self._at = 0
        self._rowid = 0

    def Filter(self, number: int, _name: str, arguments: Sequence[Any]) -> None:  # noqa: N802
        """Begin anew with what BestIndex chose."""
        if number == 0:
            self._chunks = self._table.every()
        elif isinstance(arguments[0], bytes) and len(arguments[0]) == 16:
            self._chunks = self._table.one(int.from_bytes(arguments[0], "big"))
        else:
            self._chunks = iter(())
        self._rows, self._at, self._rowid = [], -1, 0
        self.Next()

    def Next(self) -> None:  # noqa: N802
        """Go on by one."""
        self._at += 1
        self._rowid += 1
        while self._at >= len(self._rows):
            chunk = next(self._chunks, None)
            if chunk is None:
                self._rows, self._at = [], 0
                return
            self._rows, self._at = rows_of(chunk, self._table.columns), 0

    def Eof(self) -> bool:  # noqa: N802
        """Whether the walk is at its end."""
        return not self._rows

    def Column(self, number: int) -> Value:  # noqa: N802
        """One value."""
        return self._rowid if number < 0 else self._rows[self._at][number]

    def Rowid(self) -> int:  # noqa: N802
        """A number of the row within the walk."""
        return self._rowid

    def Close(self) -> None:  # noqa: N802
        """End the walk."""
        self._rows = []


def rows_of(records: Any, columns: Sequence[str]) -> list[tuple[Value, ...]]:  # noqa: ANN401 - a structured array
    """Turn kernel records into rows: ids as 16 bytes big-endian, assets as letters, integers as SQLite has them."""
    cells: list[Sequence[Value]] = []
    for name in columns:
        if name in _IDS:
            halves = join_ids(records[f"{name}_lo"], records[f"{name}_hi"])
            cells.append([number.to_bytes(16, "big") for number in halves])
        elif name == "asset":
            letters = {number: asset_code(number) for number in np.unique(records["asset"]).tolist()}
            cells.append([letters[number] for number in records["asset"].tolist()])
        else:
            values = records[_FIELDS.get(name, name)].tolist()
            cells.append([value if value < 2**63 else str(value) for value in values])
    return list(zip(*cells, strict=True))
