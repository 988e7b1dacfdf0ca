"""Rows named by their key: which statements are of that kind, and that memory and SQLite always tell the same."""

from __future__ import annotations

from typing import Any

import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from formicary.base.errors import Fault
from formicary.machine.machine import Machine
from formicary.machine.points import point_of
from formicary.machine.rows import Effect, Rows
from formicary.machine.verify import replay
from formicary.machine.working_set import Table
from formicary.products.anatomy import Product
from formicary.products.example import PRODUCT

from tests.machine.scripts import busy_history

SCHEMA = """
    CREATE TABLE pair_rows (
        owner BLOB NOT NULL, number INTEGER NOT NULL, state TEXT NOT NULL, weight INTEGER, PRIMARY KEY (number, owner)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX pair_rows_by_state ON pair_rows (state, number, owner);
    CREATE TABLE pair_unique (id INTEGER NOT NULL PRIMARY KEY, other INTEGER NOT NULL) STRICT;
    CREATE UNIQUE INDEX pair_unique_by_other ON pair_unique (other);
"""
PAIR = Product(name="pair", schema=SCHEMA)
TABLE = Table("pair_rows", ("owner", "number", "state", "weight"), (bytes, int, str, int), (1, 0))
ONE = "SELECT state, weight FROM pair_rows WHERE owner = ? AND number = ? ORDER BY number"
ADD = "INSERT INTO pair_rows (owner, number, state, weight) VALUES (?, ?, ?, ?)"
CHANGE = "UPDATE pair_rows SET weight = ?, state = ? WHERE number = ? AND owner = ?"
DROP = "DELETE FROM pair_rows WHERE owner = ? AND number = ?"
EVERY = "UPDATE pair_rows SET state = ? WHERE state = ?"
LIST = "SELECT owner, number, state, weight FROM pair_rows ORDER BY owner, number"


@pytest.mark.parametrize(
    "sql",
    [
        ONE,
        ADD,
        CHANGE,
        DROP,
        "select state from pair_rows where number = ? and owner = ?",
        "INSERT INTO pair_rows (number, owner, state) VALUES (?, ?, ?)",
        "UPDATE pair_rows SET state = ? WHERE owner = ? AND number = ?",
    ],
)
def test_a_statement_that_names_one_row_is_a_point(sql: str) -> None:
    """In any order of columns and conditions."""
    point = point_of(sql, {"pair_rows": TABLE})
    assert point is not None
    assert point.verb == sql.split(maxsplit=1)[0].lower()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT state FROM pair_rows WHERE owner = ? ORDER BY number, owner",
        "SELECT state FROM pair_rows WHERE owner = ? AND number = ? AND state = ?",
        "SELECT state FROM pair_rows WHERE owner = ? AND number > ? ORDER BY number",
        "SELECT state FROM pair_rows WHERE owner = ? OR number = ? ORDER BY number, owner",
        "SELECT state FROM pair_rows WHERE owner = ? AND number = ? LIMIT 1",
        "SELECT state FROM pair_rows WHERE owner = ?1 AND number = ?2",
        "SELECT state FROM pair_rows WHERE owner = ? AND number = 7",
        "SELECT count(*) FROM pair_rows WHERE owner = ? AND number = ?",
        "SELECT state, state FROM pair_rows WHERE owner = ? AND number = ?",
        "SELECT p.state FROM pair_rows AS p WHERE p.owner = ? AND p.number = ?",
        "SELECT other FROM pair_unique WHERE id = ?",
        "INSERT INTO pair_rows (owner, state) VALUES (?, ?)",
        "INSERT INTO pair_rows (owner, number, state) VALUES (?, ?, 'new')",
        "INSERT INTO pair_rows (owner, number, state) VALUES (?, ?, ?), (?, ?, ?)",
        "INSERT INTO pair_rows (owner, number, state) VALUES (?, ?, ?) ON CONFLICT (number, owner) DO NOTHING",
        "INSERT INTO pair_rows VALUES (?, ?, ?, ?)",
        "REPLACE INTO pair_rows (owner, number, state) VALUES (?, ?, ?)",
        "UPDATE pair_rows SET state = 'done' WHERE owner = ? AND number = ?",
        "UPDATE pair_rows SET state = weight WHERE owner = ? AND number = ?",
        "UPDATE pair_rows SET number = ? WHERE owner = ? AND number = ?",
        "UPDATE pair_rows SET state = ? WHERE owner = ?",
        "UPDATE pair_rows SET state = ?",
        "DELETE FROM pair_rows WHERE owner = ?",
        "DELETE FROM pair_rows",
    ],
)
def test_any_other_statement_is_none(sql: str) -> None:
    """SQLite does it; to overlook a point costs time only."""
    assert point_of(sql, {"pair_rows": TABLE}) is None


def fresh() -> Rows:
    """Rows of the product above, in memory."""
    return Rows(None, [PAIR])


def finish(rows: Rows, index: int) -> bytes:
    """End an entry, and answer what it changed."""
    changes = rows.changes(index, ())
    rows.end(index, Effect(b"", b"", [], []), changes)
    return changes


OWNERS = st.sampled_from([b"a", b"b"])
NUMBERS = st.integers(1, 3)
STATES = st.sampled_from(["new", "paid"])
WEIGHTS = st.none() | st.integers(0, 2)
STEPS = st.one_of(
    st.tuples(st.just(ADD), OWNERS, NUMBERS, STATES, WEIGHTS),
    st.tuples(st.just(CHANGE), WEIGHTS, STATES, NUMBERS, OWNERS),
    st.tuples(st.just(DROP), OWNERS, NUMBERS),
    st.tuples(st.just(EVERY), STATES, STATES),
    st.tuples(st.just(ONE), OWNERS, NUMBERS),
    st.tuples(st.just(LIST)),
)
ENTRIES = st.lists(st.lists(st.tuples(st.lists(STEPS, max_size=6), st.booleans()), max_size=4), max_size=4)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ENTRIES)
def test_memory_and_sqlite_tell_the_same(entries: list[list[tuple[list[tuple[Any, ...]], bool]]]) -> None:
    """Every read, every count of rows, every entry's changes and every row at the end, with commands taken back."""
    one, other = fresh(), fresh()
    for index, commands in enumerate(entries, start=1):
        one.begin()
        other.begin()
        other.write_through()
        for steps, stays in commands:
            marks = one.mark(), other.mark()
            for sql, *values in steps:
                assert said(one, sql, values) == said(other, sql, values)
            for rows, mark in zip((one, other), marks, strict=True):
                if stays:
                    rows.keep()
                else:
                    rows.undo(mark)
        assert finish(one, index) == finish(other, index)
        assert one.fenced["pair"].all(LIST) == other.fenced["pair"].all(LIST)


def said(rows: Rows, sql: str, values: list[Any]) -> Any:
    """What a statement answers; a key that is taken is left alone, as a handler would that looks first."""
    fenced = rows.fenced["pair"]
    if sql == ADD and fenced.one(ONE, *values[:2]) is not None:
        return None
    return fenced.all(sql, *values) if sql.startswith("SELECT") else fenced.run(sql, *values)


def test_an_entry_that_is_given_up_leaves_nothing_in_memory() -> None:
    """What it wrote and what it read is asked of the database again."""
    rows = fresh()
    pair = rows.fenced["pair"]
    rows.begin()
    pair.run(ADD, b"a", 1, "new", None)
    finish(rows, 1)
    rows.begin()
    pair.run(CHANGE, 5, "paid", 1, b"a")
    assert pair.one(ONE, b"a", 1) == ("paid", 5)
    rows.rollback()
    assert pair.one(ONE, b"a", 1) == ("new", None)


def test_what_an_entry_did_outside_of_commands_stays_its_own() -> None:
    """A first entry writes outside of any command; when SQLite is needed in the next, only the next is written."""
    rows = fresh()
    pair = rows.fenced["pair"]
    rows.begin()
    pair.run(ADD, b"a", 1, "new", None)
    finish(rows, 1)
    rows.begin()
    rows.write_through()
    pair.run(ADD, b"b", 1, "new", None)
    finish(rows, 2)
    assert pair.all(LIST) == [(b"a", 1, "new", None), (b"b", 1, "new", None)]


def test_a_key_that_is_taken_ends_the_entry() -> None:
    """Whether the row is in memory or not; a product that does not look first has a bug."""
    rows = fresh()
    pair = rows.fenced["pair"]
    rows.begin()
    pair.run(ADD, b"a", 1, "new", None)
    with pytest.raises(apsw.ConstraintError):
        pair.run(ADD, b"a", 1, "new", None)
    finish(rows, 1)
    rows.begin()
    pair.run(DROP, b"a", 1)
    pair.run(ADD, b"a", 1, "again", 2)
    assert finish(rows, 2)
    again = Rows(None, [PAIR])
    again.connection.execute(ADD, (b"a", 1, "new", None))
    again.begin()
    with pytest.raises(apsw.ConstraintError):
        again.fenced["pair"].run(ADD, b"a", 1, "new", None)


def test_rows_that_fell_back_refuse_to_go_on() -> None:
    """When SQLite has rolled back entries by itself, nothing is applied on top, and nothing is said to be committed."""
    rows = fresh()
    rows.begin()
    rows.fenced["pair"].run(ADD, b"a", 1, "new", None)
    finish(rows, 1)
    rows.connection.execute("ROLLBACK")
    with pytest.raises(Fault, match="opened again"):
        rows.begin()
    with pytest.raises(Fault, match="opened again"):
        rows.commit()
    rows.close()


def test_a_value_of_another_type_is_left_to_sqlite() -> None:
    """It converts some, and refuses others; memory does neither."""
    rows = fresh()
    pair = rows.fenced["pair"]
    rows.begin()
    pair.run(ADD, b"a", 1, "new", None)
    assert pair.one(ONE, b"a", "1") == ("new", None)
    with pytest.raises(apsw.ConstraintError):
        pair.run(CHANGE, "heavy", "paid", 1, b"a")


def test_the_same_log_gives_the_same_digest_either_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long history of all kinds of entries, once with the working set, once with SQLite for everything."""
    script = busy_history()
    usual = replay(Machine(None, [PRODUCT]), script)
    begin = Rows.begin

    def begin_through(rows: Rows) -> None:
        begin(rows)
        rows.write_through()

    monkeypatch.setattr(Rows, "begin", begin_through)
    assert replay(Machine(None, [PRODUCT]), script).digest == usual.digest
