"""Timers: rows that say what a product does at a time.

Due timers run at the start of the next entry, whatever it holds, ordered by due time and then by number; an entry runs
a limited count of them and leaves the rest to the next. A timer that is scheduled while an entry runs waits for a
later entry, even when it is due at once, so that no timer can hold an entry up by rescheduling itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from formicary.products.anatomy import TimerId

if TYPE_CHECKING:
    from formicary.machine.rows import Rows

TIMERS_PER_ENTRY: Final = 200
"""Timers that one entry runs at most: some tens of milliseconds, so that nobody waits for a crowd of them."""
EXPIRIES_PER_ENTRY: Final = 8190
"""Holds of the kernel that one entry expires at most."""


@dataclass(frozen=True, slots=True)
class Timer:
    """One thing to do at a time."""

    number: TimerId
    due_ns: int
    product: str
    name: str
    payload: bytes


class Timers:
    """Timers in the rows' database."""

    SCHEMA: Final = """
        CREATE TABLE machine_timers (
            number INTEGER NOT NULL PRIMARY KEY,
            due_ns INTEGER NOT NULL,
            product TEXT NOT NULL,
            name TEXT NOT NULL,
            payload BLOB NOT NULL
        ) STRICT;
        CREATE INDEX machine_timers_by_due ON machine_timers (due_ns, number);
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def add(self, timer: Timer) -> None:
        """Store a timer."""
        self._rows.write_through()
        values = (timer.number, timer.due_ns, timer.product, timer.name, timer.payload)
        self._rows.connection.execute("INSERT INTO machine_timers VALUES (?, ?, ?, ?, ?)", values)

    def remove(self, number: TimerId, *, product: str) -> bool:
        """Delete a timer of this product; False when it has run or was removed before."""
        self._rows.write_through()
        sql = "DELETE FROM machine_timers WHERE number = ? AND product = ?"
        self._rows.connection.execute(sql, (number, product))
        return self._rows.connection.changes() == 1

    def next_due(self) -> int | None:
        """When the earliest timer is due."""
        found = self._rows.connection.execute("SELECT min(due_ns) FROM machine_timers").fetchone()
        return None if found is None or found[0] is None else int(found[0])

    def first_due(self, *, time_ns: int, before: int) -> Timer | None:
        """The earliest timer due at ``time_ns`` among those numbered below ``before``."""
        sql = """SELECT number, due_ns, product, name, payload FROM machine_timers
                 WHERE due_ns <= ? AND number < ? ORDER BY due_ns, number LIMIT 1"""
        found = self._rows.connection.execute(sql, (time_ns, before)).fetchone()
        return None if found is None else Timer(*found)
