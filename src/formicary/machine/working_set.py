"""The working set: rows that statements name by their whole primary key, kept in memory while entries run.

Most of what a payment reads and writes are single rows by their key: a person, a purse, a limit. A handler says so in
SQL; where a statement is of that kind (``points.py``), the row comes from here, and a change stays here until the
entry ends. Then all changes are written at once, and they are known without asking SQLite what was different.

Any other statement needs the database as it would be by now. :meth:`WorkingSet.write_through` brings it there, once in
an entry, and from then on changes go to SQLite at once, under a savepoint for each command.

Invariants: between two entries the database has everything, and a row that is kept here is as it is there; a command
that is taken back leaves nothing here; the net changes of an entry are the same whichever way it took.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import apsw

Value = int | str | bytes | None
Row = tuple[Value, ...]
Change = tuple[str, str, Row | list[Value] | None, Row | list[Value] | None]
"""(table, INSERT, UPDATE or DELETE, the row before, the row after). Of an update there are the key's values before, and
what changed, before and after; True stands for "as it was", for no row holds a truth value."""

KNOWN_MAX: Final = 1 << 16
"""Rows that are kept in memory from one entry to the next."""
_UNKNOWN: Final[Any] = object()


@dataclass(eq=False)
class Table:
    """One table whose rows can be named by their key: its columns in order, and what is known of its rows."""

    name: str
    columns: tuple[str, ...]
    types: tuple[type, ...]
    key: tuple[int, ...]
    """Places of the primary key's columns, in the key's own order."""
    known: dict[Row, Row | None] = field(default_factory=dict)
    """Rows by key, as they are by now; None for a key that no row has."""
    before: dict[Row, Row | None] = field(default_factory=dict)
    """Rows that this entry changed and SQLite does not have yet, as they were before it."""

    @cached_property
    def select(self) -> str:
        """Read a row by its key."""
        return f"SELECT {', '.join(self.columns)} FROM {self.name} WHERE {self._where}"  # noqa: S608 - from a schema

    @cached_property
    def insert(self) -> str:
        """Write a whole row."""
        places = ", ".join("?" * len(self.columns))
        return f"INSERT INTO {self.name} ({', '.join(self.columns)}) VALUES ({places})"  # noqa: S608 - from a schema

    @cached_property
    def delete(self) -> str:
        """Delete a row by its key."""
        return f"DELETE FROM {self.name} WHERE {self._where}"  # noqa: S608 - from a schema

    def update(self, places: tuple[int, ...]) -> str:
        """Set some columns of a row; only what changed, so that indexes of the rest are left alone."""
        columns = ", ".join(f"{self.columns[place]} = ?" for place in places)
        return f"UPDATE {self.name} SET {columns} WHERE {self._where}"  # noqa: S608 - from a schema

    @cached_property
    def _where(self) -> str:
        return " AND ".join(f"{self.columns[place]} = ?" for place in self.key)

    def key_of(self, row: Row) -> Row:
        """The values of a row's key."""
        return tuple([row[place] for place in self.key])


class WorkingSet:
    """Rows in memory, over one database."""

    def __init__(self, connection: apsw.Connection, watch: Callable[[], None]) -> None:
        """``watch`` is called before SQLite itself is written to for the first time in an entry."""
        self._connection = connection
        self._watch = watch
        self._tables: list[Table] = []
        self._journal: list[tuple[Table, Row, Row | None]] = []
        """What the command under way changed: (table, key, the row before)."""
        self._under_way = False
        self._in_command = False
        self._through = False

    def add(self, table: Table) -> None:
        """Keep rows of this table from now on."""
        self._tables.append(table)

    # ── rows ────────────────────────────────────────────────────────────────────────────────────────────────────

    def read(self, table: Table, key: Row) -> Row | None:
        """The row with this key, or None."""
        row: Row | None = table.known.get(key, _UNKNOWN)
        if row is _UNKNOWN:
            row = self._connection.execute(table.select, key).fetchone()
            table.known[key] = row
        return row

    def write(self, table: Table, key: Row, row: Row | None) -> None:
        """Insert, change or delete (None) the row with this key, until the entry ends; it was read before."""
        old = table.known[key]
        self._journal.append((table, key, old))
        table.before.setdefault(key, old)
        table.known[key] = row

    @property
    def waits(self) -> bool:
        """Whether changes may wait for the end of the entry; else they are SQLite's at once."""
        return self._under_way and not self._through

    def write_through(self) -> None:
        """Let SQLite have everything by now, and from now on; before any statement that names rows otherwise."""
        if not self.waits:
            return
        self._watch()
        later = [(table, key, table.known[key]) for table, key, _ in self._journal]
        self._restore()
        self._flush()
        if self._in_command:
            self._connection.execute("SAVEPOINT command")
        for table, key, row in later:
            self.write(table, key, row)
        self._flush()
        self._through = True

    def forget(self) -> None:
        """Drop what is known of all rows: they were taken back by other means, or are too many."""
        for table in self._tables:
            table.known.clear()

    # ── commands and entries ────────────────────────────────────────────────────────────────────────────────────

    def begin(self) -> None:
        """An entry begins."""
        self._journal.clear()
        self._under_way = True

    def mark(self) -> None:
        """A command begins, which may be taken back."""
        self._in_command = True
        self._journal.clear()
        if self._through:
            self._connection.execute("SAVEPOINT command")

    def undo(self) -> None:
        """Take back what the command did."""
        self._in_command = False
        if self._through:
            self._connection.execute("ROLLBACK TO command")
            self._connection.execute("RELEASE command")
            self.forget()
        else:
            self._restore()

    def keep(self) -> None:
        """Let stay what the command did."""
        self._in_command = False
        self._journal.clear()
        if self._through:
            self._connection.execute("RELEASE command")

    def end(self) -> list[Change]:
        """The entry ends: write what waits; answer what changed, unless SQLite was watched for that."""
        changes = self._flush()
        self._under_way = self._through = False
        if sum(len(table.known) for table in self._tables) > KNOWN_MAX:
            self.forget()
        return changes

    def give_up(self) -> None:
        """The entry is taken back by other means."""
        self._journal.clear()
        for table in self._tables:
            table.before.clear()
        self.forget()
        self._under_way = self._in_command = self._through = False

    def _restore(self) -> None:
        for table, key, old in reversed(self._journal):
            table.known[key] = old
        self._journal.clear()

    def _flush(self) -> list[Change]:
        """Write all rows that wait; each statement once, for all rows that need it."""
        changes: list[Change] = []
        work: dict[str, list[Row]] = {}
        for table in self._tables:
            for key, old in table.before.items():
                new = table.known[key]
                if new == old:
                    continue
                change: Change
                values: Row
                if old is None:
                    assert new is not None
                    change = (table.name, "INSERT", None, new)
                    sql, values = table.insert, new
                elif new is None:
                    change = (table.name, "DELETE", old, None)
                    sql, values = table.delete, key
                else:
                    change, places = _difference(table, old, new)
                    sql, values = table.update(places), (*[new[place] for place in places], *key)
                changes.append(change)
                work.setdefault(sql, []).append(values)
            table.before.clear()
        for sql, many in work.items():
            self._connection.executemany(sql, many)
        return changes


def _difference(table: Table, old: Row, new: Row) -> tuple[Change, tuple[int, ...]]:
    """An update as a change, and the places of the columns that it sets."""
    places = tuple([place for place, value in enumerate(new) if value != old[place]])
    before: list[Any] = [True] * len(new)
    after: list[Any] = [True] * len(new)
    for place in table.key:
        before[place] = old[place]
    for place in places:
        before[place], after[place] = old[place], new[place]
    return (table.name, "UPDATE", before, after), places
